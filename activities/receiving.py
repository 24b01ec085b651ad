"""The operator's word that a purchase order has arrived, whoever takes it; said again, what waits of it is proposed again."""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.connections import Connection
from domain.deliveries import (
    arrivals,
    arrived,
    not_told_key,
    proposed_again,
    restock_run,
    shop_to_tell,
    still_waiting,
)
from domain.entities import PurchaseOrder, Stock
from domain.event import EventData
from domain.model import Moment
from domain.ports import State
from domain.runs import Alert, AlertClosed, Run


@dataclass(frozen=True, kw_only=True)
class Receiving:
    """``events`` are appended together. ``units`` are what came, by SKU; where it is said ``again``, what of it still waits.

    ``shop`` is the one to which they are proposed, where there is one.
    """

    events: tuple[EventData, ...]
    units: Mapping[str, int]
    shop: Connection | None
    again: bool = False


async def receiving(order: PurchaseOrder, *, by: str, at: Moment, state: State) -> Receiving:
    """Raises InvalidInput where the order is over and nothing of it can be proposed."""
    connections = await state.find(Connection)
    shop = shop_to_tell(connections)
    waits = await waiting(order, state)
    if not waits:
        units = {arrival.sku: arrival.units for arrival in arrivals(order)}
        return Receiving(events=arrived(order, at=at, connections=connections), units=units, shop=shop)
    run = await state.get(Run, restock_run(order.purchase_order_id))
    due = proposed_again(order, run=run, connections=connections)
    return Receiving(events=(due, *await _answered(order, by, state)), units=waits, shop=shop, again=True)


async def waiting(order: PurchaseOrder, state: State) -> dict[str, int]:
    """Of what came with ``order``, the units by SKU that the shop was not told of."""
    known = [await state.get(Stock, sku) for sku in dict.fromkeys(line.sku for line in order.lines)]
    return still_waiting(order, [stock for stock in known if stock])


async def _answered(order: PurchaseOrder, by: str, state: State) -> list[AlertClosed]:
    """The alerts that said that it waits: a run that fails again raises them again."""
    keys = [not_told_key(order.purchase_order_id, arrival.sku) for arrival in arrivals(order)]
    known = [await state.get(Alert, key) for key in keys]
    return [AlertClosed(key=alert.key, by=by) for alert in known if alert and alert.open]
