"""What a later word adds to what is known, whatever order the words come in: nothing ever goes back.

An order goes from paid over shipped to delivered, or is cancelled while it is paid. The figures of a day only grow.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from connectors.importers.novelty import payment_named
from connectors.importers.report import ImportReport
from domain.entities import Order, OrderStatus
from domain.event import EventData, NewEvent, SalesRow, new_event
from domain.events import OrderCancelled, OrderDelivered, OrderPlaced, OrderShipped, SalesImported
from domain.ids import digest
from domain.ports import State

_WAY = (OrderStatus.PAID, OrderStatus.SHIPPED, OrderStatus.DELIVERED)


async def ahead(report: ImportReport, state: State, *, at: datetime) -> ImportReport:
    """``report`` with what is behind left out, and known orders taken further. ``at`` is when it came in."""
    kept: list[NewEvent] = []
    for event in report.accepted:
        match event.data:
            case OrderPlaced(order=told):
                known = await state.get(Order, told.order_id)
                kept += [event] if known is None else _events([*payment_named(known, told), *steps(known, told, at=at)], at)
            case SalesImported() as imported:
                kept += await _more_sales(event, imported, state)
            case _:
                kept.append(event)
    return replace(report, accepted=tuple(kept))


def steps(known: Order, told: Order, *, at: datetime) -> list[EventData]:
    """What happened to ``known`` on its way to where ``told`` says it is; nothing where it is there or further."""
    if told.status is OrderStatus.CANCELLED:
        paid = known.status is OrderStatus.PAID
        return [OrderCancelled(order_id=known.order_id, reason="cancelled in the shop")] if paid else []
    if known.status is OrderStatus.CANCELLED:
        return []
    way = _WAY[_WAY.index(known.status) + 1 : _WAY.index(told.status) + 1]
    return [_step(status, told, at) for status in way]


def _step(status: OrderStatus, told: Order, at: datetime) -> EventData:
    if status is OrderStatus.DELIVERED:
        return OrderDelivered(order_id=told.order_id, at=told.delivered_at or at)
    shipped_at = told.shipped_at or told.delivered_at or at
    return OrderShipped(order_id=told.order_id, at=shipped_at, carrier=told.carrier, tracking=told.tracking)


def _events(taken: Sequence[EventData], at: datetime) -> list[NewEvent]:
    return [new_event(step, at=at, key=(step.stream, digest(step))) for step in taken]


async def _more_sales(event: NewEvent, imported: SalesImported, state: State) -> list[NewEvent]:
    """Without the days of which as much is known, or more."""
    days = [day.day for day in imported.days]
    found = await state.sales(since=min(days), until=max(days), skus=(imported.sku,))
    known = {row.day: row for row in found}
    more = tuple(d for d, row in zip(imported.days, imported.sales(), strict=True) if _says_more(row, known.get(row.day)))
    if not more:
        return []
    data = imported.model_copy(update={"days": more})
    return [new_event(data, at=event.at, key=(imported.sku, digest(data)))]


def _says_more(told: SalesRow, known: SalesRow | None) -> bool:
    if known is None:
        return True
    now, before = (told.units, told.orders, told.returned), (known.units, known.orders, known.returned)
    return now != before and all(n >= b for n, b in zip(now, before, strict=True))
