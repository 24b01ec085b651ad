"""What of a file is new. A file that is imported twice, or after a newer one, says only what differs from what is known."""

from collections.abc import Mapping, Sequence
from datetime import date

from connectors.importers.report import ImportReport
from domain.entities import Order, Product, Stock, Ticket
from domain.event import EventData, NewEvent, SalesRow, new_event
from domain.events import MessageReceived, OrderPlaced, PaymentNamed, ProductListed, SalesImported
from domain.ids import derived_id, digest
from domain.model import Value

Known = Mapping[str, Value]
KnownSales = Mapping[str, Mapping[date, SalesRow]]


def what_is_new(report: ImportReport, *, known: Known, sales: KnownSales) -> list[NewEvent]:
    """Events worth appending, given entities by stream and sales rows by SKU and day.

    An order that is known is never overwritten, because refunds and shipments happened to it since; what it was paid by may
    still be named.
    """
    accepted = [_completed(event, known.get(event.data.stream)) for event in report.accepted]
    stated = [_renamed(e, known, sales) for e in accepted if _says_something(e, known, sales)]
    named = [e for event in report.accepted for e in _payment_of(event, known.get(event.data.stream))]
    return stated + named + [e for e in report.assumed if _is_unknown(known.get(e.data.stream))]


def payment_named(known: Order, told: Order) -> list[EventData]:
    """Only where nobody said it before: another payment would be somebody else's money."""
    if known.payment_reference or not told.payment_reference:
        return []
    return [PaymentNamed(order_id=known.order_id, payment_reference=told.payment_reference)]


def _completed(event: NewEvent, before: Value | None) -> NewEvent:
    """What the operator described stays: a file or a shop that says nothing of it does not take it back."""
    if not isinstance(event.data, ProductListed) or not isinstance(before, Product) or event.data.product.attributes:
        return event
    product = event.data.product.model_copy(update={"attributes": before.attributes})
    return event.model_copy(update={"data": ProductListed(product=product)})


def _payment_of(event: NewEvent, before: Value | None) -> list[NewEvent]:
    if not isinstance(event.data, OrderPlaced) or not isinstance(before, Order):
        return []
    named = payment_named(before, event.data.order)
    return [new_event(data, at=event.at, key=(data.stream, digest(data)), source="import") for data in named]


def _says_something(event: NewEvent, known: Known, sales: KnownSales) -> bool:
    before = known.get(event.data.stream)
    match event.data:
        case OrderPlaced():
            return before is None
        case MessageReceived(message=message):
            return not isinstance(before, Ticket) or message.message_id not in {m.message_id for m in before.messages}
        case SalesImported() as imported:
            days = sales.get(imported.sku, {})
            return any(_figures(row) != _figures(days.get(row.day)) for row in imported.sales())
        case data:
            return before is None or bool(data.fold(before) != before)


def _renamed(event: NewEvent, known: Known, sales: KnownSales) -> NewEvent:
    """An id of its own for going back to an earlier value: the same statement on another past is another event."""
    before: object = known.get(event.data.stream)
    if isinstance(event.data, SalesImported):
        days = sales.get(event.data.sku, {})
        before = [_figures(days.get(row.day)) for row in event.data.sales()] if days else None
    if before is None or isinstance(event.data, MessageReceived):
        return event
    return event.model_copy(update={"event_id": derived_id("restated", str(event.event_id), digest(before))})


def _figures(row: SalesRow | None) -> Sequence[object] | None:
    return None if row is None else (row.units, row.orders, row.returned, row.revenue.normalize())


def _is_unknown(entity: Value | None) -> bool:
    """Nothing is known, or of stock nothing but that it exists."""
    return entity is None or (isinstance(entity, Stock) and entity == Stock(sku=entity.sku))
