"""Gaps and contradictions in the shop's own data become questions, once each."""

from domain.failures import Failure, RootCause
from domain.knowledge import Dispute
from domain.money import Money
from learning.candidates.data import lead_time_fixes, questions
from tests.unit.learning.happened import MUG, SUPPLIER, VASE, delivery, failure


def gap(number: int, ref: str = "product/MUG-1#care") -> Failure:
    return failure(number, cause=RootCause.DATA_MISSING, mode="missing fact: care", ref=ref, metric="unaided")


def test_a_gap_that_two_customers_met_becomes_one_question() -> None:
    """With a key of its own, so that whoever asks can see that it was asked."""
    (question,) = questions([gap(1), gap(2), gap(3)], products=(MUG, VASE))
    assert question.key == "question/product/MUG-1#care"
    assert question.text == "what is the care of Stoneware mug (MUG-1)? It was needed 3 times and is not known"
    assert "MUG-1" in question.what_to_do
    assert question.examples == ("support/t-3", "support/t-2", "support/t-1")


def test_asking_again_gives_the_same_key() -> None:
    """More cases change the text, not the key."""
    assert questions([gap(1), gap(2)])[0].key == questions([gap(n) for n in range(9)])[0].key


def test_a_gap_that_one_customer_met_is_not_worth_a_question() -> None:
    """However often that customer writes."""
    assert questions([gap(1), gap(1).model_copy(update={"failure_id": "other"})]) == ()


def test_what_orders_lack_in_general_is_one_question() -> None:
    """Not one for each order; and a failure that is no data's is none of this."""
    (question,) = questions([gap(n, ref="order#tracking") for n in range(5)])
    assert question.text == "orders come without tracking, which was needed 5 times: can it be in what you import?"
    assert questions([failure(n, ref="policy/support#languages", cause=RootCause.POLICY_GAP) for n in range(5)]) == ()


def test_two_sources_that_disagree_are_a_question() -> None:
    """It says who says what; its key names the fact, so it is asked once."""
    sources = {"source": "connection/shop", "other_source": "import"}
    dispute = Dispute(subject="product/MUG-1", predicate="price", believed="21 EUR", other="19 EUR", **sources)
    (question,) = questions([], products=(MUG,), disputes=[dispute])
    assert question.key == "question/product/MUG-1#price"
    assert "the price of Stoneware mug (MUG-1): the connection shop says '21 EUR', a file you imported '19 EUR'" in question.text


def test_a_price_under_the_cost_is_a_question() -> None:
    """For a product that is sold."""
    cheap = MUG.model_copy(update={"price": Money.of(5)})
    assert [q.ref for q in questions([], products=(cheap, VASE))] == ["product/MUG-1#price"]
    assert questions([], products=(cheap.model_copy(update={"active": False}),)) == ()


def test_a_supplier_who_takes_surely_longer_than_stated_is_listed_anew() -> None:
    """By the deliveries, drawn towards what is stated while they are few."""
    (fix,) = lead_time_fixes([SUPPLIER], [delivery(n, days=12 + n % 2) for n in range(6)])
    assert 10 < fix.supplier.lead_time_days < 12.5
    assert "states 7 days, but the last 6 deliveries took 12.5 on average" in fix.question.text
    assert fix.supplier.email == SUPPLIER.email


def test_a_lead_time_that_only_scatters_is_left_alone() -> None:
    """And so is one that too few deliveries speak against."""
    assert lead_time_fixes([SUPPLIER], [delivery(n, days=days) for n, days in enumerate((2, 14, 3, 13, 8))]) == ()
    assert lead_time_fixes([SUPPLIER], [delivery(n, days=20) for n in range(2)]) == ()
