"""``steward import catalog | sales | orders | customers | tickets FILE``: data of other systems, checked line by line."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

import stack
from cli.context import now, open_system
from cli.import_options import first_day, mapping, ratio, table_options
from cli.importing import Changes, Origin, into_running_system, what_changes
from cli.output import EXIT_WRONG, AsJson, give_up, print_json, print_table, run, say
from connectors.dropped_files import shown
from connectors.importers.again import content_of, file_key
from connectors.importers.catalog import CatalogOptions, read_catalog
from connectors.importers.customers import read_customers
from connectors.importers.mail import mail_files, read_mail
from connectors.importers.orders import read_orders
from connectors.importers.report import ImportReport
from connectors.importers.sales import read_sales
from connectors.importers.table import TableOptions
from connectors.importers.vcard import is_vcards, read_vcards
from domain.entities import Product, Shop
from domain.errors import InvalidInput, SetupError, StewardError
from domain.policies import ApprovalPolicy
from domain.wording import counted
from settings import Settings

_SHOWN = 20  # rejected lines shown to people; --json has them all
_ROWS = {"tickets": "mail"}  # what a row is called, where it is no line
Reading = tuple[ImportReport, str]
"""What a file says, and the key by which it is known again."""

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

    def read(raw: bytes) -> Reading:
        options = CatalogOptions(supplier=supplier, supplier_email=supplier_email, cost_ratio=ratio(cost_ratio))
        table = table_options(columns, date_format, decimal, currency)
        key = file_key("catalog", content_of(raw), table=table, catalog=options)
        return read_catalog(raw, table=table, catalog=options, at=datetime.now(UTC)), key

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

    def read(raw: bytes) -> Reading:
        table = table_options(columns, date_format, decimal, currency)
        today, catalogue = run(_today_and_catalogue, as_json=as_json)
        key = file_key("sales", content_of(raw), table=table, opening_stock_days=opening_stock_days)
        return read_sales(raw, table=table, today=today, catalogue=catalogue, opening_stock_days=opening_stock_days), key

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

    def read(raw: bytes) -> Reading:
        table = table_options(columns, date_format, decimal, currency)
        today, catalogue = run(_today_and_catalogue, as_json=as_json)
        return read_orders(raw, table=table, today=today, catalogue=catalogue), file_key("orders", content_of(raw), table=table)

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

    def read(raw: bytes) -> Reading:
        table = TableOptions(mapping=mapping(columns))
        key = file_key("customers", content_of(raw), table=table)
        if is_vcards(raw):
            return read_vcards(raw, at=datetime.now(UTC)), key
        return read_customers(raw, table=table, at=datetime.now(UTC)), key

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
    _finish(report, origin=Origin(shown(file.name)), dry_run=dry_run, partial=not strict, as_json=as_json, raw=mails)


def _refuse_demo_home(*, as_json: bool) -> None:
    """Real data among invented would go with the next demo."""
    home = Settings.load().home
    if (home / "DEMO").exists():
        give_up(
            SetupError(f"{home} holds the demo shop", hint="`./steward demo --clear` makes room for your own business"),
            as_json=as_json,
        )


def _import_table(file: Path, read: Callable[[bytes], Reading], *, dry_run: bool, partial: bool, as_json: bool) -> None:
    """Read a table's file and import what ``read`` makes of it."""
    try:
        raw = _read(file)
        report, key = read(raw)
    except StewardError as error:
        give_up(error, as_json=as_json)
    _finish(report, origin=Origin(shown(file.name), key), dry_run=dry_run, partial=partial, as_json=as_json, raw=(raw,))


def _finish(report: ImportReport, *, origin: Origin, dry_run: bool, partial: bool, as_json: bool, raw: Sequence[bytes]) -> None:
    """Import what may be imported and say what happened. Exit code 2 where rejected lines kept everything out.

    ``raw`` are the deliveries as they came; they are kept before anything is made of them.
    """
    refused = bool(report.rejected) and not partial
    if not dry_run:
        _refuse_demo_home(as_json=as_json)
    changes = None
    if not refused:
        changes = run(lambda: _looked_at(report, origin) if dry_run else _imported(report, origin, raw), as_json=as_json)
    if as_json:
        print_json(_for_programs(report, changes, dry_run=dry_run))
    else:
        _tell(report, changes, dry_run=dry_run, refused=refused)
    if refused:
        raise typer.Exit(EXIT_WRONG)


async def _imported(report: ImportReport, origin: Origin, raw: Sequence[bytes]) -> Changes:
    async with open_system() as system:
        return await into_running_system(report, raw, origin=origin, system=system, at=now())


async def _looked_at(report: ImportReport, origin: Origin) -> Changes | None:
    """What an import would change; None where Steward does not run, so that nobody can tell."""
    if stack.endpoints(Settings.load()) is None:
        return None
    async with open_system() as system:
        return await what_changes(report, origin=origin, state=system.memory.state)


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


def _for_programs(report: ImportReport, changes: Changes | None, *, dry_run: bool) -> dict[str, Any]:
    """``events`` are those that say something new; all of the file's where nobody can tell."""
    said = len(report.accepted) + len(report.assumed)
    before = changes.before if changes else None
    return {
        "kind": report.kind,
        "rows": report.rows,
        "events": len(changes.fresh) if changes else said,
        "imported": len(changes.fresh) if changes and not dry_run else None,
        "imported_before": before.at.isoformat() if before else None,
        "dry_run": dry_run,
        "rejected": [asdict(r) for r in report.rejected],
        "notes": [*report.notes, *(changes.notes if changes else ())],
    }


def _tell(report: ImportReport, changes: Changes | None, *, dry_run: bool, refused: bool) -> None:
    for note in (*report.notes, *(changes.notes if changes else ())):
        say(note)
    lines = counted(report.rows, _ROWS.get(report.kind, "line"))
    if report.rejected:
        table = [(r.line, r.column, r.value, r.why) for r in report.rejected[:_SHOWN]]
        print_table(f"Rejected: {len(report.rejected):,} of {lines}", ("line", "column", "value", "why"), table)
        if len(report.rejected) > _SHOWN:
            say(f"… and {len(report.rejected) - _SHOWN} more; --json lists them all")
    if refused:
        say("Nothing was imported. Mend these lines, or import the others with --partial.")
    else:
        say(_outcome(report, changes, lines, dry_run=dry_run))


def _outcome(report: ImportReport, changes: Changes | None, lines: str, *, dry_run: bool) -> str:
    said = len(report.accepted) + len(report.assumed)
    if changes is None:
        return (
            f"Dry run: {lines} read, {counted(said, 'event')} ready, nothing changed. What of it is new shows while Steward runs."
        )
    if before := changes.before:
        was = f"This very content was imported before, on {before.at:%Y-%m-%d at %H:%M} UTC ({before.name})"
        return f"Dry run: {was}: importing it does nothing." if dry_run else f"{was}: nothing was done."
    new = len(changes.fresh)
    if dry_run:
        return f"Dry run: {lines} read, {counted(new, 'new event')} ready, {said - new:,} known already, nothing changed."
    return f"Imported {counted(new, 'event')} from {lines}; {said - new:,} said nothing new."


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
