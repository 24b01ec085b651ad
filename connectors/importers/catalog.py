"""Catalogue: one product a line, with its supplier where the file knows one."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from pydantic import ValidationError

from connectors.importers.cells import Cells
from connectors.importers.report import BadCell, ImportReport, Rejection, in_file_order
from connectors.importers.table import Column, TableOptions, parse_rows, read_table
from domain.entities import Picture, Product, Supplier
from domain.event import EventData, NewEvent, new_event
from domain.events import ProductListed, StockCounted, SupplierListed
from domain.ids import digest, slugify
from domain.money import Money
from domain.problems import first_problem
from domain.wording import counted

COLUMNS = (
    Column("sku", "the article number", required=True),
    Column("title", "the article's name", required=True),
    Column("price", "what a customer pays for one", required=True),
    Column("description", "text for customers"),
    Column("category", "where it stands in the shop"),
    Column("currency", "ISO code of the row's amounts; else --currency"),
    Column("unit_cost", "what the supplier takes for one; else the price times --cost-ratio"),
    Column("supplier", "the supplier's name; else --supplier"),
    Column("supplier_email", "where purchase orders go; else --supplier-email"),
    Column("lead_time_days", "days from order to delivery; else 7"),
    Column("minimum_order", "smallest value of one purchase order"),
    Column("moq", "smallest number of units of a line; else 1"),
    Column("pack_size", "units come in multiples of this; else 1"),
    Column("on_hand", "units on the shelf now"),
    Column("active", "no: it is not sold any more; else yes"),
    Column("image_url", "the https address of its picture"),
    Column("image_alt", "what the picture shows, in words; else the title"),
)


@dataclass(frozen=True)
class CatalogOptions:
    """What is assumed where the file is silent. An address under ``.invalid`` marks a supplier nobody can write to yet."""

    supplier: str = "default-supplier"
    supplier_email: str = "set-an-address@supplier.invalid"
    cost_ratio: Decimal = Decimal("0.5")


@dataclass(frozen=True)
class _Listed:
    product: Product
    supplier: Supplier
    on_hand: int | None
    cost_assumed: bool


def read_catalog(raw: bytes, *, table: TableOptions, catalog: CatalogOptions, at: datetime) -> ImportReport:
    """Products and suppliers, and stock where ``on_hand`` is given. ``at`` is when they are stated."""
    found = read_table(raw, COLUMNS, table)
    rows, rejected = parse_rows(found, lambda cells: _listed(cells, catalog), table)
    listed: dict[str, _Listed] = {}
    for number, row in rows:
        if row.product.sku in listed:
            rejected.append(Rejection(number, found.header["sku"], row.product.sku, "stands in the file twice"))
        else:
            listed[row.product.sku] = row
    products = list(listed.values())
    return ImportReport(
        kind="catalog",
        rows=found.rows,
        accepted=tuple(_envelope(d, at) for d in _stated(products)),
        rejected=in_file_order(rejected),
        notes=(*found.notes, *_assumptions(products, catalog)),
        assumed=tuple(_envelope(SupplierListed(supplier=s), at) for s in _suppliers(products) if not _reachable(s)),
    )


def _listed(cells: Cells, options: CatalogOptions) -> _Listed:
    price = cells.money("price")
    if price.amount <= 0:
        raise BadCell("price", cells.text("price"), "is not above zero")
    cost = cells.money("unit_cost") if cells.text("unit_cost") else Money(amount=_share(price, options), currency=price.currency)
    if cost.amount < 0:
        raise BadCell("unit_cost", cells.text("unit_cost"), "is below zero")
    supplier = _supplier(cells, options)
    product = Product(
        sku=cells.required("sku"),
        title=cells.required("title"),
        description=cells.text("description"),
        category=cells.text("category"),
        price=price,
        unit_cost=cost,
        supplier_id=supplier.supplier_id,
        moq=cells.whole("moq", 1),
        pack_size=cells.whole("pack_size", 1),
        active=cells.flag("active", default=True),
        picture=_picture(cells),
    )
    on_hand = cells.whole("on_hand") if cells.text("on_hand") else None
    return _Listed(product, supplier, on_hand, not cells.text("unit_cost"))


def _picture(cells: Cells) -> Picture | None:
    if not (url := cells.text("image_url")):
        return None
    words = "image_alt" if cells.text("image_alt") else "title"
    try:
        return Picture(url=url, alt=cells.required(words))
    except ValidationError as error:
        field, problem = first_problem(error)
        wrong = "image_url" if field == "url" else words
        raise BadCell(wrong, cells.text(wrong), problem) from None


def _share(price: Money, options: CatalogOptions) -> Decimal:
    return (price.amount * options.cost_ratio).quantize(Decimal("0.0001"))


def _supplier(cells: Cells, options: CatalogOptions) -> Supplier:
    name = cells.text("supplier", options.supplier)
    return Supplier(
        supplier_id=slugify(name),
        name=name,
        email=cells.email("supplier_email") if cells.text("supplier_email") else options.supplier_email,
        lead_time_days=float(cells.number("lead_time_days", Decimal(7))),
        minimum_order=cells.money("minimum_order") if cells.text("minimum_order") else None,
    )


def _assumptions(rows: list[_Listed], options: CatalogOptions) -> list[str]:
    notes = []
    if assumed := sum(r.cost_assumed for r in rows):
        notes.append(
            f"assumed: a cost of {options.cost_ratio:.0%} of the price, where none is given ({counted(assumed, 'article')})"
        )
    if unreachable := sorted(s.name for s in _suppliers(rows) if not _reachable(s)):
        notes.append(f"no address to order at (say --supplier-email): {', '.join(unreachable)}")
    return notes


def _suppliers(rows: list[_Listed]) -> list[Supplier]:
    """Where lines disagree about a supplier, the last one holds."""
    return list({r.supplier.supplier_id: r.supplier for r in rows}.values())


def _reachable(supplier: Supplier) -> bool:
    return not supplier.email.endswith(".invalid")


def _stated(rows: list[_Listed]) -> list[EventData]:
    return [
        *(SupplierListed(supplier=s) for s in _suppliers(rows) if _reachable(s)),
        *(ProductListed(product=r.product) for r in rows),
        *(
            StockCounted(sku=r.product.sku, on_hand=r.on_hand, supplier_id=r.product.supplier_id)
            for r in rows
            if r.on_hand is not None
        ),
    ]


def _envelope(data: EventData, at: datetime) -> NewEvent:
    return new_event(data, at=at, key=(data.stream, digest(data)), source="import")
