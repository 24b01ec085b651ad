"""Sources whose records are understood by a pure function: bytes in, canonical events out, less what is known already."""

from abc import ABC, abstractmethod
from datetime import date, datetime

from connectors.importers.novelty import what_is_new
from connectors.importers.report import ImportReport
from domain.catalogue import ENTITY_TYPES, split_stream
from domain.connections import Delivery, Page, Reading, Record, Webhook
from domain.errors import NotFound
from domain.event import SalesRow
from domain.events import SalesImported
from domain.model import Value
from domain.ports import State


class ReadingSource(ABC):
    """See ``ports.Source``. A subclass reads and normalises; one that is called by its system verifies the call too."""

    name: str
    streams: tuple[str, ...]

    @abstractmethod
    async def read(self, stream: str, cursor: str, *, now: datetime) -> Page: ...

    @abstractmethod
    def normalise(self, stream: str, raw: bytes, *, at: datetime) -> ImportReport:
        """What a record says, as if nothing were known. Pure. ``at`` is when it came in."""

    def greets(self, request: Webhook) -> bool:
        return False

    def verify_webhook(self, request: Webhook) -> tuple[Record, ...]:
        raise NotFound(f"{self.name} does not take webhooks")

    async def understand(self, delivery: Delivery, *, stream: str, state: State) -> Reading:
        return await only_new(self.normalise(stream, delivery.raw, at=delivery.at), state)

    async def settle(self, delivery: Delivery, *, stream: str, trouble: str) -> None:  # noqa: B027 - most have nothing to do
        """What the system keeps is the system's."""


async def only_new(report: ImportReport, state: State) -> Reading:
    """The events of ``report`` that change what is known; its notes and rejections in one line."""
    known: dict[str, Value] = {}
    for stream in dict.fromkeys(e.data.stream for e in (*report.accepted, *report.assumed)):
        kind, key = split_stream(stream)
        entity = await state.get(ENTITY_TYPES[kind], key)
        if entity is not None:
            known[stream] = entity
    fresh = what_is_new(report, known=known, sales=await _known_sales(report, state))
    said = [*report.notes, *(f"{r.column} {r.value!r} {r.why}" for r in report.rejected)]
    return Reading(events=tuple(fresh), note="; ".join(said)[:1_000])


async def _known_sales(report: ImportReport, state: State) -> dict[str, dict[date, SalesRow]]:
    imported = [e.data for e in report.accepted if isinstance(e.data, SalesImported)]
    days = [day.day for data in imported for day in data.days]
    if not days:
        return {}
    known: dict[str, dict[date, SalesRow]] = {}
    for row in await state.sales(since=min(days), until=max(days), skus=tuple({data.sku for data in imported})):
        known.setdefault(row.sku, {})[row.day] = row
    return known
