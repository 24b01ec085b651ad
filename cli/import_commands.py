"""``steward import catalog | sales | orders | customers | tickets FILE``: data of other systems, checked line by line."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

import stack
from cli.context import open_system
from cli.import_options import first_day, mapping, ratio, table_options
from cli.output import EXIT_WRONG, AsJson, give_up, print_json, print_table, run, say
from connectors import open_local
from connectors.importers.catalog import CatalogOptions, read_catalog
from connectors.importers.customers import read_customers
from connectors.importers.mail import mail_files, read_mail
from connectors.importers.novelty import Known, KnownSales, what_is_new
from connectors.importers.orders import read_orders
from connectors.importers.report import ImportReport
from connectors.importers.sales import read_sales
from connectors.importers.table import TableOptions
from connectors.importers.vcard import is_vcards, read_vcards
from connectors.local_shop import LocalShop
from domain.actions import Capability
from domain.catalogue import ENTITY_TYPES
from domain.entities import Order, Product, Shop, Stock
from domain.errors import InvalidInput, SetupError, StewardError
from domain.event import SalesRow
from domain.events import OrderPlaced, SalesImported, StockCounted
from domain.model import Value
from domain.policies import ApprovalPolicy
from domain.ports import EventLog, State
from domain.wording import counted
from settings import Settings

_SHOWN = 20  # rejected lines shown to people; --json has them all
_ROWS = {"tickets": "mail"}  # what a row is called, where it is no line
_KEYS = {
    "product": "sku",
    "stock": "sku",
    "supplier": "supplier_id",
    "customer": "customer_id",
    "order": "order_id",
    "ticket": "ticket_id",
}

import_app = typer.Typer(
    no_args_is_help=True,
    help="Import data of other systems. All lines or none; importing a file again changes nothing. See docs/importing.md.",
)

File = Annotated[Path, typer.Argument(help="A CSV file, also gzipped.", show_default=False)]
Map = Annotated[list[str] | None, typer.Option("--map", metavar="OURS=THEIRS[,...]", help="Columns that go by another name.")]
DateFormat = Annotated[str, typer.Option("--date-format", help="How dates are written, such as %d.%m.%Y; else ISO 8601.")]
DecimalMark = Annotated[str, typer.Option("--decimal", help="The decimal mark, '.' or ','; else as the cells show.")]
InCurrency = Annotated[str, typer.Option("--currency", help="ISO code of amounts that do not say theirs.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Read and report; change nothing.")]
Partial = Annotated[bool, typer.Option("--partial", help="Import the good lines although others are rejected.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the main one."""
    app.add_typer(import_app, name="import")


@import_app.command()
def catalog(
    file: File,
    *,
    supplier: Annotated[str, typer.Option(help="The supplier of products that name none.")] = CatalogOptions.supplier,
    supplier_email: Annotated[str, typer.Option(help="Where that supplier takes orders.")] = CatalogOptions.supplier_email,
    cost_ratio: Annotated[str, typer.Option(help="Cost as a share of the price, where no cost is given.")] = "0.5",
    columns: Map = None,
    date_format: DateFormat = "",
    decimal: DecimalMark = "",
    currency: InCurrency = "EUR",
    dry_run: DryRun = False,
    partial: Partial = False,
    as_json: AsJson = False,
) -> None:
    """Products, their suppliers, and stock where the file counts it."""

    def read(raw: bytes) -> ImportReport:
        options = CatalogOptions(supplier=supplier, supplier_email=supplier_email, cost_ratio=ratio(cost_ratio))
        table = table_options(columns, date_format, decimal, currency)
        return read_catalog(raw, table=table, catalog=options, at=datetime.now(UTC))

    _import_table(file, read, dry_run=dry_run, partial=partial, as_json=as_json)


