"""The log, the state and the facts, in memory."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date
from typing import TypeVar

from domain.catalogue import KIND_OF
from domain.event import Event, FactOp, NewEvent, SalesRow
from domain.knowledge import Dispute, Fact, Head, Verification
from domain.model import Moment, Value
from memory.beliefs import NEARLY_AT_ONCE, STATUS, Belief
from memory.chain import START, first_problem
from memory.fakes.store import Store
from memory.state import as_fields
from memory.timeline import Progress

E = TypeVar("E", bound=Value)


class InMemoryEventLog:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def append(self, events: Sequence[NewEvent], *, expected: Mapping[str, int] | None = None) -> list[Event]:
        return self._store.append(events, expected)

    async def read(self, *, after: int = 0, stream: str = "", correlation_id: str = "", limit: int = 1_000) -> list[Event]:
        found = (e for e in self._store.events[after:] if stream in ("", e.stream) and correlation_id in ("", e.correlation_id))
        return [event for event, _ in zip(found, range(limit), strict=False)]

    async def last(self, *, stream: str = "", limit: int = 20) -> list[Event]:
        return [e for e in reversed(self._store.events) if stream in ("", e.stream)][:limit]

    async def head(self) -> Head:
        return self._store.head

    async def news(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._store.news.wait(), seconds)
        self._store.news.clear()

    async def verify(
        self, *, since: Head | None = None, anchor: Head | None = None, progress: Progress | None = None
    ) -> Verification:
        start = since or START
        head, problem = first_problem(self._store.events[start.seq :], start)
        met = anchor in (None, START) or any((e.seq, e.hash) == (anchor.seq, anchor.hash) for e in self._store.events if anchor)
        if progress:
            progress(head.seq, self._store.head.seq)
        return Verification(
            events=head.seq - start.seq,
            head=self._store.head,
            problem=problem or ("" if met else "the anchored head is not part of this log"),
        )


class InMemoryState:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, entity: type[E], key: str) -> E | None:
        state = self._store.states.get(f"{KIND_OF[entity]}/{key}")
        return None if state is None else entity.model_validate(state.body)

    async def find(self, entity: type[E], **equals: str) -> list[E]:
        wanted = as_fields(entity, equals).items()
        prefix = f"{KIND_OF[entity]}/"
        bodies = [s.body or {} for stream, s in sorted(self._store.states.items()) if stream.startswith(prefix)]
        return [entity.model_validate(body) for body in bodies if all(body[name] == value for name, value in wanted)]

    async def since(self, entity: type[E], moment: Moment, **equals: str) -> list[E]:
        return [found for found in await self.find(entity, **equals) if (at := _began(found)) and at >= moment]

    async def version(self, entity: type[Value], key: str) -> int:
        state = self._store.states.get(f"{KIND_OF[entity]}/{key}")
        return 0 if state is None else state.version

    async def sales(self, *, since: date, until: date, skus: Sequence[str] = ()) -> list[SalesRow]:
        return [
            SalesRow(sku=sku, day=day, units=c.units, orders=c.orders, returned=c.returned, revenue=c.revenue, additive=False)
            for (sku, day), c in sorted(self._store.sales.items())
            if since <= day <= until and (not skus or sku in skus)
        ]


def _began(entity: Value) -> Moment | None:
    times = (getattr(entity, name, None) for name in ("started_at", "requested_at", "at"))
    return next((time for time in times if time is not None), None)


class InMemoryFacts:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def current(self, subject: str, *, predicate: str = "", status: FactOp = FactOp.ASSERT) -> list[Fact]:
        return [
            fact
            for fact in self._about(subject)
            if predicate in ("", fact.predicate) and fact.status == STATUS[status] and not (fact.believed_to or fact.valid_to)
        ]

    async def as_of(self, subject: str, *, world: Moment, belief: Moment) -> list[Fact]:
        return [
            f
            for f in self._about(subject)
            if f.status == STATUS[FactOp.ASSERT]
            and f.valid_from <= world
            and (f.valid_to is None or world < f.valid_to)
            and f.believed_from <= belief
            and (f.believed_to is None or belief < f.believed_to)
        ]

    async def history(self, subject: str) -> list[Fact]:
        return sorted(self._about(subject), key=lambda f: (f.believed_from, f.predicate, f.object, f.valid_from))

    async def disputed(self, *, since: Moment) -> list[Dispute]:
        told: dict[tuple[str, str], dict[int, tuple[Event, Belief]]] = {}
        by_id = {event.event_id: event for event in self._store.events if event.at >= since}
        for belief in self._store.beliefs.values():
            event = by_id.get(belief.source_event)
            if event and belief.functional and belief.status == STATUS[FactOp.ASSERT]:
                told.setdefault((belief.subject, belief.predicate), {})[event.seq] = (event, belief)
        pairs = [[said[seq] for seq in sorted(said)[-2:]] for _, said in sorted(told.items()) if len(said) > 1]
        return [dispute for other, one in pairs if (dispute := _dispute(one, other)) is not None]

    def _about(self, subject: str) -> list[Fact]:
        rows = [belief.fact() for belief in self._store.beliefs.values() if belief.subject == subject]
        return sorted(rows, key=lambda fact: (fact.predicate, fact.object))


def _dispute(one: tuple[Event, Belief], other: tuple[Event, Belief]) -> Dispute | None:
    (event, belief), (before, rival) = one, other
    settled = belief.believed_to or belief.valid_to or belief.object == rival.object or event.source == before.source
    if settled or abs(event.at - before.at) > NEARLY_AT_ONCE:
        return None
    return Dispute(
        subject=belief.subject,
        predicate=belief.predicate,
        believed=belief.object,
        source=event.source,
        other=rival.object,
        other_source=before.source,
    )
