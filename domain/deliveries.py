"""A purchase order arrives: what that means, whoever says so, and what a connected shop is told of it. Pure."""

from collections.abc import Iterable, Sequence

from domain.actions import AdjustStock, Capability
from domain.connections import Connection, ConnectionMode, serving
from domain.decisions import Planned, Why
from domain.entities import PurchaseOrder, PurchaseOrderStatus, Stock
from domain.errors import InvalidInput, Permanent
from domain.event import EventData
from domain.events import ListingDue, PurchaseOrderReceived, StockReceived, explains
from domain.model import Moment, Name, Value
from domain.runs import Run

RESTOCK = "restock"
"""The workflow that puts what arrived on sale in a connected shop: ``restock/<purchase order>``."""
SET_IT_THERE = "set its stock in the shop"
_OVER = (PurchaseOrderStatus.RECEIVED, PurchaseOrderStatus.CANCELLED)
_TOLD = (ConnectionMode.LIVE, ConnectionMode.DRY_RUN)


class Arrival(Value):
    """``units`` of a SKU came with a purchase order. ``title`` is the article's name, or its SKU where nobody knows one.

    ``on_hand`` is what was here once they had come; None where nobody had counted. ``again`` says that a run was at it before.
    """

    purchase_order_id: Name
    supplier_id: Name
    sku: Name
    title: Name
    units: int
    on_hand: int | None = None
    again: bool = False


class NotTold(Value):
    """What the operator hears of an article that a run ends without telling the shop of: the words of an alert."""

    key: Name
    text: str
    what_to_do: str


def arrived(order: PurchaseOrder, *, at: Moment, connections: Sequence[Connection]) -> tuple[EventData, ...]:
    """The order is received and its units are on the shelf, to be appended together. Raises InvalidInput where it is over.

    Where one of ``connections`` is a shop that has to be told, the units are not on sale until it was.
    """
    if order.status in _OVER:
        hint = "`./steward state list purchase-order` shows those that are under way"
        if order.status is PurchaseOrderStatus.RECEIVED:
            hint = "it is on the shelf; `./steward state show stock/SKU` says what of an article is not on sale yet"
        raise InvalidInput(f"purchase order {order.purchase_order_id} is already {order.status}", hint=hint)
    about = {"purchase_order_id": order.purchase_order_id, "on_sale": shop_to_tell(connections) is None}
    lines = (StockReceived.model_validate({"sku": line.sku, "units": line.units, **about}) for line in order.lines)
    return PurchaseOrderReceived(purchase_order_id=order.purchase_order_id, at=at), *lines


def arrivals(order: PurchaseOrder) -> tuple[Arrival, ...]:
    """What came with ``order``, each SKU once."""
    units: dict[str, int] = {}
    for line in order.lines:
        units[line.sku] = units.get(line.sku, 0) + line.units
    titles = {line.sku: line.title for line in order.lines}
    about = {"purchase_order_id": order.purchase_order_id, "supplier_id": order.supplier_id}
    return tuple(Arrival(sku=sku, title=titles[sku] or sku, units=came, **about) for sku, came in units.items())


def shop_to_tell(connections: Sequence[Connection]) -> Connection | None:
    """The connected shop that has to hear of arrivals, since it counts what it sells by itself; None where there is none.

    The local order book is none: nobody buys from it, and its figures are those of the last catalogue that was imported.
    """
    shop = serving(list(connections), Capability.SHOP)
    return shop if shop is not None and shop.mode in _TOLD else None


def untold(connections: Sequence[Connection]) -> str:
    """When the connected shop hears of what arrives in its present mode. Empty where that is at once, and where there is none."""
    shop = serving(list(connections), Capability.SHOP)
    if shop is None or shop.mode is ConnectionMode.LIVE:
        return ""
    later = "is proposed again once it is live" if shop.mode in _TOLD else f"is not told later, {SET_IT_THERE}"
    return f"{shop.name} is in mode {shop.mode}: what arrives meanwhile {later}"


def not_on_sale(stock: Stock) -> str:
    """What of an article is here and cannot be bought yet, in words. Empty where there is nothing of that kind."""
    return f"{stock.on_hand} on sale, {stock.not_on_sale} here and not yet in the shop" if stock.not_on_sale else ""


def waiting_to_be_listed(stocks: Iterable[Stock]) -> tuple[str, ...]:
    """The ids of the purchase orders of which units are here that the shop was not told of."""
    return tuple(sorted({came.purchase_order_id for stock in stocks for came in stock.unlisted}))


def unlisted_units(stock: Stock | None, purchase_order_id: str) -> int:
    """Of what came with an order, what the shop was not told of."""
    unlisted = stock.unlisted if stock else ()
    return sum(came.units for came in unlisted if came.purchase_order_id == purchase_order_id)


