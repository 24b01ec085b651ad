"""A rule that asks about every one of a kind goes when people surely agree, and only where it can be taken back."""

from typing import Any

import pytest

from domain.actions import Risk
from domain.approvals import ApprovalStatus
from domain.knowledge import InForce
from domain.policies import GatePolicy
from learning.candidates.always_asked import always_asked_candidates, floor_of
from learning.candidates.reviews import Review, reviews_of
from tests.unit.learning.happened import NOW, approval, reply

ALWAYS = "publish-content is always asked"


def gate(*kinds: str) -> InForce[GatePolicy]:
    return InForce("gate", 1, GatePolicy(always_ask=kinds))


def reviews(
    count: int, *, corrected: int = 0, sure: float = 0.55, by_rule: bool = True, kind: str = "publish-content"
) -> list[Review]:
    told: dict[str, Any] = {"kind": kind, "topic": "guide", "held": False, "risk": Risk.R1, "at": NOW, "by_rule": by_rule}
    return [Review(confidence=sure, corrected=n < corrected, run_id=f"content/{n}", **told) for n in range(count)]


def test_the_rule_gives_way_to_a_floor_where_people_surely_agree() -> None:
    """Eighteen without a correction; under what was reviewed it goes on asking, and the operator decides."""
    (candidate,) = always_asked_candidates(reviews(18), gate("publish-content", "send-reply"))
    document = GatePolicy.model_validate(candidate.document)
    assert (document.always_ask, document.minimum_confidence["publish-content"]) == (("send-reply",), 0.55)
    assert (candidate.ratify, candidate.risk) == (True, Risk.R3)
    assert "of 18 that nothing else spoke against you changed 0" in candidate.why


@pytest.mark.parametrize("told", [reviews(17), reviews(40, corrected=3), reviews(60, by_rule=False), reviews(60, sure=0.3)])
def test_the_rule_stays_where_the_record_does_not_carry_it(told: list[Review]) -> None:
    """Too few, too often corrected, held for other reasons, or less sure than any floor may be."""
    assert always_asked_candidates(told, gate("publish-content")) == ()


@pytest.mark.parametrize("kind", ["send-reply", "refund-order", "place-purchase-order"])
def test_what_cannot_be_taken_back_stays_asked(kind: str) -> None:
    """However often people agreed."""
    assert always_asked_candidates(reviews(200, kind=kind), gate(kind)) == ()


def test_the_floor_is_no_lower_than_what_people_agree_to() -> None:
    """Good pages above, corrected ones below."""
    told = [*reviews(40, sure=0.8), *reviews(40, sure=0.6, corrected=12)]
    (candidate,) = always_asked_candidates(told, gate("publish-content"))
    assert candidate.document["minimum_confidence"]["publish-content"] == 0.8


def test_what_is_always_asked_has_a_floor_that_nothing_reaches() -> None:
    """So that a replay sees what the rule does."""
    assert floor_of(GatePolicy(always_ask=("publish-content",)), "publish-content") > 1
    assert floor_of(GatePolicy(), "send-reply") == 0.75


def test_a_review_is_by_rule_where_nothing_about_the_action_made_us_ask() -> None:
    """The mode, a sample, the kind and want of confidence are rules; a doubt of the planner or the auditor is none."""
    told = [
        ("the mode is ask", ALWAYS, "confidence 0.55 is under 0.80"),
        ("a sample of what Steward does alone",),
        ("the mode is ask", "'oak' is a material that no fact supports", ALWAYS),
    ]
    decided = [approval(reply("We ship."), ApprovalStatus.APPROVED, number=n, gate=why) for n, why in enumerate(told)]
    assert [r.by_rule for r in reviews_of(decided)] == [True, True, False]
