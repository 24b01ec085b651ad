"""A change on its way: exposed, judged, promoted or taken back, each in one append."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, cast

import pytest

import memory
from activities.ratifying import Ratifier
from activities.rollout import RolloutActivities
from activities.steps import JudgeInput
from domain.actions import Risk
from domain.errors import DecisionRefused, InvalidInput, Retryable, Stale
from domain.event import Event, NewEvent
from domain.experiments import Arm, Ending, Evidence, ExperimentJudged, Exposure, Stage
from domain.policies import PolicyActivated, PolicyVersion, SupportPolicy
from domain.ports import EventLog
from domain.runs import Alert, RunFinished
from learning.steering import approved, begin, earlier, propose, ratified, stopped
from models.embedding import HashingEmbedder
from tests.unit.learning.trial import NOW, Trial, candidate, version


@pytest.fixture
async def trial() -> Trial:
    made = Trial(memory.in_memory(embedder=HashingEmbedder()))
    await made.start()
    return made


async def test_a_winner_is_promoted_and_goes_through_its_holdout(trial: Trial) -> None:
    """Much fewer corrections: version 2 comes into force for all but a tenth, approved by the verdict and not its proposer."""
    await trial.results(40, control=1.0, treated=0.0)
    await trial.judge()
    experiment, record = await trial.experiment(), await trial.record()
    assert (experiment.stage, experiment.share, record.active) == (Stage.HOLDOUT, 0.9, 2)
    assert record.in_force is not None
    assert (record.in_force.proposed_by, record.in_force.approved_by) == ("learner", "verdict/support@2")


async def test_a_loser_is_taken_back_and_remembered(trial: Trial) -> None:
    """More corrections: the trial ends, version 1 stays in force, version 2 is dropped with its reason, the operator is told."""
    await trial.results(25, control=0.0, treated=1.0)
    judged = await trial.judge()
    record = await trial.record()
    assert (judged.running, judged.ending) == (False, Ending.ROLLED_BACK)
    assert (record.active, record.trial, 2 in record.dropped) == (1, "", True)
    assert [a.key for a in await trial.kept.state.find(Alert)] == ["experiment/support@2/ended"]


async def test_a_run_in_flight_keeps_its_version_after_a_soft_end(trial: Trial) -> None:
    """It was promised nothing else; new runs and ended ones have what is in force."""
    await trial.expose("support/open", Arm.CANDIDATE)
    await trial.tell(*stopped(await trial.experiment(), await trial.record(), by="operator", hard=False, why="no", now=NOW))
    assert (await trial.days("support/open"), await trial.days("support/new"), await trial.days()) == (2, 4, 4)
    await trial.tell(RunFinished(run_id="support/open", at=NOW))
    assert await trial.days("support/open") == 4


async def test_a_severe_miss_takes_it_back_at_once_and_hard(trial: Trial) -> None:
    """One wrongly paid refund: runs in flight leave the candidate with their next decision."""
    await trial.expose("support/open", Arm.CANDIDATE)
    await trial.expose("support/bad", Arm.CANDIDATE)
    assert await trial.days("support/open") == 2
    await trial.result("support/bad", "refund-wrong", 1.0)
    await trial.judge()
    experiment = await trial.experiment()
    assert (experiment.ending, experiment.hard, await trial.days("support/open")) == (Ending.ROLLED_BACK, True, 4)


async def test_judging_again_changes_nothing(trial: Trial) -> None:
    """The same evidence is one event, however often it is looked at."""
    await trial.results(5, control=0.0, treated=0.0)
    await trial.judge()
    before = await trial.kept.log.head()
    await trial.judge()
    assert await trial.kept.log.head() == before


async def test_what_is_missing_counts_when_its_window_has_passed(trial: Trial) -> None:
    """Nobody corrected it for three days: a good result. The next look is due when the window closes."""
    await trial.expose("support/1", Arm.CANDIDATE)
    judged = await trial.judge()
    assert judged.look_again_at == NOW + timedelta(days=3)
    await trial.judge(NOW + timedelta(days=3))
    exposure = await trial.kept.state.get(Exposure, "support@2/support/1")
    assert exposure is not None
    assert exposure.rewards == {"corrected": 1.0}


async def test_the_first_result_counts_and_a_late_severe_one_too(trial: Trial) -> None:
    """A contradicting second result changes nothing; a severe miss after a good result still is one."""
    await trial.expose("support/1", Arm.CANDIDATE)
    for metric, value, minute in (("corrected", 0.0, 1), ("corrected", 1.0, 2), ("refund-wrong", 0.0, 3), ("refund-wrong", 1.0, 4)):
        await trial.result("support/1", metric, value, at=NOW + timedelta(minutes=minute))
    exposure = await trial.kept.state.get(Exposure, "support@2/support/1")
    assert exposure is not None
    assert (exposure.rewards, exposure.severe) == ({"corrected": 1.0, "refund-wrong": 1.0}, ("refund-wrong",))


class _Interrupted:
    """A log whose process dies around one append: before it is written, or right after."""

    def __init__(self, log: EventLog, *, written: bool) -> None:
        self._log = log
        self._written = written
        self._dies = True

    async def append(self, events: Sequence[NewEvent], *, expected: Mapping[str, int] | None = None) -> list[Event]:
        dies, self._dies = self._dies, False
        if dies and not self._written:
            raise ConnectionError
        appended = await self._log.append(events, expected=expected)
        if dies:
            raise ConnectionError
        return appended

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)


@pytest.mark.parametrize("written", [False, True])
async def test_a_crash_around_the_verdict_leaves_no_half_of_it(trial: Trial, *, written: bool) -> None:
    """Verdict, flag and policy change in one append: after a crash all of it is there, or nothing, and the next look ends it."""
    await trial.results(25, control=0.0, treated=1.0)
    steps = RolloutActivities(log=_Interrupted(trial.kept.log, written=written), state=trial.kept.state)
    with pytest.raises(ConnectionError):
        await steps.judge_rollout(JudgeInput(experiment_id="support@2", now=NOW))
    ended = (await trial.experiment()).stage is Stage.ENDED
    assert (ended, (await trial.record()).trial == "", 2 in (await trial.record()).dropped) == (written, written, written)
    again = await steps.judge_rollout(JudgeInput(experiment_id="support@2", now=NOW))
    assert (again.ending, (await trial.record()).trial) == (Ending.ROLLED_BACK, "")


class _Overtaken:
    """A log in which the operator stops the trial just before the verdict is written."""

    def __init__(self, trial: Trial) -> None:
        self._trial = trial

    async def append(self, events: Sequence[NewEvent], *, expected: Mapping[str, int] | None = None) -> list[Event]:
        experiment, record = await self._trial.experiment(), await self._trial.record()
        if experiment.running:
            await self._trial.tell(*stopped(experiment, record, by="operator", hard=False, why="enough", now=NOW))
        return await self._trial.kept.log.append(events, expected=expected)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._trial.kept.log, name)


async def test_a_verdict_that_the_operator_overtook_is_void(trial: Trial) -> None:
    """What was stopped while it was judged stays stopped; the next look sees so. Nor can anybody judge it by hand."""
    await trial.results(5, control=0.0, treated=0.0)
    steps = RolloutActivities(log=_Overtaken(trial), state=trial.kept.state)
    with pytest.raises(Retryable, match="moved while it was judged"):
        await steps.judge_rollout(JudgeInput(experiment_id="support@2", now=NOW))
    again = await steps.judge_rollout(JudgeInput(experiment_id="support@2", now=NOW))
    assert (again.ending, (await trial.experiment()).reason) == (Ending.STOPPED, "enough")
    late = ExperimentJudged(experiment_id="support@2", evidence=Evidence(), stage=Stage.CANARY, share=0.1, at=NOW)
    with pytest.raises(InvalidInput, match="has ended"):
        await trial.tell(late)


class _Judged:
    """The log of an operator whose trial is judged ``times`` while they say their word."""

    def __init__(self, trial: Trial, *, times: int) -> None:
        self._trial = trial
        self._times = times

    async def append(self, events: Sequence[NewEvent], *, expected: Mapping[str, int] | None = None) -> list[Event]:
        if self._times:
            self._times -= 1
            await self._trial.results(1, control=0.0, treated=0.0)
            await self._trial.judge()
        return await self._trial.kept.log.append(events, expected=expected)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._trial.kept.log, name)


@pytest.mark.parametrize("dropped", [False, True])
@pytest.mark.parametrize("times", [0, 1])
async def test_a_trial_is_taken_back_whatever_it_saw_meanwhile(trial: Trial, *, times: int, dropped: bool) -> None:
    """The operator is not asked to say it again."""
    word = Ratifier(log=cast("EventLog", _Judged(trial, times=times)), state=trial.kept.state, by="operator", now=NOW)
    said = word.drop("support", 2, why="no") if dropped else word.roll_back("support", hard=False, why="no")
    after = await said
    experiment = await trial.experiment()
    assert (after.active, after.trial, experiment.ending, experiment.reason) == (1, "", Ending.STOPPED, "no")
    assert experiment.evidence == Evidence() if times == 0 else experiment.evidence != Evidence()


async def test_two_trials_on_one_policy_are_refused(trial: Trial) -> None:
    """By the rule that starts one, and by the log for whoever goes around it."""
    record = await trial.record()
    proposed, number_three = propose(record, other := candidate(parent=1, days=5), now=NOW)
    await trial.tell(proposed)
    given: dict[str, Any] = {"level": 0.1, "share": 0.1, "expires_at": NOW, "now": NOW}
    with pytest.raises(InvalidInput, match="support@2 is running"):
        begin(await trial.record(), number_three, other, **given)
    around = begin((await trial.record()).model_copy(update={"trials": ()}), number_three, other, **given)
    with pytest.raises(InvalidInput, match="support@2 is running"):
        await trial.tell(*around)


async def test_what_the_learner_proposes_it_cannot_ratify(trial: Trial) -> None:
    """The operator can; the event itself cannot even be made by the proposer."""
    proposed, number_three = propose(await trial.record(), candidate(parent=1, days=5), now=NOW)
    await trial.tell(proposed)
    with pytest.raises(DecisionRefused, match="cannot approve it"):
        approved(await trial.record(), number_three.version, by="learner", now=NOW)
    await trial.tell(*approved(await trial.record(), number_three.version, by="operator", now=NOW))
    assert (await trial.record()).active == 3


async def test_a_dangerous_winner_waits_for_the_operator() -> None:
    """R3 is promoted by nobody but the operator, and only when it has won."""
    trial = Trial(memory.in_memory(embedder=HashingEmbedder()))
    await trial.start(risk=Risk.R3)
    with pytest.raises(DecisionRefused):
        ratified(await trial.experiment(), await trial.record(), by="operator", now=NOW)
    await trial.results(60, control=1.0, treated=0.0)
    await trial.judge()
    assert ((await trial.experiment()).awaits_operator, (await trial.record()).active) == (True, 1)
    await trial.tell(*ratified(await trial.experiment(), await trial.record(), by="operator", now=NOW))
    assert ((await trial.experiment()).stage, (await trial.record()).active) == (Stage.HOLDOUT, 2)


async def test_one_command_rolls_back_to_the_version_before(trial: Trial) -> None:
    """After a promotion: the parent is in force again, for the next decision."""
    await trial.results(40, control=1.0, treated=0.0)
    await trial.judge()
    assert await trial.days() == 2
    await trial.tell(*stopped(await trial.experiment(), await trial.record(), by="operator", hard=False, why="", now=NOW))
    assert ((await trial.experiment()).ending, await trial.days()) == (Ending.REVERTED, 4)
    await trial.tell(earlier(await trial.record(), by="operator", now=NOW, why="back to the start"))
    assert (await trial.record()).active == 3  # the built-in default, as a version of its own
    assert await trial.days() == 3


async def test_exposure_is_sticky_logged_and_in_scope_only() -> None:
    """A run is assigned once; a run about something else not at all."""
    trial = Trial(memory.in_memory(embedder=HashingEmbedder()))
    await trial.start(scope=("late",))
    for topic, run_id in (("late", "support/1"), ("late", "support/1"), ("refund", "support/2")):
        await trial.exposer.expose("support", run_id=run_id, topic=topic, now=NOW)
    (exposure,) = await trial.kept.state.find(Exposure)
    event = next(e for e in await trial.kept.log.read() if e.type == "exposure.recorded")
    assert (exposure.run_id, exposure.share, event.flags) == ("support/1", 0.5, {"policy/support": exposure.arm.value})
    assert await trial.kept.policies.of("support/1").arms() == {"policy/support": exposure.arm.value}


async def test_a_promoted_version_without_parent_document_is_the_default_again(trial: Trial) -> None:
    """Rolling back past the first version brings what Steward comes with."""
    await trial.tell(*stopped(await trial.experiment(), await trial.record(), by="operator", hard=True, why="", now=NOW))
    await trial.tell(earlier(await trial.record(), by="operator", now=NOW, why=""))
    assert ((await trial.record()).active, await trial.days()) == (3, 3.0)


async def test_a_proposal_is_merged_with_what_came_into_force_meanwhile(trial: Trial) -> None:
    """The operator changes another field first: ratifying keeps both. Where both changed one place, it is refused."""
    proposed, number = propose(await trial.record(), candidate(parent=1, days=5), now=NOW)
    await trial.tell(proposed)
    other = SupportPolicy(follow_up_after_days=4, close_after_days=9).model_dump(mode="json")
    theirs = PolicyVersion(version=9, document=other, proposed_by="operator", approved_by="operator", at=NOW)
    await trial.tell(PolicyActivated(name="support", version=theirs))
    await trial.tell(*approved(await trial.record(), number.version, by="operator", now=NOW))
    in_force = (await trial.kept.policies.in_force(SupportPolicy)).document
    assert (in_force.follow_up_after_days, in_force.close_after_days) == (5, 9)


async def test_a_proposal_that_contradicts_what_came_into_force_is_stale(trial: Trial) -> None:
    """Nobody's change is lost without a word."""
    proposed, number = propose(await trial.record(), candidate(parent=1, days=5), now=NOW)
    await trial.tell(proposed, PolicyActivated(name="support", version=version(9, days=6)))
    with pytest.raises(Stale, match="follow_up_after_days"):
        approved(await trial.record(), number.version, by="operator", now=NOW)
