"""What the fakes keep in place of Postgres. Every method runs without awaiting, so it is all or nothing."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID

from domain.access import Session
from domain.connections import Delivery, StreamProgress
from domain.context import ContextPack
from domain.effects import Breaker, Effect
from domain.event import Event, NewEvent
from domain.knowledge import Head, OutboxItem
from domain.passage import Passage
from domain.passkeys import Passkey
from memory.append import Start, check_expected, check_same, distinct, seal
from memory.beliefs import Belief, Beliefs
from memory.chain import START
from memory.folding import Folder, Step, StreamState
from memory.projections import SalesChange, latest_passages, merge_sales
from memory.timeline import Appended


@dataclass(frozen=True)
class Call:
    """A call of a model, and what it cost in US dollars."""

    at: datetime
    engine: str
    model: str
    cost: Decimal


@dataclass
class Store:
    """``now`` is the clock of the store, as Postgres has its own."""

    now: Callable[[], datetime]
    appended: Appended = lambda _: None
    events: list[Event] = field(default_factory=list)
    states: dict[str, StreamState] = field(default_factory=dict)
    sales: dict[tuple[str, date], SalesChange] = field(default_factory=dict)
    beliefs: dict[int, Belief] = field(default_factory=dict)
    wakes: dict[int, OutboxItem] = field(default_factory=dict)
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    received: dict[tuple[str, str], Delivery] = field(default_factory=dict)
    understood: dict[tuple[str, str], datetime] = field(default_factory=dict)
    streams: dict[tuple[str, str], StreamProgress] = field(default_factory=dict)
    effects: dict[str, Effect] = field(default_factory=dict)
    usage: dict[tuple[str, Any], Any] = field(default_factory=dict)
    breakers: dict[tuple[str, str], Breaker] = field(default_factory=dict)
    answers: dict[str, tuple[dict[str, Any], datetime]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    passages: dict[str, Passage] = field(default_factory=dict)
    packs: dict[str, tuple[ContextPack, datetime]] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    passkeys: dict[bytes, Passkey] = field(default_factory=dict)
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    @property
    def head(self) -> Head:
        return Head(seq=self.events[-1].seq, hash=self.events[-1].hash) if self.events else START

    def append(self, events: Sequence[NewEvent], expected: Mapping[str, int] | None = None) -> list[Event]:
        wanted = distinct(events)
        known = {e.event_id: e for e in self.events if e.event_id in wanted}
        for event_id, event in known.items():
            check_same(event, wanted[event_id])
        fresh = [event for event_id, event in wanted.items() if event_id not in known]
        if fresh:
            check_expected(self.states, expected or {})
            sealed = self._add(fresh)
            self.appended(sealed)
            self.news.set()
            known |= {event.event_id: event for event in sealed}
        return [known[event.event_id] for event in events]

    def _add(self, fresh: Sequence[NewEvent]) -> list[Event]:
        folder = Folder(self.states)
        steps = [folder.fold(event.data) for event in fresh]
        sealed = seal(fresh, steps, Start(self.head, self._moment()))
        self.states = folder.states
        self.events += sealed
        self._add_sales(fresh)
        self.passages |= latest_passages(sealed, [event.data for event in fresh])
        for event, new, step in zip(sealed, fresh, steps, strict=True):
            self._believe(new, event.recorded_at)
            self._wake(event.event_id, step, event.at)
        return sealed

    def _moment(self) -> datetime:
        last = self.events[-1].recorded_at + timedelta(microseconds=1) if self.events else self.now()
        return max(self.now(), last)

    def _add_sales(self, events: Sequence[NewEvent]) -> None:
        for key, change in merge_sales(row for event in events for row in event.data.sales()).items():
            row = self.sales.get(key)
            if row is None or change.restated:
                self.sales[key] = change
                continue
            row.units += change.units
            row.orders += change.orders
            row.returned += change.returned
            row.revenue += change.revenue

    def _believe(self, event: NewEvent, now: datetime) -> None:
        beliefs = Beliefs.of(b for b in self.beliefs.values() if b.believed_to is None)
        for change in event.data.facts(event.at):
            beliefs.apply(change, source=event.event_id, now=now)
        for row, moment in beliefs.closed.items():
            self.beliefs[row] = self.beliefs[row].until(moment)
        for belief in beliefs.added:
            row = next(self.numbers)
            self.beliefs[row] = belief.stored_as(row)

    def _wake(self, event_id: UUID, step: Step, at: datetime) -> None:
        if step.wake is not None:
            item_id = next(self.numbers)
            self.woken.set()
            self.wakes[item_id] = OutboxItem(item_id=item_id, topic=step.wake.topic, key=step.wake.key, event_id=event_id, at=at)
