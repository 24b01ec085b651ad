"""From a report of what a file says to the log: what of it is new, all or nothing, and the order book that has it too."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from cli.context import OPERATOR, System
from connectors import open_local
from connectors.importers.again import content_of, imported_before, lowered
from connectors.importers.novelty import Known, KnownSales, what_is_new
from connectors.importers.report import ImportReport
from connectors.local_shop import LocalShop
from domain.actions import Capability
from domain.catalogue import ENTITY_TYPES
from domain.connections import FileOutcome, FileTaken, TakenFile
from domain.entities import Order, Stock
from domain.event import NewEvent, SalesRow, new_event
from domain.events import OrderPlaced, SalesImported, StockCounted
from domain.model import Value
from domain.ports import EventLog, State

_KEYS = {
    "product": "sku",
    "stock": "sku",
    "supplier": "supplier_id",
    "customer": "customer_id",
    "order": "order_id",
    "ticket": "ticket_id",
}


@dataclass(frozen=True)
class Origin:
    """A file by its name, and by the key that tells whether it was imported before; none where it does not matter."""

    name: str
    key: str = ""


@dataclass(frozen=True)
class Changes:
    """What importing a report does. ``before`` is the import of the very same file, where there was one: then nothing."""

    fresh: tuple[NewEvent, ...] = ()
    notes: tuple[str, ...] = ()
    before: TakenFile | None = None


async def into_running_system(
    report: ImportReport, raw: Sequence[bytes], *, origin: Origin, system: System, at: datetime
) -> Changes:
    """Keep the deliveries as they came, before anything is made of them; then import what is new."""
    inbox, source = system.memory.inbox, f"import/{report.kind}"
    keys = [content_of(delivery) for delivery in raw]
    for key, delivery in zip(keys, raw, strict=True):
        await inbox.receive(source, key, delivery, at=at)
    changes = await import_report(report, origin=origin, log=system.memory.log, state=system.memory.state, at=at)
    await fill_order_book(report, home=system.settings.home, state=system.memory.state)
    for key in keys:
        await inbox.understood(source, key, at=at)
    return changes


async def import_report(report: ImportReport, *, origin: Origin, log: EventLog, state: State, at: datetime) -> Changes:
    """Append what is new and that the file was taken, all or nothing."""
    changes = await what_changes(report, origin=origin, state=state)
    if changes.before is None:
        await log.append([*changes.fresh, *_taken(report, origin, len(changes.fresh), at)])
    return changes


async def what_changes(report: ImportReport, *, origin: Origin, state: State) -> Changes:
    """What importing it now would do."""
    if origin.key and (before := await imported_before(state, origin.key)):
        return Changes(before=before)
    fresh = what_is_new(report, known=await _known(state, report), sales=await _known_sales(state, report))
    return Changes(tuple(fresh), await lowered(fresh, state))


async def fill_order_book(report: ImportReport, *, home: Path, state: State) -> None:
    """The order book under ``home`` is where refunds, cancellations and changes of stock happen, so it has what was imported,
    as it is known now.

    Every time and for every order of the file: an import that was interrupted here is completed by the next one.
    """
    book = open_local(home)[Capability.SHOP]
    placed = [e.data.order.order_id for e in report.accepted if isinstance(e.data, OrderPlaced)]
    known = [order for order_id in placed if (order := await state.get(Order, order_id)) is not None]
    counted = [e.data.sku for e in report.accepted if isinstance(e.data, StockCounted)]
    stock = {sku: found.on_hand for sku in counted if (found := await state.get(Stock, sku)) is not None and found.on_hand >= 0}
    if isinstance(book, LocalShop) and (known or stock):
        await book.put_orders(known)
        await book.put_stock(stock)


def _taken(report: ImportReport, origin: Origin, events: int, at: datetime) -> list[NewEvent]:
    if not origin.key:
        return []
    file = TakenFile(
        digest=origin.key,
        delivery=f"import/{report.kind}",
        name=origin.name[:200],
        kind=report.kind,
        outcome=FileOutcome.IMPORTED,
        rows=report.rows,
        events=events,
        at=at,
    )
    return [new_event(FileTaken(file=file), at=at, key=("taken", origin.key, at.isoformat()), source="import", actor=OPERATOR)]


async def _known(state: State, report: ImportReport) -> Known:
    kinds = {e.data.stream.partition("/")[0] for e in (*report.accepted, *report.assumed)}
    known: dict[str, Value] = {}
    for kind in sorted(kinds):
        for entity in await state.find(ENTITY_TYPES[kind]):
            known[f"{kind}/{getattr(entity, _KEYS[kind])}"] = entity
    return known


async def _known_sales(state: State, report: ImportReport) -> KnownSales:
    imported = [e.data for e in report.accepted if isinstance(e.data, SalesImported)]
    days = [day.day for data in imported for day in data.days]
    if not days:
        return {}
    known: dict[str, dict[date, SalesRow]] = {}
    for row in await state.sales(since=min(days), until=max(days)):
        known.setdefault(row.sku, {})[row.day] = row
    return known
