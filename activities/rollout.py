"""Steps of a rollout: let what is overdue mature, judge what is there, and carry the verdict out in one append."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from temporalio import activity

from activities.steps import Judged, JudgeInput
from domain.errors import NotFound, Retryable, VersionConflict
from domain.event import EventData, NewEvent, new_event
from domain.experiments import Ending, Experiment, ExperimentJudged, Exposure, ExposureMatured, Stage
from domain.metrics import METRICS, Missing
from domain.model import Moment
from domain.policies import PolicyRecord
from domain.ports import EventLog, State
from domain.runs import Alert, AlertLevel, AlertRaised
from learning.blocks import by_unit, results
from learning.steering import VERDICT, concluded
from learning.verdict import PATIENCE, judge


class RolloutActivities:
    def __init__(self, *, log: EventLog, state: State) -> None:
        self._log = log
        self._state = state

    @activity.defn
    async def judge_rollout(self, request: JudgeInput) -> Judged:
        """Look at every matured result. The verdict, the flag and the policy change together or not at all."""
        seen = await self._seen(request.experiment_id)  # before anything is read: what moves later makes the verdict void
        experiment = await self._experiment(request.experiment_id)
        if not experiment.running:
            return _told(experiment, None)
        exposures = await self._matured(experiment, request.now)
        after = await self._judge(experiment, exposures, seen, request.now)
        return _told(after, _next_look(after, exposures, request.now))

    async def _judge(
        self, experiment: Experiment, exposures: Sequence[Exposure], seen: Mapping[str, int], now: Moment
    ) -> Experiment:
        units = by_unit(experiment, exposures, now=now)
        judgement = judge(experiment, units, results(units), now)
        judged = ExperimentJudged(experiment_id=experiment.experiment_id, at=now, by=VERDICT, **dict(judgement))
        if _says_nothing_new(experiment, judged):
            return experiment
        record = await self._record(experiment.policy)
        events = [*concluded(experiment, record, judged), *_alerts(experiment, judged, exposures)]
        await self._conclude(experiment, events, seen, now)
        return await self._experiment(experiment.experiment_id)

    async def _seen(self, experiment_id: str) -> dict[str, int]:
        """The versions of the trial and its policy, by stream."""
        policy = experiment_id.partition("@")[0]
        return {
            f"experiment/{experiment_id}": await self._state.version(Experiment, experiment_id),
            f"policy/{policy}": await self._state.version(PolicyRecord, policy),
        }

    async def _conclude(self, experiment: Experiment, events: Sequence[EventData], seen: Mapping[str, int], now: Moment) -> None:
        """Raises Retryable where the trial or the policy moved since it was seen: then it has to be judged anew."""
        occurrence = str(seen[f"experiment/{experiment.experiment_id}"])
        named = [_event(data, now, experiment, occurrence) for data in events]
        try:
            await self._log.append(named, expected=seen)
        except VersionConflict as moved:
            raise Retryable(f"{experiment.experiment_id} moved while it was judged") from moved

    async def _matured(self, experiment: Experiment, now: Moment) -> list[Exposure]:
        """All exposures, after every result whose window has passed counts as its metric says."""
        exposures = await self._state.find(Exposure, experiment_id=experiment.experiment_id)
        overdue = [e for exposure in exposures for e in _overdue(experiment, exposure, now)]
        if not overdue:
            return exposures
        await self._log.append([_event(data, now, experiment, f"overdue/{data.run_id}/{data.metric}") for data in overdue])
        return await self._state.find(Exposure, experiment_id=experiment.experiment_id)

    async def _experiment(self, experiment_id: str) -> Experiment:
        experiment = await self._state.get(Experiment, experiment_id)
        if experiment is None:
            raise NotFound(f"there is no experiment {experiment_id}", hint="`./steward experiments` lists them")
        return experiment

    async def _record(self, policy: str) -> PolicyRecord:
        record = await self._state.get(PolicyRecord, policy)
        if record is None:
            raise NotFound(f"the policy {policy} has no versions", hint="its proposal is missing from the log")
        return record


def _overdue(experiment: Experiment, exposure: Exposure, now: Moment) -> list[ExposureMatured]:
    missing = [METRICS[o.metric] for o in experiment.objectives if not exposure.matured(o.metric)]
    rewards = {Missing.GOOD: 1.0, Missing.BAD: 0.0, Missing.CENSORED: None}
    return [
        ExposureMatured(
            experiment_id=exposure.experiment_id,
            run_id=exposure.run_id,
            metric=metric.name,
            reward=rewards[metric.missing],
            at=exposure.matures_at(metric.window_days),
        )
        for metric in missing
        if exposure.matures_at(metric.window_days) <= now
    ]


def _next_look(experiment: Experiment, exposures: Sequence[Exposure], now: Moment) -> Moment | None:
    """When, without any news, there is something to judge: the next window that closes, or the end of the trial."""
    if not experiment.running or experiment.stage is Stage.FROZEN:
        return None
    windows = [
        exposure.matures_at(METRICS[o.metric].window_days)
        for exposure in exposures
        for o in experiment.objectives
        if not exposure.matured(o.metric)
    ]
    end = experiment.expires_at if now < experiment.expires_at else experiment.expires_at + PATIENCE
    return max(min([*windows, end]), now + timedelta(minutes=1))


def _says_nothing_new(experiment: Experiment, judged: ExperimentJudged) -> bool:
    now = (judged.evidence, judged.stage, judged.share, judged.ending, judged.awaits_operator)
    return now == (experiment.evidence, experiment.stage, experiment.share, experiment.ending, experiment.awaits_operator)


def _alerts(experiment: Experiment, judged: ExperimentJudged, exposures: Sequence[Exposure]) -> list[AlertRaised]:
    """What the operator has to know at once: a change was taken back, an assignment is broken, a winner waits."""
    name = experiment.experiment_id
    if judged.ending in (Ending.ROLLED_BACK, Ending.REVERTED):
        severe = [e.run_id for e in exposures if e.severe and e.version == experiment.candidate]
        todo = "; ".join(f"look at `./steward show {run}`" for run in severe[:3]) or f"see `./steward experiments show {name}`"
        level = AlertLevel.URGENT if severe else AlertLevel.WARNING
        return [_alert(judged, level, f"{name} was taken back: {judged.reason}", todo)]
    if judged.stage is Stage.FROZEN and experiment.stage is not Stage.FROZEN:
        return [_alert(judged, AlertLevel.URGENT, f"{name} is frozen: {judged.reason}", f"`./steward experiments stop {name}`")]
    if judged.awaits_operator and not experiment.awaits_operator:
        todo = f"`./steward policies ratify {experiment.policy} {experiment.candidate}`"
        return [_alert(judged, AlertLevel.INFO, f"{name} waits for your word: {judged.reason}", todo)]
    return []


def _alert(judged: ExperimentJudged, level: AlertLevel, text: str, what_to_do: str) -> AlertRaised:
    key = f"experiment/{judged.experiment_id}/{judged.stage}"
    return AlertRaised(alert=Alert(key=key, level=level, text=text, what_to_do=what_to_do, at=judged.at))


def _event(data: EventData, now: Moment, experiment: Experiment, occurrence: str) -> NewEvent:
    run_id = f"rollout/{experiment.policy}/{experiment.candidate}"
    return new_event(data, at=now, key=(data.stream, occurrence), correlation_id=run_id, actor=VERDICT)


def _told(experiment: Experiment, look_again_at: Moment | None) -> Judged:
    evidence = experiment.evidence
    text = (
        f"{experiment.stage}: {evidence.exposed_candidate} of {evidence.exposed} runs have version {experiment.candidate}, "
        f"{evidence.matured} results are in; evidence of gain {evidence.win:.2f}, "
        f"of harm {max(evidence.harm.values(), default=1.0):.2f}. {experiment.reason}"
    )
    return Judged(running=experiment.running, ending=experiment.ending, text=text.strip(), look_again_at=look_again_at)
