"""The verdict: its rules, their order, and logs that are not as tidy as one would like."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.actions import Risk
from domain.experiments import Arm, Ending, Experiment, ExperimentJudged, Exposure, Objective, Stage
from learning.assignment import HOLDOUT_SHARE
from learning.verdict import PATIENCE, Judgement, judge, win_limit

BEGAN = datetime(2026, 3, 2, tzinfo=UTC)
LATER = BEGAN + timedelta(days=30)
Reward = Callable[[int, bool], float | None]  # of the i-th unit, by whether it has the candidate; None is open


def experiment(**changes: Any) -> Experiment:
    given: dict[str, Any] = {
        "experiment_id": "support@2",
        "policy": "support",
        "control": 1,
        "candidate": 2,
        "risk": Risk.R1,
        "objectives": (Objective(metric="corrected"),),
        "salt": "s",
        "level": 0.1,
        "share": 0.5,
        "started_at": BEGAN,
        "expires_at": LATER,
    }
    return Experiment(**(given | changes))


def exposures(n: int, reward: Reward, *, share: float = 0.5, metric: str = "corrected", start: int = 0) -> list[Exposure]:
    """Every ``1 / share``-th unit has the candidate (for 0.9: all but every tenth)."""
    made = []
    for i in range(start, start + n):
        candidate = i % 10 != 0 if share == HOLDOUT_SHARE else i % round(1 / share) == 0
        found = reward(i, candidate)
        made.append(exposure(i, candidate, share=share, rewards={} if found is None else {metric: found}))
    return made


def exposure(i: int, candidate: bool, *, share: float = 0.5, **fields: Any) -> Exposure:
    return Exposure(
        experiment_id="support@2",
        unit=f"run/{i}",
        run_id=f"run/{i}",
        arm=Arm.CANDIDATE if candidate else Arm.CONTROL,
        version=2 if candidate else 1,
        share=share,
        at=BEGAN + timedelta(hours=i),
        **fields,
    )


def in_order(units: Iterable[Exposure]) -> list[tuple[str, str]]:
    return [(e.unit, metric) for e in units for metric in e.rewards]


def look(units: list[Exposure], *, now: datetime = BEGAN + timedelta(days=20), **changes: Any) -> Judgement:
    return judge(experiment(**changes), units, in_order(units), now)


def worse(i: int, candidate: bool) -> float:
    return 0.0 if candidate and i % 4 == 0 else 1.0


def better(i: int, candidate: bool) -> float:
    return 1.0 if candidate or i % 4 == 1 else 0.0


def alike(i: int, candidate: bool) -> float:
    return float(i // 2 % 10 > 0)


def test_a_single_severe_miss_takes_it_back_at_once() -> None:
    """Even where everything else speaks for promotion; runs in flight leave it too."""
    units = exposures(80, better)
    units[40] = units[40].model_copy(update={"severe": ("refund-wrong",)})
    found = look(units)
    assert (found.stage, found.ending, found.hard, found.share) == (Stage.ENDED, Ending.ROLLED_BACK, True, 0.0)
    assert "run/40" in found.reason


def test_a_severe_miss_of_control_is_not_the_candidates() -> None:
    """Only what the candidate handled is held against it."""
    units = exposures(20, alike)
    units[1] = units[1].model_copy(update={"severe": ("refund-wrong",)})
    assert look(units).ending is None


def test_a_broken_assignment_freezes_before_anything_is_concluded() -> None:
    """Sixty units in a row on the candidate where half were due: neither harm nor a win counts."""
    for reward in (worse, better):
        found = look([exposure(i, True, rewards={"corrected": reward(i, True)}) for i in range(60)])
        assert (found.stage, found.ending) == (Stage.FROZEN, None)
        assert "60 of 60 cases got the change where about 30 were due" in found.reason


def test_frozen_stays_frozen_but_a_severe_miss_still_counts() -> None:
    """Until the operator looked; results of a broken assignment prove nothing."""
    units = exposures(80, worse)
    assert look(units, stage=Stage.FROZEN).stage is Stage.FROZEN
    units[40] = units[40].model_copy(update={"severe": ("corrected",)})
    assert look(units, stage=Stage.FROZEN).ending is Ending.ROLLED_BACK


def test_harm_takes_it_back_and_says_with_which_numbers() -> None:
    """Half of the candidate's cases corrected, none of the others."""
    found = look(exposures(60, worse))
    assert (found.stage, found.ending, found.hard) == (Stage.ENDED, Ending.ROLLED_BACK, False)
    assert found.evidence.harm["corrected"] == pytest.approx(5.0)
    expected = "Taken back: on 'corrected' the score was 50 % of 30 cases with the change and 100 % of 30 cases without"
    assert found.reason == f"{expected} (evidence of harm 5.0, limit 5)."


