"""Pages of the state and of the log, in memory."""

from collections.abc import AsyncIterator
from typing import TypeVar

from domain.approvals import Approval, ApprovalStatus
from domain.catalogue import KIND_OF
from domain.event import Event
from domain.model import Value
from memory.fakes.store import Store
from memory.state import as_fields
from memory.views import EventFilter

E = TypeVar("E", bound=Value)


class InMemoryViews:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def waiting(self) -> int:
        return await self.count(Approval, status=ApprovalStatus.PENDING)

    async def count(self, entity: type[Value], **equals: str) -> int:
        return len(self._found(entity, equals))

    async def page(self, entity: type[E], *, limit: int = 50, offset: int = 0, **equals: str) -> list[E]:
        return self._found(entity, equals)[offset : offset + limit]

    async def events(self, wanted: EventFilter, *, limit: int = 50) -> list[Event]:
        return [event for event in reversed(self._store.events) if _shows(wanted, event)][:limit]

    async def all_events(self, wanted: EventFilter) -> AsyncIterator[Event]:
        for event in await self.events(wanted, limit=len(self._store.events)):
            yield event

    def _found(self, entity: type[E], equals: dict[str, str]) -> list[E]:
        wanted, prefix = as_fields(entity, equals).items(), f"{KIND_OF[entity]}/"
        last = {event.stream: event.seq for event in self._store.events}
        rows = [(stream, s.body or {}) for stream, s in self._store.states.items() if stream.startswith(prefix)]
        rows.sort(key=lambda row: (-last[row[0]], row[0]))
        return [entity.model_validate(body) for _, body in rows if all(body[name] == value for name, value in wanted)]


def _shows(wanted: EventFilter, event: Event) -> bool:
    return (
        (wanted.before is None or event.seq < wanted.before)
        and event.stream.startswith(f"{wanted.kind}/" if wanted.kind else "")
        and wanted.event_id in (None, event.event_id)
        and event.type.startswith(wanted.type)
        and (not wanted.types or event.type in wanted.types)
        and wanted.stream in ("", event.stream)
        and wanted.run in ("", event.correlation_id)
        and wanted.actor in ("", event.actor)
        and (wanted.since is None or event.at >= wanted.since)
        and (wanted.until is None or event.at < wanted.until)
    )
