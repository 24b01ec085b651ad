"""Candidates from back-tests, clicks, labels and reviews."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from scipy.stats import beta

from domain.actions import Risk
from domain.autonomy import ClassRecord, Grant
from domain.failures import RootCause
from domain.knowledge import InForce
from domain.labels import Label, LabelSource
from domain.money import Money
from domain.policies import AutonomyPolicy, ContentPolicy, StockPolicy, SupportPolicy, TriagePolicy
from learning.autonomy import without_what_is_lost
from learning.candidates.autonomy import autonomy_candidates
from learning.candidates.drafting import drafted
from learning.candidates.stock import stock_candidate
from learning.candidates.titles import title_candidate
from learning.candidates.triage import Comparison, triage_candidate
from tests.unit.learning.happened import NOW

AUTONOMY = InForce("autonomy", 1, AutonomyPolicy())
KEY = "support/send-reply/late/no-money"


@dataclass(frozen=True)
class Found:
    policy: StockPolicy
    changed: bool = True
    sure: float = 0.995
    explanation: str = "it would have cost 100.00 less"


def test_a_better_stock_policy_is_tried_by_weeks() -> None:
    """Because orders of one week stand on the shelf in the next."""
    candidate = stock_candidate(Found(StockPolicy(service_level=0.98)), InForce("stock", 1, StockPolicy()))
    assert candidate
    assert (candidate.block_days, candidate.risk, candidate.ratify) == (7, Risk.R2, False)
    assert candidate.document["service_level"] == 0.98


def test_a_stock_policy_that_stays_is_no_candidate() -> None:
    """The back-test kept the incumbent, or found the same one."""
    incumbent = InForce("stock", 1, StockPolicy())
    assert stock_candidate(Found(StockPolicy(service_level=0.98), changed=False), incumbent) is None
    assert stock_candidate(Found(StockPolicy()), incumbent) is None


def test_titles_without_evidence_stay() -> None:
    """No page was shown yet."""
    assert title_candidate([], InForce("content", 0, ContentPolicy())) is None


def labels(count: int) -> list[Label]:
    times = [NOW + n * timedelta(hours=1) for n in range(count)]
    return [Label(ticket_id=f"t-{at}", text="", intent="late", source=LabelSource.CORRECTED, by="o", at=at) for at in times]


def test_a_refit_that_wins_is_proposed_with_the_labels_it_knows() -> None:
    """The policy says up to when it was taught."""
    candidate = triage_candidate(labels(12), InForce("triage", 0, TriagePolicy()), Comparison(wins=7, losses=1, compared=60))
    assert candidate
    assert TriagePolicy.model_validate(candidate.document) == TriagePolicy(taught_until=labels(12)[-1].at, labels=12)
    assert candidate.expected == 0.1


def test_a_refit_without_new_labels_or_without_gain_is_not_proposed() -> None:
    """Ten new ones, and more wins than losses."""
    known = InForce("triage", 0, TriagePolicy(taught_until=labels(12)[4].at))
    assert triage_candidate(labels(12), known, Comparison(wins=7, losses=1, compared=60)) is None
    fresh = InForce("triage", 0, TriagePolicy())
    assert triage_candidate(labels(12), fresh, Comparison(wins=3, losses=3, compared=60)) is None


@pytest.mark.parametrize(("approved", "corrected"), [(9, 0), (8, 0), (19, 1), (18, 1), (60, 3), (200, 32)])
def test_a_class_is_proposed_exactly_when_its_upper_bound_is_under_the_limit(approved: int, corrected: int) -> None:
    """The 90% quantile of Beta(1/2 + corrected, 1/2 + approved), against 0.15 for texts."""
    record = ClassRecord(key=KEY, approved=approved, corrected=corrected)
    earned = beta(0.5 + corrected, 0.5 + approved).ppf(0.9) < 0.15
    assert bool(autonomy_candidates([record], AUTONOMY, now=NOW)) is bool(earned)


def test_an_earned_class_adds_one_grant_that_the_operator_ratifies() -> None:
    """With a share that stays a question."""
    (candidate,) = autonomy_candidates([ClassRecord(key=KEY, approved=40)], AUTONOMY, now=NOW)
    assert (candidate.ratify, candidate.risk, candidate.scope) == (True, Risk.R3, ("late",))
    assert set(candidate.document["grants"]) == {KEY}
    assert candidate.document["grants"][KEY]["sample"] == 0.1
    assert "of 40 you looked at you changed 0" in candidate.why


def test_a_class_is_proposed_neither_twice_nor_against_the_operators_will() -> None:
    """Nor is a kind of action that is too dangerous."""
    record = ClassRecord(key=KEY, approved=400)
    granted = AutonomyPolicy(grants={KEY: Grant(key=KEY, limit=0.1, sample=0.1, earned_at=NOW)})
    policies = [granted, AutonomyPolicy(refused=(KEY,)), AutonomyPolicy(most_severe=Risk.R0)]
    assert [autonomy_candidates([record], InForce("autonomy", 1, p), now=NOW) for p in policies] == [(), (), ()]


def test_after_a_severe_miss_three_times_as_many_reviews_are_needed() -> None:
    """Old approvals never outweigh it."""
    early = ClassRecord(key=KEY, approved=500, severe=1, since_severe=26)
    late = early.model_copy(update={"since_severe": 27})
    assert autonomy_candidates([early], AUTONOMY, now=NOW) == ()
    assert len(autonomy_candidates([late], AUTONOMY, now=NOW)) == 1


def test_a_severe_miss_takes_the_grant_away() -> None:
    """And so do corrections that raise the bound over the limit; otherwise it stays."""
    policy = AutonomyPolicy(grants={KEY: Grant(key=KEY, limit=0.1, sample=0.1, earned_at=NOW)})
    severe = ClassRecord(key=KEY, approved=500, corrected=1, severe=1)
    often = ClassRecord(key=KEY, approved=40, corrected=5, since_severe=45)
    assert without_what_is_lost(policy, severe) == without_what_is_lost(policy, often) == AutonomyPolicy()
    assert without_what_is_lost(policy, ClassRecord(key=KEY, approved=100, corrected=1, since_severe=101)) is None


def test_a_change_of_money_in_the_support_policy_is_of_higher_risk() -> None:
    """A text is R1, a limit of refunds is R2."""
    incumbent = InForce("support", 0, SupportPolicy())
    told: dict[str, Any] = {"why": "w", "cause": RootCause.POLICY_WRONG, "metrics": ("corrected",)}
    assert drafted(incumbent, SupportPolicy(refund_limit=Money.of(40)), **told).risk is Risk.R2
    assert drafted(incumbent, SupportPolicy(languages=("en", "de")), **told).risk is Risk.R1
