"""The fix queue: what comes first, what counts at all, and why it says so."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.actions import Risk
from domain.experiments import Ending, Experiment, Objective, Stage
from domain.failures import Failure, RootCause
from learning.fix_queue import rank
from learning.fixability import Fixability, learned
from tests.unit.learning.happened import DAY, NOW, failure

KNOWN = Fixability()


def several(cause: RootCause, *, start: int, count: int = 3, **more: object) -> list[Failure]:
    return [failure(n, cause=cause, mode=f"{cause} {start}", **more) for n in range(start, start + count)]


def test_data_comes_before_policy_before_prompt_before_model() -> None:
    """However dear the later ones are."""
    causes = [RootCause.MODEL, RootCause.PROMPT, RootCause.POLICY_WRONG, RootCause.DATA_MISSING]
    found = [f for i, cause in enumerate(causes) for f in several(cause, start=10 * i, cost=100.0 - 30 * i)]
    assert [item.cause for item in rank(found, now=NOW, fixability=KNOWN)] == causes[::-1]


def test_the_dearer_of_two_of_a_kind_comes_first() -> None:
    """By cases, cost, recency and effort together."""
    cheap, dear = several(RootCause.MODEL, start=0, cost=1.0), several(RootCause.MODEL, start=10, cost=2.0)
    old = several(RootCause.MODEL, start=20, cost=2.0, at=NOW - 20 * DAY)
    assert [item.mode for item in rank([*old, *cheap, *dear], now=NOW, fixability=KNOWN)] == ["model 10", "model 0", "model 20"]


def test_a_score_is_the_formula() -> None:
    """Cases x cost x P(fixable) x recency / effort."""
    (item,) = rank(several(RootCause.MODEL, start=0, count=5, cost=3.0, at=NOW - 14 * DAY), now=NOW, fixability=KNOWN)
    assert (item.cases, item.recency) == (5, 0.5)
    assert item.score == pytest.approx(5 * 3.0 * 0.3 * 0.5 / item.effort)


def test_three_failures_of_one_run_are_one_case() -> None:
    """They are not independent."""
    same = [failure(n, run_id="support/t-1") for n in range(3)]
    assert rank(same, now=NOW, fixability=KNOWN) == ()
    assert len(rank(several(RootCause.MODEL, start=0), now=NOW, fixability=KNOWN)) == 1


def test_one_severe_case_is_enough() -> None:
    """And is named in the reason."""
    (item,) = rank([failure(1, severe=True, cost=40.0)], now=NOW, fixability=KNOWN)
    assert (item.cases, item.severe) == (1, 1)
    assert "it happened once in 30 days, 1 of them severe" in item.why


def test_what_is_old_or_not_explained_does_not_count() -> None:
    """Thirty days, and a label that somebody is sure of."""
    old = several(RootCause.MODEL, start=0, at=NOW - 31 * DAY)
    unsure = several(RootCause.HUMAN, start=10, confidence=0.0)
    assert rank([*old, *unsure], now=NOW, fixability=KNOWN) == ()


def test_the_reason_holds_the_numbers() -> None:
    """So that the owner can check the order."""
    (item,) = rank(several(RootCause.DATA_MISSING, start=0, count=4), now=NOW, fixability=KNOWN)
    assert "it happened 4 times in 30 days, costs about 2.00 each time" in item.why
    assert "9 times in 10" in item.why


@given(st.permutations(several(RootCause.MODEL, start=0, count=4) + several(RootCause.POLICY_GAP, start=10, count=4, cost=0.1)))
def test_the_order_in_which_failures_come_in_does_not_matter(found: list[Failure]) -> None:
    """The same queue, to the last digit."""
    assert rank(found, now=NOW, fixability=KNOWN) == rank(sorted(found, key=lambda f: f.failure_id), now=NOW, fixability=KNOWN)


@given(st.integers(3, 20), st.floats(0.1, 100), st.floats(0, 29))
def test_more_cases_never_rank_lower(count: int, cost: float, days: float) -> None:
    """One more case of the same age raises the score."""
    at = NOW - timedelta(days=days)
    fewer = rank(several(RootCause.MODEL, start=0, count=count, cost=cost, at=at), now=NOW, fixability=KNOWN)
    more = rank(several(RootCause.MODEL, start=0, count=count + 1, cost=cost, at=at), now=NOW, fixability=KNOWN)
    assert more[0].score > fewer[0].score


def trial(ending: Ending | None, cause: RootCause | None = RootCause.MODEL) -> Experiment:
    return Experiment(
        experiment_id="triage@2",
        policy="triage",
        control=1,
        candidate=2,
        risk=Risk.R1,
        objectives=(Objective(metric="corrected"),),
        salt="s",
        level=0.05,
        cause=cause,
        stage=Stage.ENDED if ending else Stage.CANARY,
        started_at=NOW,
        expires_at=NOW,
        ending=ending,
    )


def test_before_anything_is_known_data_is_the_surest_to_mend() -> None:
    """Then policy, prompt, model."""
    order = [RootCause.DATA_MISSING, RootCause.POLICY_WRONG, RootCause.PROMPT, RootCause.MODEL]
    chances = [KNOWN.probability(cause) for cause in order]
    assert chances == sorted(chances, reverse=True)
    assert len(set(chances)) == 4


def test_past_fixes_teach_what_is_fixable() -> None:
    """A promotion raises it, a rollback lowers it; one that was stopped, or still runs, says nothing."""
    base = KNOWN.probability(RootCause.MODEL)
    assert learned([trial(Ending.PROMOTED)]).probability(RootCause.MODEL) == pytest.approx((3 + 1) / 11)
    assert learned([trial(Ending.ROLLED_BACK)]).probability(RootCause.MODEL) == pytest.approx(3 / 11)
    assert learned([trial(Ending.STOPPED), trial(None), trial(Ending.PROMOTED, cause=None)]).probability(RootCause.MODEL) == base


def test_unanswered_questions_teach_that_data_is_harder_to_mend() -> None:
    """All three causes of data share what is learned from questions."""
    ignored = learned([], questions_ignored=20)
    assert ignored.probability(RootCause.DATA_WRONG) < KNOWN.probability(RootCause.DATA_WRONG) / 2
