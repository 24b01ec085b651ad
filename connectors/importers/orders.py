"""Orders: one order line a line; lines with the same order number are one order."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from connectors.importers.address import ADDRESS_COLUMNS, read_address
from connectors.importers.cells import Cells
from connectors.importers.plausibility import refuse_future, unknown_articles
from connectors.importers.report import BadCell, ImportReport, Rejection, in_file_order
from connectors.importers.table import Column, Table, TableOptions, parse_rows, read_table
from domain.entities import Order, OrderLine, OrderStatus
from domain.event import NewEvent, new_event
from domain.events import OrderPlaced
from domain.ids import digest
from domain.money import Money

COLUMNS = (
    Column("order_id", "the order's number", required=True),
    Column("email", "the customer's address", required=True),
    Column("placed_at", "when it was ordered", required=True),
    Column("sku", "the article number", required=True),
    Column("units", "how many", required=True),
    Column("unit_price", "what one cost", required=True),
    Column("currency", "ISO code of the amounts; else --currency"),
    Column("title", "the article's name; else its number"),
    Column("total", "what the customer paid; else the sum of the lines"),
    Column("customer_id", "the shop's number for the customer; else the e-mail address"),
    Column("name", "who it is sent to; else the e-mail address"),
    Column("status", "paid, shipped, delivered or cancelled; else paid"),
    Column("shipped_at", "when it was sent"),
    Column("delivered_at", "when it arrived"),
    Column("promised_by", "when it was promised to arrive"),
    Column("carrier", "who carries it"),
    Column("tracking", "the carrier's number"),
    Column("payment_reference", "what the payment system calls the payment, such as pi_... at Stripe"),
    *(Column(c.name, c.about, required=c.name in {"line1", "city", "country"}) for c in ADDRESS_COLUMNS),
)


@dataclass(frozen=True)
class _Row:
    """``order`` holds this line only; ``total`` is what the file states, if it does."""

    order: Order
    total: Money | None

    @property
    def head(self) -> tuple[Order, Money | None]:
        """What all lines of an order have in common."""
        return self.order.model_copy(update={"lines": (), "total": Money.zero(self.order.total.currency)}), self.total


def read_orders(raw: bytes, *, table: TableOptions, today: date, catalogue: Collection[str] | None = None) -> ImportReport:
    """One ``OrderPlaced`` an order number. An order with a bad line, or whose lines disagree, is rejected whole.

    ``today`` and ``catalogue`` are as for sales.
    """
    found = read_table(raw, COLUMNS, table)
    rows, rejected = parse_rows(found, lambda cells: _row(cells, today), table)
    spoilt = _orders_of(found, {r.line for r in rejected})
    groups: dict[str, list[tuple[int, _Row]]] = defaultdict(list)
    for number, row in rows:
        groups[row.order.order_id].append((number, row))
    events: list[NewEvent] = []
    for order_id, group in groups.items():
        heads = [row.head for _, row in group]
        if order_id in spoilt:
            rejected += _refuse(found, group, "another line of this order is rejected")
        elif any(head != heads[0] for head in heads):
            rejected += _refuse(found, group, "the lines of this order differ in more than the article")
        else:
            events.append(_placed([row for _, row in group]))
    notes = (*found.notes, *unknown_articles([line.sku for _, row in rows for line in row.order.lines], catalogue))
    return ImportReport("orders", found.rows, tuple(events), in_file_order(rejected), notes)


def _row(cells: Cells, today: date) -> _Row:
    email, sku, price = cells.email("email"), cells.required("sku"), cells.money("unit_price")
    total = cells.money("total") if cells.text("total") else None
    for name, money in (("unit_price", price), ("total", total)):
        if money is not None and money.amount < 0:
            raise BadCell(name, cells.text(name), "is below zero")
    line = OrderLine(sku=sku, title=cells.text("title", sku), units=cells.whole("units"), unit_price=price)
    order = Order(
        order_id=cells.required("order_id"),
        customer_id=cells.text("customer_id", email),
        email=email,
        lines=(line,),
        total=price * line.units,
        status=_status(cells),
        placed_at=_placed_at(cells, today),
        shipped_at=cells.maybe_moment("shipped_at"),
        delivered_at=cells.maybe_moment("delivered_at"),
        promised_by=cells.maybe_moment("promised_by"),
        carrier=cells.text("carrier"),
        tracking=cells.text("tracking"),
        payment_reference=cells.text("payment_reference"),
        ship_to=read_address(cells, cells.text("name", email)),
    )
    return _Row(order, total)


def _placed_at(cells: Cells, today: date) -> datetime:
    moment = cells.moment("placed_at")
    refuse_future("placed_at", cells, moment.date(), today=today)
    return moment


def _status(cells: Cells) -> OrderStatus:
    value = cells.text("status", OrderStatus.PAID).lower()
    try:
        return OrderStatus(value)
    except ValueError:
        raise BadCell("status", value, f"is none of {', '.join(OrderStatus)}") from None


def _orders_of(table: Table, lines: set[int]) -> set[str]:
    """Of a line with too many cells nobody knows which one is the number: any of them may be."""
    misfits = {cell.strip() for cells in table.misfits.values() for cell in cells}
    return misfits | {cells["order_id"] for number, cells in table.lines if number in lines}


def _refuse(table: Table, group: list[tuple[int, _Row]], why: str) -> list[Rejection]:
    return [Rejection(number, table.header["order_id"], row.order.order_id, why) for number, row in group]


def _placed(rows: list[_Row]) -> NewEvent:
    first = rows[0]
    total = first.total or sum((r.order.total for r in rows), Money.zero(first.order.total.currency)).rounded()
    order = first.order.model_copy(update={"lines": tuple(line for r in rows for line in r.order.lines), "total": total})
    return new_event(OrderPlaced(order=order), at=order.placed_at, key=(order.order_id, digest(order)), source="import")
