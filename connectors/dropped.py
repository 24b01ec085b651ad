"""What a dropped file is, by its name, and what is in it. Pure."""

import hashlib
import json
import re
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, time

from connectors.importers.again import file_key
from connectors.importers.catalog import CatalogOptions, read_catalog
from connectors.importers.customers import read_customers
from connectors.importers.mail import mails_of, read_mail
from connectors.importers.orders import read_orders
from connectors.importers.report import ImportReport, Rejection
from connectors.importers.sales import read_sales
from connectors.importers.table import TableOptions, unpack
from domain.connections import FileOutcome, TakenFile
from domain.errors import InvalidInput
from domain.wording import counted

KINDS = ("catalog", "customers", "orders", "sales", "tickets")
"""In the order in which they are taken, where several came."""
MOST_BYTES = 64 * 1024 * 1024
_MOST_UNPACKED = 256 * 1024 * 1024
_MOST_SHOWN, _MOST_LISTED = 200, 10_000
TOO_LARGE, UNREADABLE, MISPLACED = "too-large", "unreadable", "misplaced"
_NO_CONTENT = (TOO_LARGE, UNREADABLE, MISPLACED)
_WORD = re.compile(r"[a-z]+")


@dataclass(frozen=True)
class DropOptions:
    """How the cells of all dropped tables are written; mails from before ``since`` are left in peace, and those of ``own``."""

    table: TableOptions
    since: datetime
    own: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dropped:
    """A file as the inbox names it. ``content`` is its SHA-256, or why there is none; ``mark`` tells it from others."""

    content: str
    mark: str
    name: str

    def __str__(self) -> str:
        return f"{self.content}:{self.mark}:{self.name}"

    @classmethod
    def of(cls, external_id: str, raw: bytes) -> "Dropped":
        """Raises InvalidInput."""
        content, _, rest = external_id.partition(":")
        mark, _, name = rest.partition(":")
        if not name:
            raise InvalidInput("this names no file")
        return cls(content if content in _NO_CONTENT else sha256(raw), mark, name)

    @property
    def key(self) -> str:
        """Its content, as far as it was read."""
        return f"{self.content}-{self.mark}" if self.content in _NO_CONTENT else self.content


def sha256(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def kind_of(relative: str) -> str:
    """By its folder, else by the first word of its name, else by its ending; empty where nothing tells."""
    folder, _, name = relative.lower().rpartition("/")
    word = _WORD.match(name)
    if folder in KINDS:
        return folder
    if word and word.group() in KINDS:
        return word.group()
    return "tickets" if name.removesuffix(".gz").endswith(".mbox") else ""


def read_dropped(
    dropped: Dropped, raw: bytes, options: DropOptions, *, at: datetime, catalogue: Collection[str] | None = None
) -> ImportReport:
    """All of it or none: raises InvalidInput for a file that cannot be taken as a whole. Of mails, those that can be read.

    ``catalogue`` are the SKUs that are known, None where nobody can say.
    """
    if dropped.content == TOO_LARGE:
        raise InvalidInput(f"it is larger than {MOST_BYTES // 2**20} MB", hint="split it, or `./steward import` it")
    if dropped.content == UNREADABLE:
        raise InvalidInput("it cannot be read", hint="check its owner and permissions")
    kind = kind_of(dropped.name)
    if not kind:
        words = ", ".join(KINDS)
        raise InvalidInput("its name does not say what is in it", hint=f"begin it with, or put it into a folder called: {words}")
    plain = unpack(raw, limit=_MOST_UNPACKED)
    if kind != "tickets" and b"\x00" in plain and not plain.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InvalidInput("this is not a text file", hint="save the spreadsheet as CSV")
    table = options.table
    readers: dict[str, Callable[[], ImportReport]] = {
        "catalog": lambda: read_catalog(plain, table=table, catalog=CatalogOptions(), at=at),
        "customers": lambda: read_customers(plain, table=table, at=at),
        "orders": lambda: read_orders(plain, table=table, today=at.date(), catalogue=catalogue),
        "sales": lambda: read_sales(plain, table=table, today=at.date(), catalogue=catalogue),
        "tickets": lambda: read_mail(mails_of(plain, name="it"), own=options.own, at=at, since=options.since),
    }
    return readers[kind]()


def key_of(dropped: Dropped, options: DropOptions) -> str:
    """What it is known by; mails have ids of their own, however they are read."""
    kind = kind_of(dropped.name)
    if kind in ("", "tickets") or dropped.content in _NO_CONTENT:
        return dropped.key
    return file_key(kind, dropped.content, table=options.table)


def refusal(report: ImportReport) -> str:
    """Why nothing of it may be taken; empty where all may be."""
    if report.kind == "tickets" or not report.rejected:
        return ""
    first, more = report.rejected[0], len(report.rejected) - 1
    return f"line {first.line}: {first.column} {first.why}".strip() + (f" (and {more} more)" if more else "")


def what_to_do(file: TakenFile, folder: str) -> str:
    """A file in a folder comes without options, so where one would help, the command takes it."""
    again = f"mend it and put it into {folder} again"
    return f"{again}, or `./steward import {file.kind} FILE` with the option" if " --" in file.why and file.kind else again


def reports(file: TakenFile, report: ImportReport | None, *, repeated: str = "") -> dict[str, bytes]:
    """For people and for programs, by the ending of their names. ``repeated`` says that nothing was done, and why."""
    told = _for_people(file, report, repeated)
    as_json = {
        **file.model_dump(mode="json", exclude={"delivery"}),
        "repeated": bool(repeated),
        "notes": list(report.notes) if report else [],
        "rejected": [asdict(r) for r in report.rejected[:_MOST_LISTED]] if report else [],
    }
    return {"report.txt": told.encode(), "report.json": json.dumps(as_json, indent=1, ensure_ascii=False).encode()}


def _for_people(file: TakenFile, report: ImportReport | None, repeated: str) -> str:
    about = f"{file.name}, taken {file.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" + (f" as {file.kind}" if file.kind else "")
    lines = [about, ""]
    if repeated:
        lines += [repeated, "Nothing was done."]
    elif file.outcome is FileOutcome.REJECTED:
        lines += [f"Nothing of it was imported: {file.why}", f"To do: {what_to_do(file, 'the folder')}."]
    else:
        lines += [f"Imported: {counted(file.rows, 'line')} read, {counted(file.events, 'new event')}."]
    lines += [f"- {note}" for note in report.notes] if report else []
    return "\n".join([*lines, *_rejections(report.rejected if report else ())]) + "\n"


def _rejections(rejected: tuple[Rejection, ...]) -> list[str]:
    if not rejected:
        return []
    lines = ["", "What could not be read:"]
    lines += [f"  line {r.line}: {r.column} {r.value!r} {r.why}" for r in rejected[:_MOST_SHOWN]]
    left = len(rejected) - _MOST_SHOWN
    return [*lines, f"  … and {left:,} more: see the .json"] if left > 0 else lines


def start_of(day: str) -> datetime:
    """The first moment of an ISO day."""
    return datetime.combine(datetime.fromisoformat(day).date(), time.min, UTC)
