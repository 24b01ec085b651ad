"""Files that are put into a folder: each is imported once, whole or not at all, and put away with a report beside it."""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from connectors.dropped import (
    KINDS,
    MISPLACED,
    MOST_BYTES,
    TOO_LARGE,
    UNREADABLE,
    DropOptions,
    Dropped,
    key_of,
    kind_of,
    read_dropped,
    refusal,
    reports,
    sha256,
    start_of,
    what_to_do,
)
from connectors.dropped_files import DONE, REJECTED, Box, Found, name_for, read_whole, shown
from connectors.importers.again import imported_before, lowered
from connectors.importers.report import ImportReport
from connectors.importers.table import TableOptions
from connectors.kinds import Kind, Opened, Opening, Setting, day, one_of, whole_number
from connectors.reading import ReadingSource, only_new
from domain.connections import Connection, ConnectionMode, Delivery, FileOutcome, FileTaken, Page, Reading, Record, TakenFile
from domain.entities import Product, Shop
from domain.errors import InvalidInput
from domain.event import EventData, NewEvent, new_event
from domain.ids import digest
from domain.ports import State
from domain.runs import Alert, AlertClosed, AlertLevel, AlertRaised

FILES = "files"
NAME = "drop-folder"
_POLL_SECONDS = 10
_PAGE_FILES, _PAGE_BYTES = 50, 32 * 1024 * 1024


@dataclass(frozen=True)
class _Told:
    """What became of a file, until it is put away."""

    file: TakenFile
    report: ImportReport | None = None
    repeated: str = ""


