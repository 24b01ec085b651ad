"""Thresholds move with what people say, both ways, and only as far as they said it."""

from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from domain.actions import Risk
from domain.approvals import ApprovalStatus
from domain.knowledge import InForce
from domain.labels import Label, LabelSource
from domain.policies import GatePolicy, RoutingPolicy, SupportPolicy
from learning.candidates.reviews import Review, intent_reviews, reviews_of, upper_bound
from learning.candidates.thresholds import gate_candidates, moved, routing_candidate
from tests.unit.learning.happened import NOW, approval, handed_over, reply

GATE = InForce("gate", 3, GatePolicy())
ROUTING = InForce("routing", 0, RoutingPolicy())


def reviews(count: int, *, sure: float, corrected: int = 0, held: bool = True, start: int = 0) -> list[Review]:
    return [
        Review(
            kind="send-reply",
            topic="late",
            confidence=sure,
            corrected=n < corrected,
            held=held,
            risk=Risk.R1,
            run_id=f"support/t-{start + n}",
            at=NOW,
        )
        for n in range(count)
    ]


def test_a_floor_is_lowered_where_people_keep_agreeing() -> None:
    """To what was reviewed and no further; the operator ratifies, because the gate is of the highest risk."""
    (candidate,) = gate_candidates(reviews(40, sure=0.71), GATE)
    assert candidate.document["minimum_confidence"]["send-reply"] == 0.7
    assert (candidate.risk, candidate.ratify, candidate.parent) == (Risk.R3, True, 3)
    assert [o.metric for o in candidate.objectives] == ["unaided", "corrected"]
    assert "of 40 decisions about send-reply between the two, you changed 0" in candidate.why


def test_a_floor_is_raised_where_people_keep_correcting() -> None:
    """Up to where the rest is fine."""
    (candidate,) = gate_candidates([*reviews(20, sure=0.76, corrected=12), *reviews(50, sure=0.9, start=50)], GATE)
    assert candidate.document["minimum_confidence"]["send-reply"] == 0.8
    assert candidate.objectives[0].metric == "corrected"


def test_only_the_floor_of_that_kind_changes() -> None:
    """Everything else of the gate stays as it is."""
    (candidate,) = gate_candidates(reviews(40, sure=0.71), GATE)
    before = GATE.document.model_dump(mode="json")
    assert {**candidate.document, "minimum_confidence": before["minimum_confidence"]} == before


def test_good_reviews_high_above_say_nothing_about_those_under_the_floor() -> None:
    """A thousand easy cases do not hide three of four that were wrong."""
    easy = reviews(1_000, sure=0.99)
    assert gate_candidates([*easy, *reviews(4, sure=0.71, corrected=3, start=2_000)], GATE) == ()
    assert gate_candidates(easy, GATE) == ()


def test_a_floor_that_holds_nothing_up_is_not_lowered() -> None:
    """Where the mode asks anyway, another floor would only be one more question."""
    assert gate_candidates(reviews(40, sure=0.71, held=False), GATE) == ()


def test_a_few_agreements_are_not_enough() -> None:
    """Seventeen leave it open whether one in ten is wrong; eighteen do not (Jeffreys' upper bound)."""
    assert moved(reviews(17, sure=0.71), 0.75, limit=0.1) is None
    assert moved(reviews(18, sure=0.71), 0.75, limit=0.1) is not None


def test_the_bound_is_the_posteriors_quantile() -> None:
    """Beta(1/2 + corrected, 1/2 + the rest)."""
    assert upper_bound(3, 50, 0.95) == beta(3.5, 47.5).ppf(0.95)


def test_a_floor_that_is_right_stays() -> None:
    """Corrections under it, agreement above it."""
    assert moved([*reviews(30, sure=0.72, corrected=10), *reviews(60, sure=0.8, corrected=1)], 0.75, limit=0.1) is None


@given(st.lists(st.tuples(st.floats(0.3, 1), st.booleans()), max_size=60), st.sampled_from([0.5, 0.6, 0.75, 0.9]))
def test_a_floor_never_leaps(told: list[tuple[float, bool]], floor: float) -> None:
    """Whatever people say, it moves by three steps at most and stays within its bounds."""
    seen = [review for sure, wrong in told for review in reviews(1, sure=sure, corrected=int(wrong))]
    move = moved(seen, floor, limit=0.1)
    assert move is None or (abs(move.floor - floor) < 0.151 and 0.4 <= move.floor <= 0.95 and move.floor != floor)


def test_reviews_are_what_a_person_decided_about_a_written_action() -> None:
    """Neither what expired nor a reply that nobody had written."""
    decided = [
        approval(reply("We ship today."), number=1, confidence=0.8),
        approval(reply("We ship today."), ApprovalStatus.REJECTED, number=2, said="no", confidence=0.7),
        approval(reply("We ship today."), ApprovalStatus.EXPIRED, number=3),
        handed_over("complaint is always answered by a person", number=4),
    ]
    assert [(r.confidence, r.corrected) for r in reviews_of(decided)] == [(0.8, False), (0.7, True)]


def test_routing_is_lowered_where_unsure_intents_were_right() -> None:
    """Also those that were handed over for want of confidence: a label says what they were."""
    unsure = [handed_over("the intent is not clear (late, 56%)", number=n, topic="late", confidence=0.56) for n in range(30)]
    labels = [Label(ticket_id=f"t-{n}", text="", intent="late", source=LabelSource.AUDITED, by="o", at=NOW) for n in range(30)]
    seen = intent_reviews(unsure, tickets=(), labels=labels, support=SupportPolicy())
    candidate = routing_candidate(seen, ROUTING)
    assert candidate
    assert candidate.document["local_confidence"] == 0.55
    assert (candidate.risk, candidate.ratify, candidate.objectives[0].metric) == (Risk.R1, False, "unaided")


def test_routing_is_raised_where_sure_intents_were_wrong() -> None:
    """The operator named another intent."""
    wrong = [
        approval(reply("We ship."), ApprovalStatus.REJECTED, number=n, said="intent: damaged", confidence=0.62) for n in range(10)
    ]
    candidate = routing_candidate(intent_reviews(wrong, tickets=(), labels=(), support=SupportPolicy()), ROUTING)
    assert candidate
    assert candidate.document["local_confidence"] > 0.6