@import_app.command()
def sales(
    file: File,
    *,
    opening_stock_days: Annotated[
        int, typer.Option(min=0, max=365, help="Assume stock for so many days where nothing was counted.")
    ] = 0,
    columns: Map = None,
    date_format: DateFormat = "",
    decimal: DecimalMark = "",
    currency: InCurrency = "EUR",
    dry_run: DryRun = False,
    partial: Partial = False,
    as_json: AsJson = False,
) -> None:
    """Sales history: units of an article on a day."""

    def read(raw: bytes) -> ImportReport:
        table = table_options(columns, date_format, decimal, currency)
        today, catalogue = run(_today_and_catalogue, as_json=as_json)
        return read_sales(raw, table=table, today=today, catalogue=catalogue, opening_stock_days=opening_stock_days)

    _import_table(file, read, dry_run=dry_run, partial=partial, as_json=as_json)


@import_app.command()
def orders(
    file: File,
    *,
    columns: Map = None,
    date_format: DateFormat = "",
    decimal: DecimalMark = "",
    currency: InCurrency = "EUR",
    dry_run: DryRun = False,
    partial: Partial = False,
    as_json: AsJson = False,
) -> None:
    """Customers' orders, one line of the file for each article."""

    def read(raw: bytes) -> ImportReport:
        return read_orders(raw, table=table_options(columns, date_format, decimal, currency))

    _import_table(file, read, dry_run=dry_run, partial=partial, as_json=as_json)


@import_app.command()
def customers(
    file: File,
    *,
    columns: Map = None,
    dry_run: DryRun = False,
    partial: Partial = False,
    as_json: AsJson = False,
) -> None:
    """Customers and their addresses, from a table or from vCards (.vcf)."""

    def read(raw: bytes) -> ImportReport:
        if is_vcards(raw):
            return read_vcards(raw, at=datetime.now(UTC))
        return read_customers(raw, table=TableOptions(mapping=mapping(columns)), at=datetime.now(UTC))

    _import_table(file, read, dry_run=dry_run, partial=partial, as_json=as_json)


@import_app.command()
def tickets(
    file: Annotated[Path, typer.Argument(help="An mbox file, also gzipped, or a Maildir folder.", show_default=False)],
    *,
    own: Annotated[list[str] | None, typer.Option("--own", help="An address of ours: mail from it is skipped.")] = None,
    since: Annotated[str, typer.Option(help="Skip mail from before this day, such as 2026-01-31.")] = "",
    dry_run: DryRun = False,
    strict: Annotated[bool, typer.Option("--strict", help="Import nothing where one mail is rejected.")] = False,
    as_json: AsJson = False,
) -> None:
    """Customers' mails. Each becomes a ticket, or joins one, and is answered: say --since to leave old mail in peace.

    A mail that cannot be read is skipped and named.
    """
    try:
        addresses = [*(own or []), *([] if dry_run else run(_shop_address, as_json=as_json))]
        mails = _mails(file)
        report = read_mail(mails, own=addresses, at=datetime.now(UTC), since=first_day(since))
    except StewardError as error:
        give_up(error, as_json=as_json)
    _finish(report, dry_run=dry_run, partial=not strict, as_json=as_json, raw=mails)


def _refuse_demo_home(*, as_json: bool) -> None:
    """Real data among invented would go with the next demo."""
    home = Settings.load().home
    if (home / "DEMO").exists():
        give_up(
            SetupError(f"{home} holds the demo shop", hint="`./steward demo --clear` makes room for your own business"),
            as_json=as_json,
        )


def _import_table(file: Path, read: Callable[[bytes], ImportReport], *, dry_run: bool, partial: bool, as_json: bool) -> None:
    """Read a table's file and import what ``read`` makes of it."""
    try:
        raw = _read(file)
        report = read(raw)
    except StewardError as error:
        give_up(error, as_json=as_json)
    _finish(report, dry_run=dry_run, partial=partial, as_json=as_json, raw=(raw,))


