"""What arrives, and what a connected shop is to be told of it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from domain.actions import AdjustStock, Capability, Receipt
from domain.catalogue import fold
from domain.connections import Connection, ConnectionMode
from domain.deliveries import SET_IT_THERE, Arrival, arrivals, arrived, restocking, shop_to_tell, untold
from domain.entities import PurchaseOrder, PurchaseOrderLine, PurchaseOrderStatus, Stock
from domain.errors import InvalidInput, Permanent
from domain.event import Topic, Wake
from domain.events import PurchaseOrderReceived, StockCounted
from domain.money import Money

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
MUGS = Arrival(purchase_order_id="po-1", supplier_id="north", sku="MUG", title="Moss mug", units=30, on_hand=18 + 30)


def line(sku: str, units: int, title: str = "") -> PurchaseOrderLine:
    return PurchaseOrderLine(sku=sku, title=title, units=units, unit_cost=Money.of(4))


def order(*lines: PurchaseOrderLine, **given: Any) -> PurchaseOrder:
    about = {"purchase_order_id": "po-1", "supplier_id": "north", "ordered_at": NOW, "expected_at": NOW}
    return PurchaseOrder.model_validate({**about, "lines": lines, **given})


def connection(mode: ConnectionMode, *serves: Capability) -> Connection:
    return Connection(name="shop", kind="woocommerce", mode=mode, serves=serves)


def stock(on_hand: int) -> Stock:
    return Stock(sku="MUG", on_hand=on_hand)


def adjusted(there: int, **given: Any) -> AdjustStock:
    action = restocking(MUGS, there=there, **given).action
    assert isinstance(action, AdjustStock)
    return action


def test_an_arrival_wakes_whoever_tells_the_shop() -> None:
    """Once an order, and not a second time: it is over."""
    came = order(line("MUG", 30))
    received = next(e for e in arrived(came, at=NOW, connections=[]) if isinstance(e, PurchaseOrderReceived))
    after = received.fold(came)
    assert received.wakes(came, after) == Wake(topic=Topic.RESTOCK, key="po-1")
    with pytest.raises(InvalidInput, match="already received") as no:
        arrived(after, at=NOW, connections=[])
    assert "state show stock/SKU" in no.value.hint


def test_each_article_is_told_once_and_by_its_name() -> None:
    """Two lines of the same SKU are one arrival; a line without a title has its SKU for one."""
    came = arrivals(order(line("MUG", 30, "Moss mug"), line("CUP", 5), line("MUG", 10, "Moss mug")))
    assert [(a.sku, a.title, a.units) for a in came] == [("MUG", "Moss mug", 40), ("CUP", "CUP", 5)]


@pytest.mark.parametrize(("mode", "told"), [(m, m in ("live", "dry-run")) for m in ConnectionMode])
def test_only_a_shop_that_can_be_asked_is_told(mode: ConnectionMode, told: bool) -> None:
    """And none that serves other things; the local order book is no connection."""
    assert (shop_to_tell([connection(mode, Capability.SHOP)]) is not None) is told
    assert shop_to_tell([connection(mode, Capability.PAYMENTS)]) is None
    assert shop_to_tell([]) is None


@pytest.mark.parametrize("mode", ConnectionMode)
def test_it_is_said_when_a_shop_that_is_not_live_hears_of_what_arrives(mode: ConnectionMode) -> None:
    """Where it is only shown, again once it is live; where nothing is asked, never. And only of a shop."""
    never = f"is not told later, {SET_IT_THERE}"
    later = {"live": "", "dry-run": "is proposed again once it is live", "replay": never, "off": never}[mode]
    said = untold([connection(mode, Capability.SHOP)])
    assert said == (f"shop is in mode {mode}: what arrives meanwhile {later}" if later else "")
    assert not untold([connection(mode, Capability.PAYMENTS)])


@pytest.mark.parametrize("mode", ConnectionMode)
def test_what_arrives_is_not_on_sale_until_the_shop_was_told(mode: ConnectionMode) -> None:
    """Where nobody will tell it, or no shop counts for itself, the units are on the shelf at once."""
    received = arrived(order(line("MUG", 30)), at=NOW, connections=[connection(mode, Capability.SHOP)])[1]
    after = fold(stock(18), received)
    assert (after.on_hand, after.not_on_sale) == ((18, 30) if mode in ("live", "dry-run") else (48, 0))


def test_the_units_are_added_to_what_the_shop_says_and_counted_once() -> None:
    """18 in the shop, 30 came: Steward has 48 since the arrival, has 48 afterwards, and the shop then says 48."""
    known = stock(18 + 30)
    planned = restocking(MUGS, there=18)
    action = planned.action
    assert isinstance(action, AdjustStock)
    assert (action.units_before, action.units_after, planned.why.force_ask) == (18, 48, "")
    assert "Moss mug (MUG)" in planned.why.reason
    assert action.summary() == "set the shop's stock of MUG from 18 to 48 (30 of Moss mug came with po-1)"
    (counted,) = action.events(Receipt(reference="1", at=NOW))
    assert isinstance(counted, StockCounted)
    assert fold(known, counted) == known
    assert (action.purchase_order_id, counted.lists) == ("po-1", "po-1")


def test_a_sale_meanwhile_is_not_undone() -> None:
    """The shop sold three: they are taken from the shop's figure, not from Steward's, and are no sign of a hand."""
    assert adjusted(15, seen=18).units_after == 45
    assert not restocking(MUGS, there=15, seen=18).why.force_ask
    assert "15 of it by now, not 18" in restocking(MUGS, there=15, seen=18).why.reason


@pytest.mark.parametrize(("there", "seen"), [(48, None), (50, None), (46, None), (48, 18), (19, 18)])
def test_units_that_may_be_on_sale_already_are_always_asked(there: int, seen: int | None) -> None:
    """Somebody may have told the shop by hand: nothing but a person can say so."""
    assert "these units may be in it already" in restocking(MUGS, there=there, seen=seen).why.force_ask


def test_what_was_proposed_before_is_always_asked() -> None:
    """It lay here meanwhile, and whoever sells it may have told the shop by hand."""
    assert "proposed before" in restocking(MUGS.model_copy(update={"again": True}), there=3).why.force_ask


def test_an_article_that_nobody_had_counted_raises_no_doubt() -> None:
    """There is nothing to compare the shop's figure with."""
    why = restocking(MUGS.model_copy(update={"on_hand": None}), there=100).why
    assert (why.force_ask, "here since it came" in why.facts) == ("", False)


def test_nothing_is_added_to_less_than_nothing() -> None:
    """A shop that takes orders for more than it has says so with a negative number."""
    with pytest.raises(Permanent, match="-3 of MUG"):
        restocking(MUGS, there=-3)


def test_a_received_order_is_over() -> None:
    """And so is a cancelled one."""
    for status in (PurchaseOrderStatus.RECEIVED, PurchaseOrderStatus.CANCELLED):
        with pytest.raises(InvalidInput):
            arrived(order(line("MUG", 1), status=status), at=NOW, connections=[])