class DropFolder(ReadingSource):
    """A cursor has the marks of the files that were read and still lie there. See ``ports.Source``."""

    streams: tuple[str, ...] = (FILES,)

    def __init__(
        self, name: str, box: Box, options: DropOptions, *, still_seconds: float, clock: Callable[[], float] = time.time
    ) -> None:
        self.name = name
        self._box = box
        self._options = options
        self._still = still_seconds
        self._clock = clock
        self._told: dict[str, _Told] = {}

    async def check(self) -> str:
        return await asyncio.to_thread(self._check)

    async def read(self, stream: str, cursor: str, *, now: datetime) -> Page:
        return await asyncio.to_thread(self._read, set(json.loads(cursor or "[]")))

    def normalise(self, stream: str, raw: bytes, *, at: datetime) -> ImportReport:
        raise InvalidInput("a file is nothing without its name")

    async def understand(self, delivery: Delivery, *, stream: str, state: State) -> Reading:
        """Its events and the word that it was taken, or the word that it was rejected, and an alert."""
        dropped = Dropped.of(delivery.external_id, delivery.raw)
        if dropped.content == MISPLACED:
            return self._misplaced(delivery, dropped)
        before = await imported_before(state, key_of(dropped, self._options), dropped.key)
        if before is not None:
            return self._again(delivery, dropped, before)
        shop = await state.get(Shop, "self")
        options = replace(self._options, own=(shop.email,) if shop else ())
        try:
            listed = frozenset(product.sku for product in await state.find(Product))
            report = await asyncio.to_thread(read_dropped, dropped, delivery.raw, options, at=delivery.at, catalogue=listed)
        except InvalidInput as error:
            return self._rejected(delivery, dropped, str(error), None)
        if why := refusal(report):
            return self._rejected(delivery, dropped, why, report)
        return await self._imported(delivery, dropped, report, state)

    async def settle(self, delivery: Delivery, *, stream: str, trouble: str) -> None:
        """Moved to ``done`` or ``rejected``, under a name that says when; the report is there first."""
        told = self._told.pop(delivery.external_id, None)
        if told is None:
            return
        dropped = Dropped.of(delivery.external_id, delivery.raw)
        if trouble:
            told = _Told(told.file.model_copy(update={"outcome": FileOutcome.REJECTED, "why": trouble}), told.report)
        into = DONE if told.file.outcome is FileOutcome.IMPORTED else REJECTED
        name = name_for(dropped.name, at=delivery.at, digest=dropped.key)
        written = reports(told.file, told.report, repeated=told.repeated)
        await asyncio.to_thread(self._box.put_away, dropped.mark, into=into, name=name, reports=written)

    def _check(self) -> str:
        self._box.open()
        waiting = len(self._box.files())
        return f"{self._box.root} has {waiting} file{'' if waiting == 1 else 's'} to read"

    def _read(self, known: set[str]) -> Page:
        self._box.open()
        found = sorted(self._box.files(), key=_place)
        fresh = [one for one in found if one.mark not in known and self._has_stood_still(one)]
        records, size, given = list[Record](), 0, {one.mark for one in found} & known
        for one in fresh[:_PAGE_FILES]:
            if records and size + one.size > _PAGE_BYTES:
                break
            record = _record(one)
            if record is not None:
                records.append(record)
                given.add(one.mark)
                size += len(record.raw)
        more = len(fresh) > len(records) > 0
        told, marks = self._strangers(known)
        return Page(records=(*records, *told), cursor=json.dumps(sorted(given | marks)), more=more)

    def _strangers(self, known: set[str]) -> tuple[list[Record], set[str]]:
        """A record for each folder that is none of ours and has a new file in it; and the marks of all files there."""
        records, marks = list[Record](), set[str]()
        for folder in self._box.misplaced():
            finished = [one for one in folder if one.mark in known or self._has_stood_still(one)]
            if new := next((one for one in finished if one.mark not in known), None):
                records.append(Record(stream=FILES, external_id=str(Dropped(MISPLACED, new.mark, shown(new.relative))), raw=b""))
            marks |= {one.mark for one in finished}
        return records, marks

    def _has_stood_still(self, found: Found) -> bool:
        return self._clock() - found.changed_at >= self._still

    def _misplaced(self, delivery: Delivery, dropped: Dropped) -> Reading:
        """It stays where it is: that folder may have another use. One alert a folder, again when another file comes."""
        folder = dropped.name.partition("/")[0]
        alert = Alert(
            key=f"file/{folder}/"[:200],
            level=AlertLevel.WARNING,
            text=f"the file {dropped.name[:100]} was not read: nothing is read from the folder {folder[:100]}",
            what_to_do=f"put it into {self._box.root}, or into a folder there called {', '.join(KINDS)}",
            at=delivery.at,
        )
        return Reading(events=_events([AlertRaised(alert=alert)], delivery), note=alert.text)

    async def _imported(self, delivery: Delivery, dropped: Dropped, report: ImportReport, state: State) -> Reading:
        reading = await only_new(report, state)
        count = len(reading.events)
        file = self._file(delivery, dropped, FileOutcome.IMPORTED, rows=report.rows, events=count)
        told: list[EventData] = [FileTaken(file=file)]
        alert = await state.get(Alert, _alert_key(dropped))
        if alert is not None and alert.open:
            told.append(AlertClosed(key=alert.key, by="steward"))
        report = replace(report, notes=(*report.notes, *await lowered(reading.events, state)))
        self._told[delivery.external_id] = _Told(file, report)
        return Reading(events=(*reading.events, *_events(told, delivery)), note=reading.note)

    def _rejected(self, delivery: Delivery, dropped: Dropped, why: str, report: ImportReport | None) -> Reading:
        rows = report.rows if report else 0
        file = self._file(delivery, dropped, FileOutcome.REJECTED, rows=rows, why=why)
        alert = Alert(
            key=_alert_key(dropped),
            level=AlertLevel.WARNING,
            text=f"the file {file.name[:100]} was not imported: {why}"[:500],
            what_to_do=f"{what_to_do(file, str(self._box.root))}; the file and a report are in its folder {REJECTED}",
            at=delivery.at,
        )
        self._told[delivery.external_id] = _Told(file, report)
        return Reading(events=_events([FileTaken(file=file), AlertRaised(alert=alert)], delivery), note=why[:1_000])

    def _again(self, delivery: Delivery, dropped: Dropped, before: TakenFile) -> Reading:
        """The same content: dropped once more, or understood once more after a crash. Either way nothing is left to do."""
        own = before.delivery == delivery.external_id
        repeated = "" if own else f"The same content was imported before: {before.name}, on {before.at:%Y-%m-%d at %H:%M} UTC."
        file = before if own else before.model_copy(update={"name": dropped.name[:200], "at": delivery.at})
        self._told[delivery.external_id] = _Told(file, repeated=repeated)
        return Reading(note=repeated)

    def _file(
        self, delivery: Delivery, dropped: Dropped, outcome: FileOutcome, *, rows: int, events: int = 0, why: str = ""
    ) -> TakenFile:
        return TakenFile(
            digest=key_of(dropped, self._options),
            delivery=delivery.external_id,
            name=dropped.name[:200],
            kind=kind_of(dropped.name),
            outcome=outcome,
            rows=rows,
            events=events,
            why=why[:1_000],
            at=delivery.at,
        )


