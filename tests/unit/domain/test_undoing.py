"""What undoing a run would do, worked out from its effects."""

from datetime import UTC, datetime

import pytest

from domain.actions import Action, CancelOrder, PlacePurchaseOrder, SendReply
from domain.decisions import Diff
from domain.effects import Effect, EffectStatus
from domain.entities import PurchaseOrder, PurchaseOrderLine, PurchaseOrderStatus
from domain.money import Money
from domain.undoing import undoing

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
CANCEL = CancelOrder(order_id="1001", reason="asked")
REPLY = SendReply(ticket_id="t", message_id="m", to="a@example.org", sender="s@example.org", subject="s", body="b")


def effect(key: str, action: Action, *, status: EffectStatus = EffectStatus.COMMITTED, compensates: str = "") -> Effect:
    diff = Diff(record=action.stream, record_version="1", before={"status": "paid"}, after={})
    return Effect(
        key=key,
        connector="shop",
        run_id="r",
        workflow="support",
        step="s",
        action=action,
        diff=diff,
        status=status,
        compensates=compensates,
        reserved_at=NOW,
        updated_at=NOW,
    )


def test_what_has_an_inverse_is_undone_and_the_rest_stays() -> None:
    """In the order of the ledger, newest first, with the reason for what stays."""
    plan = undoing([effect("2", REPLY), effect("1", CANCEL)])
    assert [(u.effect.key, u.inverse.kind) for u in plan.undo] == [("1", "reinstate-order")]
    assert [stay.effect.key for stay in plan.stays] == ["2"]
    assert "irreversible" in plan.stays[0].why


def test_only_what_stands_is_undone() -> None:
    """Not what failed, was undone already, or undid something itself."""
    gone = [effect(s.value, CANCEL, status=s) for s in EffectStatus if s is not EffectStatus.COMMITTED]
    plan = undoing([*gone, effect("x", CANCEL, compensates="y")])
    assert (plan.undo, plan.stays) == ((), ())


@pytest.mark.parametrize("status", PurchaseOrderStatus)
def test_only_an_order_on_its_way_is_cancelled(status: PurchaseOrderStatus) -> None:
    """What has arrived is on the shelf, what was cancelled is off: cancelling takes units off that others promised."""
    line = PurchaseOrderLine(sku="MUG", title="Mug", units=100, unit_cost=Money.of(1))
    order = PurchaseOrder(purchase_order_id="po-1", supplier_id="north", lines=(line,), ordered_at=NOW, expected_at=NOW)
    place = effect("1", PlacePurchaseOrder(purchase_order=order, to="north@example.org", sender="hello@clay.example"))
    plan = undoing([place], orders=[order.model_copy(update={"status": status})])
    on_its_way = status in (PurchaseOrderStatus.SENT, PurchaseOrderStatus.LATE)
    assert (len(plan.undo), [stay.why for stay in plan.stays]) == (
        (1, []) if on_its_way else (0, [f"the order is {status} already"])
    )


def test_the_digest_names_exactly_these_effects() -> None:
    """One more, or one less, is another one; the order does not matter."""
    one, two = effect("1", CANCEL), effect("2", REPLY)
    assert undoing([one, two]).digest == undoing([two, one]).digest
    assert undoing([one, two]).digest != undoing([one]).digest


def test_money_or_stock_is_known_by_the_risk() -> None:
    """Of what was done or of what undoes it."""
    assert undoing([effect("1", CANCEL)]).moves_money
    assert not undoing([effect("2", REPLY)]).moves_money


def test_what_nobody_knows_may_be_money_too() -> None:
    """It is found out first, and undone where it happened; what failed is not, nor what undid something."""
    for status, money in ((EffectStatus.UNKNOWN, True), (EffectStatus.EXECUTING, True), (EffectStatus.FAILED, False)):
        assert undoing([effect("1", CANCEL, status=status)]).moves_money is money
    assert not undoing([effect("1", CANCEL, status=EffectStatus.UNKNOWN, compensates="0")]).moves_money
    assert not undoing([effect("2", REPLY, status=EffectStatus.UNKNOWN)]).moves_money