def test_harm_on_a_guardrail_comes_before_a_win() -> None:
    """Fewer corrections, bought with more reopened cases."""
    objectives = (Objective(metric="corrected"), Objective(metric="reopened"))
    units = [
        e.model_copy(
            update={"rewards": {"corrected": better(i, e.arm is Arm.CANDIDATE), "reopened": worse(i, e.arm is Arm.CANDIDATE)}}
        )
        for i, e in enumerate(exposures(120, alike))
    ]
    found = look(units, objectives=objectives)
    assert found.evidence.win > 10
    assert (found.ending, "reopened" in found.reason) == (Ending.ROLLED_BACK, True)


def test_a_win_is_promoted_to_the_holdout() -> None:
    """With a tenth left on the old version to compare."""
    found = look(exposures(80, better))
    assert (found.stage, found.share, found.ending) == (Stage.HOLDOUT, HOLDOUT_SHARE, None)
    assert "needed 10" in found.reason


def test_a_win_needs_twenty_exposed_candidates() -> None:
    """Overwhelming evidence on nineteen is not enough."""
    few, enough = (exposures(n, lambda i, candidate: float(candidate)) for n in (38, 39))
    assert (look(few).stage, look(enough).stage) == (Stage.CANARY, Stage.HOLDOUT)
    assert look(few).evidence.win > 10


def test_what_is_legal_or_irreversible_waits_for_the_operator() -> None:
    """R3 at an e-value of 100; it goes on meanwhile, does not run out of time, and harm still takes it back."""
    units = exposures(200, better)
    found = look(units, risk=Risk.R3, now=LATER)
    assert (found.stage, found.awaits_operator, found.share) == (Stage.CANARY, True, 0.5)
    assert look(exposures(60, worse), risk=Risk.R3, awaits_operator=True).ending is Ending.ROLLED_BACK


@pytest.mark.parametrize(
    ("risk", "level", "limit"), [(Risk.R0, 0.1, 10), (Risk.R1, 0.1, 10), (Risk.R2, 0.1, 20), (Risk.R1, 0.02, 50)]
)
def test_the_limit_is_the_stricter_of_risk_and_false_discovery_level(risk: Risk, level: float, limit: float) -> None:
    """The company's level may ask for more than the risk does, never for less."""
    assert win_limit(risk, level) == pytest.approx(limit)


def test_out_of_time_the_old_version_stays() -> None:
    """Undecided is not good enough where money is at stake."""
    found = look(exposures(100, alike), now=LATER, risk=Risk.R2)
    assert (found.stage, found.ending, found.share) == (Stage.ENDED, Ending.EXPIRED, 0.0)
    assert look(exposures(100, alike), now=LATER - timedelta(seconds=1), risk=Risk.R2).ending is None