def still_waiting(order: PurchaseOrder, stocks: Iterable[Stock]) -> dict[str, int]:
    """Of what came with ``order``, the units by SKU that the shop was not told of."""
    units = {stock.sku: unlisted_units(stock, order.purchase_order_id) for stock in stocks}
    return {sku: waits for sku, waits in units.items() if waits}


def proposed_again(order: PurchaseOrder, *, run: Run | None, connections: Sequence[Connection]) -> ListingDue:
    """What of ``order`` waits is proposed once more. ``run`` is the last that was at it. Raises InvalidInput where none can be."""
    order_id = order.purchase_order_id
    refused = f"what came with {order_id} waits, and cannot be proposed again now"
    if run is not None and run.status == "running":
        raise InvalidInput(refused, hint=f"{run.run_id} is at it: answer what it asks, or `./steward cancel {run.run_id}` first")
    shop = shop_to_tell(connections)
    if shop is None or shop.mode is not ConnectionMode.LIVE:
        raise InvalidInput(refused, hint=f"the shop has to be live; or {SET_IT_THERE}")
    return ListingDue(purchase_order_id=order_id)


def restock_run(purchase_order_id: str) -> str:
    return f"{RESTOCK}/{purchase_order_id}"


def restocking(arrival: Arrival, *, there: int, seen: int | None = None) -> Planned:
    """What the shop is to say of the SKU: the units that are ``there`` now, by its own word, and those that came.

    ``seen`` is the number that the shop had when this was planned before.
    Raises Permanent for a number that nothing can be added to.
    """
    if there < 0:
        hint = "it has sold more than there was: set its stock there"
        raise Permanent(f"the shop says that there are {there} of {arrival.sku}", hint=hint)
    named = arrival.title != arrival.sku
    what = f"{arrival.title} ({arrival.sku})" if named else arrival.sku
    moved = "" if seen is None else f"; the shop has {there} of it by now, not {seen}"
    reason = f"{arrival.units}{f' of {arrival.title}' if named else ''} came with {arrival.purchase_order_id}"
    action = AdjustStock(
        sku=arrival.sku,
        units_before=there,
        units_after=there + arrival.units,
        reason=reason,
        purchase_order_id=arrival.purchase_order_id,
    )
    facts = {"purchase order": arrival.purchase_order_id, "article": what, "the shop has": str(there)}
    return Planned(
        step=arrival.sku,
        action=action,
        why=Why(
            reason=f"{arrival.units} of {what} came with {arrival.purchase_order_id} and are not on sale yet{moved}",
            facts=facts if arrival.on_hand is None else {**facts, "here since it came": str(arrival.on_hand)},
            topic=arrival.supplier_id,
            force_ask=_doubt(arrival, there, seen),
        ),
    )


def not_told(arrival: Arrival, why: str, *, uncounted: bool) -> NotTold:
    """``uncounted`` where the shop counts none of the SKU, so that nothing waits for it to be told."""
    came = f"{arrival.units} of {arrival.title} came with {arrival.purchase_order_id}"
    if uncounted:
        text, what_to_do = came, f"they are here by Steward's own count; {SET_IT_THERE}, if it is to count it"
    else:
        again = f"`./steward received {arrival.purchase_order_id}` proposes it again while the shop is live"
        text, what_to_do = f"{came} and wait to be put on sale", f"{SET_IT_THERE}, which is seen when it is read; or {again}"
    key = not_told_key(arrival.purchase_order_id, arrival.sku)
    return NotTold(key=key, text=f"{text}, and the shop was not told: {why}", what_to_do=what_to_do)


def not_told_key(purchase_order_id: str, sku: str) -> str:
    return f"{restock_run(purchase_order_id)}/{sku}"


def days_late(order: PurchaseOrder, *, now: Moment) -> int:
    """Whole days after the promised one, of an order that came or is still awaited; 0 where it is in time or cancelled."""
    if order.status is PurchaseOrderStatus.CANCELLED:
        return 0
    return max(((order.received_at or now) - order.expected_at).days, 0)


def _doubt(arrival: Arrival, there: int, seen: int | None) -> str:
    """Whether somebody may have told the shop by hand: then the units would be counted twice. Empty where nothing speaks for it.

    What is known to be here now says nothing of that: it is what the shop was last read to have.
    """
    if arrival.again:
        return "it was proposed before and not done: these units may be in the shop's stock by now"
    if seen is not None and there > seen:
        return f"the shop's stock rose from {seen} to {there} meanwhile: these units may be in it already"
    if arrival.on_hand is not None and explains(there - (arrival.on_hand - arrival.units), arrival.units):
        return f"the shop has {there} already, and with them {arrival.on_hand} were here: these units may be in it already"
    return ""