def _record(found: Found) -> Record | None:
    """None where it changes while it is read: then it is not finished."""
    content, raw = TOO_LARGE, b""
    if found.size <= MOST_BYTES:
        try:
            whole = read_whole(found)
        except OSError:
            content = UNREADABLE
        else:
            if whole is None:
                return None
            content, raw = sha256(whole), whole
    return Record(stream=FILES, external_id=str(Dropped(content, found.mark, shown(found.relative))), raw=raw)


def _place(found: Found) -> tuple[int, str]:
    kind = kind_of(found.relative)
    return KINDS.index(kind) if kind else len(KINDS), found.relative


def _events(told: Sequence[EventData], delivery: Delivery) -> tuple[NewEvent, ...]:
    return tuple(new_event(data, at=delivery.at, key=(delivery.external_id, digest(data))) for data in told)


def _alert_key(dropped: Dropped) -> str:
    return f"file/{dropped.name}"[:200]


def _open(opening: Opening) -> Opened:
    given = opening.settings
    home = opening.folder.parents[1]  # the connection's own folder is <home>/connections/<name>
    root = home / Path(given["folder"]).expanduser()
    table = TableOptions(date_format=given["date_format"], decimal=given["decimal"], currency=given["currency"])
    options = DropOptions(table=table, since=start_of(given["since"]))
    source = DropFolder(opening.name, Box(root, parts=KINDS), options, still_seconds=float(given["still_seconds"]))
    return Opened(check=source.check, source=source)


def _currency(value: str) -> str:
    code = value.strip().upper()
    if len(code) != 3 or not code.isascii() or not code.isalpha():
        raise InvalidInput(f"{value.strip()[:20]!r} is no currency", hint="its ISO code, such as EUR")
    return code


KIND = Kind(
    name=NAME,
    title="a folder for files: catalogue, customers, orders, sales, tickets",
    settings=(
        Setting(name="folder", ask="The folder; a relative one is in the home", default="inbox"),
        Setting(name="currency", ask="The currency of amounts that do not say theirs", default="EUR", check=_currency),
        Setting(name="decimal", ask="The decimal mark, . or ,; empty for as it is", default="", check=one_of("", ".", ",")),
        Setting(name="date_format", ask="How dates are written, such as %d.%m.%Y; empty for ISO 8601", default=""),
        Setting(name="since", ask="Answer mails from this day on", default="today", check=day),
        Setting(name="still_seconds", ask="Seconds a file must stand still", default="5", check=whole_number(0, 3_600)),
    ),
    open=_open,
    reads={FILES: "each file is imported once, whole or not at all, and put away with a report"},
)


def connection() -> Connection:
    """As it is where nobody said otherwise: live, because it does nothing to anybody."""
    return Connection(name=NAME, kind=NAME, mode=ConnectionMode.LIVE, settings=KIND.checked({}), poll_seconds=_POLL_SECONDS)
