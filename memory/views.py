"""Pages of the state and of the log, for people who look: counted, newest first, filtered in the database."""

from collections.abc import AsyncIterator
from typing import Protocol, TypeVar
from uuid import UUID

from domain.catalogue import KIND_OF
from domain.event import Event
from domain.model import Moment, Value
from memory.database import Database, json_of
from memory.state import as_fields

E = TypeVar("E", bound=Value)
_BATCH = 1_000


class EventFilter(Value):
    """Which events to show; an empty field lets everything through. ``before`` is a seq: the page of older ones begins there.

    ``kind`` is the kind of entity (``ticket``), ``type`` a type of event or the beginning of one (``approval.``), ``types``
    are whole types, any of which will do.
    """

    before: int | None = None
    event_id: UUID | None = None
    kind: str = ""
    type: str = ""
    types: tuple[str, ...] = ()
    stream: str = ""
    run: str = ""
    actor: str = ""
    since: Moment | None = None
    until: Moment | None = None


class Views(Protocol):
    """Reads only. Of the log, the months that are in the database."""

    async def waiting(self) -> int:
        """How many questions wait for the operator."""
        ...

    async def count(self, entity: type[Value], **equals: str) -> int: ...

    async def page(self, entity: type[E], *, limit: int = 50, offset: int = 0, **equals: str) -> list[E]:
        """Those that changed last come first."""
        ...

    async def events(self, wanted: EventFilter, *, limit: int = 50) -> list[Event]:
        """Newest first."""
        ...

    def all_events(self, wanted: EventFilter) -> AsyncIterator[Event]:
        """Every one, newest first, read in pages."""
        ...


class PostgresViews:
    """See ``Views``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def waiting(self) -> int:
        row = await self._database.row("count_waiting")
        return int(row["n"]) if row else 0

    async def count(self, entity: type[Value], **equals: str) -> int:
        fields = json_of(as_fields(entity, equals))
        row = await self._database.row("count_states", kind=KIND_OF[entity], fields=fields)
        return int(row["n"]) if row else 0

    async def page(self, entity: type[E], *, limit: int = 50, offset: int = 0, **equals: str) -> list[E]:
        fields = json_of(as_fields(entity, equals))
        rows = await self._database.rows("page_states", kind=KIND_OF[entity], fields=fields, limit=limit, offset=offset)
        return [entity.model_validate(row["body"]) for row in rows]

    async def events(self, wanted: EventFilter, *, limit: int = 50) -> list[Event]:
        rows = await self._database.rows("search_events", limit=limit, **_columns(wanted))
        return [Event.model_validate(row) for row in rows]

    async def all_events(self, wanted: EventFilter) -> AsyncIterator[Event]:
        while page := await self.events(wanted, limit=_BATCH):
            for event in page:
                yield event
            wanted = wanted.model_copy(update={"before": page[-1].seq})


def _columns(wanted: EventFilter) -> dict[str, object]:
    return {
        "before": wanted.before,
        "kind": f"{wanted.kind}/" if wanted.kind else "",
        "event_id": wanted.event_id,
        "type": wanted.type,
        "types": list(wanted.types),
        "stream": wanted.stream,
        "run": wanted.run,
        "actor": wanted.actor,
        "since": wanted.since,
        "until": wanted.until,
    }