def _finish(report: ImportReport, *, dry_run: bool, partial: bool, as_json: bool, raw: Sequence[bytes]) -> None:
    """Import what may be imported and say what happened. Exit code 2 where rejected lines kept everything out.

    ``raw`` are the deliveries as they came; they are kept before anything is made of them.
    """
    refused = bool(report.rejected) and not partial
    if not dry_run:
        _refuse_demo_home(as_json=as_json)
    imported = None if refused or dry_run else run(lambda: _into_running_system(report, raw), as_json=as_json)
    if as_json:
        print_json(
            {
                "kind": report.kind,
                "rows": report.rows,
                "events": len(report.accepted) + len(report.assumed),
                "imported": imported,
                "dry_run": dry_run,
                "rejected": [asdict(r) for r in report.rejected],
                "notes": report.notes,
            }
        )
    else:
        _tell(report, imported, dry_run=dry_run, refused=refused)
    if refused:
        raise typer.Exit(EXIT_WRONG)


async def _into_running_system(report: ImportReport, raw: Sequence[bytes]) -> int:
    async with open_system() as system:
        inbox, source, now = system.memory.inbox, f"import/{report.kind}", datetime.now(UTC)
        keys = [hashlib.sha256(delivery).hexdigest() for delivery in raw]
        for key, delivery in zip(keys, raw, strict=True):
            await inbox.receive(source, key, delivery, at=now)
        imported = await import_report(report, log=system.memory.log, state=system.memory.state)
        await fill_order_book(report, home=system.settings.home, state=system.memory.state)
        for key in keys:
            await inbox.understood(source, key, at=now)
        return imported


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


async def import_report(report: ImportReport, *, log: EventLog, state: State) -> int:
    """Append what is new, all or nothing; the number of events that were."""
    fresh = what_is_new(report, known=await _known(state, report), sales=await _known_sales(state, report))
    await log.append(fresh)
    return len(fresh)


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


async def _today_and_catalogue() -> tuple[date, frozenset[str] | None]:
    """The day it is in the shop's zone, and every SKU that is listed; where nothing runs, the day in UTC, and None."""
    if stack.endpoints(Settings.load()) is None:
        return datetime.now(UTC).date(), None
    async with open_system() as system:
        zone = (await system.memory.policies.in_force(ApprovalPolicy)).document.timezone
        listed = await system.memory.state.find(Product)
        return datetime.now(ZoneInfo(zone)).date(), frozenset(product.sku for product in listed)


async def _shop_address() -> list[str]:
    async with open_system() as system:
        shop = await system.memory.state.get(Shop, "self")
        return [shop.email] if shop else []


def _tell(report: ImportReport, imported: int | None, *, dry_run: bool, refused: bool) -> None:
    lines = counted(report.rows, _ROWS.get(report.kind, "line"))
    for note in report.notes:
        say(note)
    if report.rejected:
        shown = [(r.line, r.column, r.value, r.why) for r in report.rejected[:_SHOWN]]
        print_table(f"Rejected: {len(report.rejected):,} of {lines}", ("line", "column", "value", "why"), shown)
        if len(report.rejected) > _SHOWN:
            say(f"… and {len(report.rejected) - _SHOWN} more; --json lists them all")
    events = len(report.accepted) + len(report.assumed)
    if imported is not None:
        say(f"Imported {counted(imported, 'event')} from {lines}; {events - imported:,} said nothing new.")
    elif dry_run and not refused:
        say(f"Dry run: {lines} read, {counted(events, 'event')} ready, nothing changed.")
    else:
        say("Nothing was imported. Mend these lines, or import the others with --partial.")


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InvalidInput(f"cannot read {file}: {error.strerror}", hint="name a file that is there") from error


def _mails(file: Path) -> list[bytes]:
    try:
        return list(mail_files(file))
    except OSError as error:
        raise InvalidInput(f"cannot read {file}: {error.strerror}", hint="name an mbox file or a Maildir folder") from error
