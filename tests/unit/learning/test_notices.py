"""What waits is told once, in words that may leave the house."""

from datetime import timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from domain.actions import Action, ChangeAddress, PlacePurchaseOrder, PublishContent, RefundOrder, SendReply
from domain.approvals import ApprovalStatus
from domain.entities import Address, ContentPiece, PurchaseOrder, PurchaseOrderLine
from domain.money import Money
from domain.policies import AttentionPolicy
from domain.runs import Alert, AlertLevel
from learning.notices import notices
from tests.unit.learning.happened import reply
from tests.unit.learning.waiting import NOON, alert, question, refund

POLICY = AttentionPolicy()
SECRET = "Zaphod"  # stands in for every word of a stranger
HOSTILE = st.tuples(st.text(max_size=20), st.text(max_size=20)).map(SECRET.join)


def test_a_question_asked_anew_is_the_same_notice() -> None:
    """Run and step tell what it is about; the older age counts."""
    old = question(refund(), at=NOON - timedelta(hours=2))
    anew = question(refund(), number=1).model_copy(update={"approval_id": "a-2"})
    (one,) = notices([old, anew], [], policy=POLICY, now=NOON)
    assert (one.count, one.at, len(one.about)) == (2, old.requested_at, 2)


def test_alerts_of_a_kind_are_one_line() -> None:
    """Each adds to what is at stake."""
    single = notices([], [alert("ticket/1")], policy=POLICY, now=NOON)[0]
    assert single.text == "a ticket is with you"
    (folded,) = notices([], [alert(f"ticket/{n}") for n in range(5)], policy=POLICY, now=NOON)
    assert (folded.text, folded.key, folded.count) == ("5 tickets are with you", single.key, 5)
    assert folded.value_at_risk == 5 * single.value_at_risk


def test_urgent_alerts_stand_alone() -> None:
    """None hides behind another."""
    raised = [alert(f"unknown/{n}", AlertLevel.URGENT) for n in range(2)] + [alert("unknown/3")]
    assert sorted(n.key for n in notices([], raised, policy=POLICY, now=NOON)) == ["unknown", "unknown/0", "unknown/1"]


def test_an_escalation_is_part_of_its_question_and_urgent_where_money_hangs_on_it() -> None:
    """A reply that waits for long is no emergency."""
    asked = [question(refund(), escalated=True), question(reply("yes", number=2), number=2, escalated=True)]
    raised = [alert("approval/a-1", AlertLevel.URGENT), alert("approval/decided", AlertLevel.URGENT)]
    found = notices(asked, raised, policy=POLICY, now=NOON)
    assert [n.level for n in found] == [AlertLevel.URGENT, AlertLevel.WARNING]


def test_what_is_decided_closed_or_snoozed_does_not_wait() -> None:
    """A snooze that is over does."""
    asleep = question(snoozed_until=NOON + timedelta(hours=1))
    gone = [question(number=2, status=ApprovalStatus.APPROVED), asleep]
    assert notices(gone, [alert(open=False)], policy=POLICY, now=NOON) == ()
    assert len(notices(gone, [], policy=POLICY, now=NOON + timedelta(hours=1))) == 1


def test_money_and_minutes_are_on_one_scale() -> None:
    """A refund of 20 that takes half an hour to make good, at 30 an hour, is worth 35."""
    (one,) = notices([question(refund(amount=20))], [], policy=POLICY, now=NOON)
    assert one.value_at_risk == 35.0
    assert one.text == "a refund waits for your word (20.00 EUR)"


def test_the_customers_own_words_press() -> None:
    """By the run that the question is of."""
    asked = [question(number=1), question(number=2)]
    found = notices(asked, [], policy=POLICY, now=NOON, pressing={"support/t-2"})
    assert [n.pressing for n in found] == [False, True]


def _actions(text: str) -> list[Action]:
    line = PurchaseOrderLine(sku=text, title=text, units=1, unit_cost=Money.of(3), why=text)
    order = PurchaseOrder(purchase_order_id=text, supplier_id=text, lines=(line,), ordered_at=NOON, expected_at=NOON)
    address = Address(name=text, line1=text, postcode=text, city=text, country="DE")
    return [
        SendReply(ticket_id=text, message_id=text, to=text, sender=text, subject=text, body=text),
        SendReply(ticket_id=text, message_id=text, to=text, sender=text, subject=text, body=""),
        RefundOrder(order_id=text, amount=Money.of(5), reason=text),
        ChangeAddress(order_id=text, address=address),
        PlacePurchaseOrder(purchase_order=order, to=text, sender=text),
        PublishContent(piece=ContentPiece(slug="zaphod", kind="faq", title=text, description=text, keyword=text, body=text)),
    ]


@example(f"/{SECRET}", [""])
@given(HOSTILE, st.lists(st.sampled_from(["", "ticket/", "restless/", "late/", "ratify/", "nobody-knows/"]), max_size=4))
def test_nothing_a_stranger_wrote_stands_in_a_notice(text: str, kinds: list[str]) -> None:
    """Whatever field it was written in."""
    asked = [question(action, number=n) for n, action in enumerate(_actions(text))]
    raised = [Alert(key=f"{k}{text}{n}", level=AlertLevel.WARNING, text=text, at=NOON) for n, k in enumerate(kinds)]
    found = notices(asked, raised, policy=POLICY, now=NOON)
    assert len(found) >= len(asked)
    for one in found:
        assert SECRET.lower() not in (one.text + one.what_to_do).lower()
        assert (one.text + one.what_to_do).isprintable()
