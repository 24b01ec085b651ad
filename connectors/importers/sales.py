"""Sales history: units of a SKU on a day. Lines of the same SKU and day add up, so a list of order lines will do as well."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from connectors.importers.cells import Cells
from connectors.importers.plausibility import refuse_future, unknown_articles
from connectors.importers.report import BadCell, ImportReport, in_file_order
from connectors.importers.table import Column, TableOptions, parse_rows, read_table
from domain.entities import SalesDay
from domain.event import NewEvent, new_event
from domain.events import SalesImported, StockCounted
from domain.ids import digest
from domain.wording import counted

COLUMNS = (
    Column("date", "the day of the sale", required=True),
    Column("sku", "the article number", required=True),
    Column("units", "units sold; a negative number is a return", required=True),
    Column("orders", "how many orders they came in; else 1"),
    Column("unit_price", "what one was sold for"),
    Column("currency", "ISO code of the unit price; else --currency"),
    Column("returned", "units that came back that day"),
)
_MOST_UNITS = 10_000_000


@dataclass(frozen=True)
class _Sold:
    sku: str
    day: date
    units: int
    orders: int
    returned: int
    revenue: Decimal

    def plus(self, other: "_Sold") -> "_Sold":
        return replace(
            self,
            units=self.units + other.units,
            orders=self.orders + other.orders,
            returned=self.returned + other.returned,
            revenue=self.revenue + other.revenue,
        )


def read_sales(
    raw: bytes, *, table: TableOptions, today: date, catalogue: Collection[str] | None = None, opening_stock_days: int = 0
) -> ImportReport:
    """One ``SalesImported`` a SKU. With ``opening_stock_days`` also stock: so many days of the SKU's mean sales.

    ``today`` is the day it is: nothing was sold later, give or take a zone. ``catalogue`` are the SKUs that are known, None
    where nobody can say.
    """
    found = read_table(raw, COLUMNS, table)
    rows, rejected = parse_rows(found, lambda cells: _sold(cells, today), table)
    by_sku: dict[str, dict[date, _Sold]] = defaultdict(dict)
    for _, row in rows:
        days = by_sku[row.sku]
        days[row.day] = days[row.day].plus(row) if row.day in days else row
    events = tuple(_imported(sku, days.values()) for sku, days in sorted(by_sku.items()))
    notes = (*found.notes, *unknown_articles([row.sku for _, row in rows], catalogue))
    report = ImportReport("sales", found.rows, events, in_file_order(rejected), notes)
    if not opening_stock_days or not by_sku:
        return report
    note = f"assumed, where nothing was counted: stock for {counted(opening_stock_days, 'day')} at each SKU's mean sales"
    return replace(report, notes=(*report.notes, note), assumed=tuple(_opening_stock(by_sku, opening_stock_days)))


def _sold(cells: Cells, today: date) -> _Sold:
    day = cells.day("date")
    refuse_future("date", cells, day, today=today)
    units, returned = cells.whole("units"), abs(cells.whole("returned", 0))
    if max(abs(units), returned) > _MOST_UNITS:
        raise BadCell("units", cells.text("units"), f"is more than {_MOST_UNITS:,} units a day")
    sku = cells.required("sku")
    if len(sku) > 200:
        raise BadCell("sku", sku, "is longer than 200 characters")
    price = cells.amount("unit_price") if cells.text("unit_price") else Decimal(0)
    return _Sold(
        sku=sku,
        day=day,
        units=max(units, 0),
        orders=max(cells.whole("orders", 1 if units > 0 else 0), 0),
        returned=returned + max(-units, 0),
        revenue=price * max(units, 0),
    )


def _imported(sku: str, days: Iterable[_Sold]) -> NewEvent:
    sold = sorted(days, key=lambda d: d.day)
    history = tuple(SalesDay(day=d.day, units=d.units, orders=d.orders, returned=d.returned, revenue=d.revenue) for d in sold)
    data = SalesImported(sku=sku, days=history)
    return new_event(data, at=_midnight(sold[-1].day), key=(sku, digest(data)), source="import")


def _opening_stock(by_sku: Mapping[str, Mapping[date, _Sold]], cover_days: int) -> list[NewEvent]:
    last = max(day for days in by_sku.values() for day in days)
    events = []
    for sku, days in sorted(by_sku.items()):
        on_sale = (last - min(days)).days + 1
        sold = sum(max(d.units - d.returned, 0) for d in days.values())
        if units := round(sold / on_sale * cover_days):
            data = StockCounted(sku=sku, on_hand=units)
            events.append(new_event(data, at=_midnight(last), key=("opening", sku, digest(data)), source="import"))
    return events


def _midnight(day: date) -> datetime:
    """The end of ``day``."""
    return datetime.combine(day + timedelta(days=1), time.min, UTC)
