"""Results of runs: recorded once, and matched to the trials the run takes part in."""

from domain.event import EventData, NewEvent, new_event
from domain.experiments import Experiment, Exposure, ExposureMatured
from domain.metrics import METRICS
from domain.model import Moment
from domain.policies import PolicyRecord
from domain.ports import EventLog, State
from domain.runs import Outcome, OutcomeRecorded


class Measurer:
    def __init__(self, *, log: EventLog, state: State) -> None:
        self._log = log
        self._state = state

    async def measured(self, *, run_id: str, metric: str, value: float, now: Moment, occurrence: str) -> None:
        """Record a result of a run. Repeating the same ``occurrence`` changes nothing."""
        outcome = Outcome(metric=metric, value=value, at=now)
        events = [_event(OutcomeRecorded(run_id=run_id, outcome=outcome), run_id, now, occurrence)]
        events += [_event(data, run_id, now, occurrence) for data in await self._matured(run_id, metric, value, now)]
        await self._log.append(events)

    async def _matured(self, run_id: str, metric: str, value: float, now: Moment) -> list[ExposureMatured]:
        """What the result says about each running trial that is judged by this metric."""
        known = METRICS.get(metric)
        if known is None:
            return []
        reward = known.reward(value)
        return [
            ExposureMatured(
                experiment_id=exposure.experiment_id,
                run_id=run_id,
                metric=metric,
                reward=reward,
                severe=known.severe and reward == 0,
                at=now,
            )
            for exposure in await self._exposures(run_id, metric)
        ]

    async def _exposures(self, run_id: str, metric: str) -> list[Exposure]:
        trials = [r.trial for r in await self._state.find(PolicyRecord) if r.trial]
        found = [await self._state.get(Exposure, f"{trial}/{run_id}") for trial in trials]
        return [e for e in found if e is not None and await self._is_judged_by(e, metric)]

    async def _is_judged_by(self, exposure: Exposure, metric: str) -> bool:
        experiment = await self._state.get(Experiment, exposure.experiment_id)
        return experiment is not None and any(objective.metric == metric for objective in experiment.objectives)


def _event(data: EventData, run_id: str, now: Moment, occurrence: str) -> NewEvent:
    return new_event(data, at=now, key=(data.stream, occurrence), correlation_id=run_id)