def test_out_of_time_a_harmless_text_may_ship_and_says_it_is_not_covered() -> None:
    """A few points better on many cases: undecided at 50, but little to lose."""

    def slightly(i: int, candidate: bool) -> float:
        return float(i // 2 % 12 > (0 if candidate else 1))

    units = exposures(360, slightly)
    found = look(units, now=LATER, level=0.001)
    assert (found.ending, found.share) == (Ending.SHIPPED, 1.0)
    assert "the error guarantee does not cover this" in found.reason
    assert look(units, now=LATER, level=0.001, risk=Risk.R2).ending is Ending.EXPIRED


def test_the_share_grows_with_exposures_and_never_shrinks() -> None:
    """By the ramp of the risk while the canary goes on."""
    shares = [look(exposures(n, lambda i, candidate: 1.0, share=0.1), risk=Risk.R2, share=0.1).share for n in (10, 30, 90)]
    assert shares == [0.1, 0.25, 0.5]
    assert look(exposures(10, alike), risk=Risk.R2, share=0.5).share == 0.5


def holdout(reward: Reward, n: int) -> tuple[list[Exposure], dict[str, Any]]:
    """A canary of 100 alike, promoted after it, then ``n`` units at nine tenths."""
    after = {"stage": Stage.HOLDOUT, "share": HOLDOUT_SHARE, "promoted_at": BEGAN + timedelta(hours=100)}
    return [*exposures(100, alike), *exposures(n, reward, share=HOLDOUT_SHARE, start=100)], after


def test_a_holdout_without_harm_ends_promoted() -> None:
    """After 100 more cases with results, or after 14 days."""
    units, after = holdout(alike, 99)
    promoted_at = after["promoted_at"]
    assert look(units, now=promoted_at + timedelta(days=5), **after).stage is Stage.HOLDOUT
    assert look(units, now=promoted_at + timedelta(days=14), **after).ending is Ending.PROMOTED
    full, after = holdout(alike, 100)
    assert look(full, now=promoted_at + timedelta(days=5), **after).ending is Ending.PROMOTED


def test_a_trial_by_weeks_that_nothing_decided_is_put_to_the_operator() -> None:
    """With what was seen; not where one arm had too few weeks, and not for ever."""
    weeks = experiment(risk=Risk.R2, block_days=7, objectives=(Objective(metric="fill-rate"),))
    units = exposures(12, lambda i, _: 0.9 + i % 3 / 100, metric="fill-rate")
    asked = judge(weeks, units, in_order(units), LATER)
    assert (asked.stage, asked.awaits_operator, asked.share) == (Stage.CANARY, True, 0.5)
    assert "your word decides" in asked.reason
    waiting = weeks.model_copy(update={"awaits_operator": True})
    assert judge(waiting, units, in_order(units), LATER + timedelta(days=9)) == asked
    assert judge(waiting, units, in_order(units), LATER + PATIENCE).ending is Ending.EXPIRED
    assert judge(weeks, units[:5], in_order(units[:5]), LATER).ending is Ending.EXPIRED


def test_harm_in_the_holdout_reverts() -> None:
    """What was promoted and then fails goes back to the old version."""
    units, after = holdout(lambda i, candidate: float(not candidate), 60)
    found = look(units, **after)
    assert (found.stage, found.ending, found.share) == (Stage.ENDED, Ending.REVERTED, 0.0)


def test_the_detector_alarms_on_its_own() -> None:
    """A canary that went very well hides a later collapse from the evidence of the whole, not from the detector."""
    units, after = holdout(lambda i, candidate: float(not candidate), 99)
    units[:100] = exposures(100, better)
    found = look(units, **after)
    assert found.evidence.harm["corrected"] < 5 <= 500 <= found.evidence.detector
    assert (found.ending, "after it was promoted" in found.reason) == (Ending.REVERTED, True)


def test_late_results_of_something_ended_change_nothing() -> None:
    """It stays as it ended."""
    ended = experiment(stage=Stage.ENDED, ending=Ending.PROMOTED, share=1.0, reason="done")
    found = judge(ended, exposures(60, worse), [], LATER)
    assert (found.stage, found.ending, found.share, found.reason) == (Stage.ENDED, Ending.PROMOTED, 1.0, "done")


def test_duplicates_count_once() -> None:
    """An exposure or a result that is delivered twice is one exposure, one result."""
    units = exposures(30, worse)
    once = judge(experiment(), units, in_order(units), BEGAN)
    assert judge(experiment(), [*units, *units], [*in_order(units), *in_order(units)], BEGAN) == once


def test_of_contradicting_exposures_the_first_counts() -> None:
    """A unit keeps its arm, whatever is said later."""
    units = exposures(30, worse)
    contradiction = units[0].model_copy(update={"arm": Arm.CONTROL, "rewards": {"corrected": 1.0}})
    assert judge(experiment(), [*units, contradiction], in_order(units), BEGAN) == look(units, now=BEGAN)


def test_a_win_waits_for_results_that_are_late_and_harm_does_not() -> None:
    """The first unit's result is open: the test of a win stops there, that of harm takes what is known."""

    def without_first(reward: Reward) -> Reward:
        return lambda i, candidate: None if i == 0 else reward(i, candidate)

    assert look(exposures(80, without_first(better))).evidence.win == 1.0
    assert look(exposures(80, without_first(worse))).ending is Ending.ROLLED_BACK


def test_what_stays_unknown_is_left_out() -> None:
    """Censored units neither hold up the test of a win nor count in it."""
    units = exposures(80, better)
    units[0] = units[0].model_copy(update={"rewards": {}, "censored": ("corrected",)})
    found = look(units)
    assert (found.stage, found.evidence.matured, found.evidence.exposed) == (Stage.HOLDOUT, 79, 80)


def test_results_of_units_not_read_yet_wait_and_unnamed_ones_come_last() -> None:
    """Two reads of a growing log need not fit each other."""
    units = exposures(30, worse)
    whole = judge(experiment(), units, [*in_order(units), ("run/999", "corrected")], BEGAN)
    assert whole == judge(experiment(), units, [], BEGAN) == look(units, now=BEGAN)


def test_harm_depends_on_the_order_of_results_and_a_win_on_that_of_exposures() -> None:
    """Bad results that come first are weighed first, against the base rate known then."""
    units = exposures(40, worse)
    bad_first = sorted(in_order(units), key=lambda result: next(e for e in units if e.unit == result[0]).rewards["corrected"])
    there, here = judge(experiment(), units, bad_first[:12], BEGAN), judge(experiment(), units, in_order(units), BEGAN)
    assert there.evidence.win == here.evidence.win
    shuffled = judge(experiment(), exposures(14, worse), [("run/12", "corrected"), ("run/4", "corrected")], BEGAN)
    assert shuffled.evidence.harm != look(exposures(14, worse), now=BEGAN).evidence.harm


def test_results_within_the_margin_are_no_harm() -> None:
    """Four points worse, with ten points allowed, is not taken back."""
    units = exposures(300, lambda i, candidate: 0.0 if candidate and i % 50 == 0 else 1.0)
    margin = look(units, objectives=(Objective(metric="corrected", margin=0.1),))
    assert margin.evidence.harm["corrected"] < 1 < look(units).evidence.harm["corrected"]


@pytest.mark.parametrize("metric", ["first-response-minutes", "reopened"])
def test_minutes_and_yes_or_no_are_both_judged(metric: str) -> None:
    """Rewards between 0 and 1 by betting, 0 or 1 by likelihood ratios."""
    low = 0.6 if metric == "first-response-minutes" else 0.0
    units = exposures(80, lambda i, candidate: low if candidate else 0.95 if low else 1.0, metric=metric)
    assert look(units, objectives=(Objective(metric=metric),)).ending is Ending.ROLLED_BACK


def test_the_same_log_gives_the_same_verdict() -> None:
    """Also when it was written and read in between, and the judgement fits the event that records it."""
    units = exposures(60, worse)
    again = [Exposure.model_validate_json(e.model_dump_json()) for e in units]
    assert look(units).model_dump_json() == look(again).model_dump_json()
    event = ExperimentJudged(experiment_id="support@2", at=LATER, **dict(look(units)))
    assert event.fold(experiment()).ending is Ending.ROLLED_BACK
