import pytest

from demo.simulation.truth import Asked, judge
from domain.actions import CancelOrder, ChangeAddress, RefundOrder
from domain.entities import Address
from domain.money import Money
from tests.unit.demo.simulated import reply, truth

HOME = Address(name="Ada Abel", line1="Elm Road 3", postcode="10115", city="Berlin", country="DE")


def refund(amount: int, order_id: str = "20123") -> RefundOrder:
    return RefundOrder(order_id=order_id, amount=Money.of(amount), reason="damaged")


def test_a_refund_of_what_is_due_is_right() -> None:
    """Less is right too: more is what must not happen."""
    due = truth("damaged", refund=Money.of(20))
    assert judge(refund(20), due, intent="damaged").right
    assert judge(refund(15), due, intent="damaged").right


@pytest.mark.parametrize("paid", [refund(21), refund(20, "20999")])
def test_a_refund_of_more_or_to_another_order_is_a_severe_miss(paid: RefundOrder) -> None:
    """Money that went the wrong way."""
    found = judge(paid, truth("damaged", refund=Money.of(20)), intent="damaged")
    assert (found.right, found.severe) == (False, True)


def test_a_refund_that_nobody_is_owed_is_a_severe_miss() -> None:
    """Somebody who only asks where the parcel is gets no money."""
    assert judge(refund(1), truth("late"), intent="damaged").severe


def test_an_order_is_cancelled_for_who_asked_for_it_only() -> None:
    """Taking another mail for a cancellation is a severe miss."""
    cancel = CancelOrder(order_id="20123", reason="asked")
    assert judge(cancel, truth("cancel", cancel=True), intent="cancel").right
    assert judge(cancel, truth("late"), intent="cancel").severe


def test_a_parcel_goes_where_the_customer_wants_it() -> None:
    """The street, postcode and town count."""
    wanted = truth("change-address", address=HOME)
    elsewhere = HOME.model_copy(update={"line1": "Mill Lane 4"})
    assert judge(ChangeAddress(order_id="20123", address=HOME), wanted, intent="change-address").right
    assert judge(ChangeAddress(order_id="20123", address=elsewhere), wanted, intent="change-address").severe


def test_an_answer_to_another_question_is_wrong() -> None:
    """But one to a question with the same answer is right."""
    assert judge(reply(), truth("late"), intent="where-is-my-order").right
    assert not judge(reply(), truth("late"), intent="damaged").right


def test_an_answer_about_another_order_is_wrong() -> None:
    """Even where the question was understood."""
    assert judge(reply(order__20123__status="shipped"), truth("late"), intent="late").right
    assert not judge(reply(order__20999__status="shipped"), truth("late"), intent="late").right


def test_asking_for_the_number_is_right_only_where_it_was_not_given() -> None:
    """The customer answers it then."""
    asks = reply("Could you tell us the order number?")
    assert judge(asks, truth("late", given=frozenset()), intent="late").asks is Asked.ORDER
    assert not judge(asks, truth("late"), intent="late").right


@pytest.mark.parametrize("intent", ["complaint", "out-of-scope", "hostile", "spam"])
def test_some_mails_want_a_person_or_nobody(intent: str) -> None:
    """Whatever the rules write is wrong, even where they know what it is."""
    assert not judge(reply(), truth(intent), intent=intent).right
