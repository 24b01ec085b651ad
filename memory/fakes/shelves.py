"""Boxes, journal, recall and packs, in memory."""

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import UTC, date
from decimal import Decimal
from typing import Any

from domain.attempts import Attempt, AttemptStatus
from domain.connections import Delivery, StreamProgress
from domain.context import ContextPack
from domain.errors import NotFound
from domain.knowledge import OutboxItem, Recalled
from domain.model import Moment
from domain.passage import Passage
from domain.ports import Embedder
from memory.attempts import check_expected, used_reference
from memory.fakes.store import Call, Store
from memory.ranking import fuse
from memory.vectors import nearest_of

_DEPTH = 50


class InMemoryInbox:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def receive(self, source: str, external_id: str, raw: bytes, *, at: Moment) -> bool:
        known = (source, external_id) in self._store.received
        self._store.received.setdefault((source, external_id), Delivery(source=source, external_id=external_id, raw=raw, at=at))
        return not known

    async def waiting(self, source: str, limit: int = 100) -> list[Delivery]:
        return [d for key, d in self._store.received.items() if d.source == source and key not in self._store.understood][:limit]

    async def understood(self, source: str, external_id: str, *, note: str = "", at: Moment) -> None:
        self._store.understood.setdefault((source, external_id), at)

    async def blank(self, *, before: Moment, at: Moment, limit: int) -> int:
        received = self._store.received
        due = [key for key, then in self._store.understood.items() if then < before and key in received and received[key].raw]
        for key in due[:limit]:
            received[key] = received[key].model_copy(update={"raw": b""})
        return len(due[:limit])


class InMemoryCursors:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def streams(self, connection: str) -> list[StreamProgress]:
        return [state for (owner, _), state in sorted(self._store.streams.items()) if owner == connection]

    async def advance(self, connection: str, stream: str, cursor: str, *, at: Moment) -> None:
        change = {"cursor": cursor, "read_at": at, "failures": 0, "error": ""}
        self._store.streams[connection, stream] = self._state(connection, stream).model_copy(update=change)

    async def failed(self, connection: str, stream: str, error: str, *, at: Moment) -> int:
        before = self._state(connection, stream)
        change = {"failures": before.failures + 1, "error": error, "failed_at": at}
        self._store.streams[connection, stream] = before.model_copy(update=change)
        return before.failures + 1

    def _state(self, connection: str, stream: str) -> StreamProgress:
        return self._store.streams.get((connection, stream), StreamProgress(connection=connection, stream=stream))


class InMemoryOutbox:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def pending(self, limit: int = 100) -> list[OutboxItem]:
        return sorted(self._store.wakes.values(), key=lambda item: item.item_id)[:limit]

    async def delivered(self, item_ids: Sequence[int]) -> None:
        for item_id in item_ids:
            self._store.wakes.pop(item_id, None)

    async def wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._store.woken.wait(), seconds)
        self._store.woken.clear()


class InMemoryAttempts:
    def __init__(self) -> None:
        self._attempts: dict[str, Attempt] = {}

    async def prepare(self, attempt: Attempt) -> Attempt:
        return self._attempts.setdefault(attempt.key, attempt)

    async def begin(self, key: str, *, expected: int) -> bool:
        attempt = self._attempts.get(key)
        if attempt is None:
            raise NotFound(f"nothing was prepared under {key}", hint="prepare it first")
        if attempt.status is not AttemptStatus.READY:
            return False
        others = [a for a in self._attempts.values() if a.connection == attempt.connection and a.status is not AttemptStatus.READY]
        if any(other.reference == attempt.reference for other in others):
            raise used_reference(attempt)
        check_expected(attempt, sum(other.stream == attempt.stream for other in others), expected)
        self._attempts[key] = attempt.model_copy(update={"status": AttemptStatus.SENDING})
        return True

    async def settle(self, key: str, status: AttemptStatus) -> None:
        if self._attempts[key].status is AttemptStatus.SENDING:
            self._attempts[key] = self._attempts[key].model_copy(update={"status": status})

    async def find(self, key: str) -> Attempt | None:
        return self._attempts.get(key)

    def drop_payloads(self, *, before: Moment) -> int:
        old = [a for a in self._attempts.values() if a.status is AttemptStatus.SENT and a.at < before and a.payload]
        self._attempts |= {a.key: a.model_copy(update={"payload": b""}) for a in old}
        return len(old)

    async def begun(self, connection: str, stream: str) -> list[Attempt]:
        found = (a for a in self._attempts.values() if (a.connection, a.stream) == (connection, stream))
        return [a.model_copy(update={"payload": b""}) for a in found if a.status is not AttemptStatus.READY]


class InMemoryModelJournal:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def recall(self, cache_key: str) -> dict[str, Any] | None:
        answer, _ = self._store.answers.get(cache_key, (None, None))
        return answer

    async def record(self, cache_key: str, answer: dict[str, Any], *, cost: Any, engine: str, model: str, at: Moment) -> None:
        self._store.answers[cache_key] = (answer, at)
        self._store.calls.append(Call(at=at, engine=engine, model=model, cost=cost))

    async def spent(self, day: date) -> Decimal:
        return spent_on(day, self._store)


def spent_on(day: date, store: Store) -> Decimal:
    return sum((call.cost for call in store.calls if call.at.astimezone(UTC).date() == day), Decimal(0))


class InMemoryPackStore:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def put(self, pack: ContextPack, *, at: Moment) -> None:
        _, before = self._store.packs.get(pack.hash, (pack, at))
        self._store.packs[pack.hash] = (pack, max(at, before))

    async def get(self, pack_hash: str) -> ContextPack | None:
        pack, _ = self._store.packs.get(pack_hash, (None, None))
        return pack


class InMemoryRecall:
    """Words in common in place of full text; the vectors are compared one by one."""

    def __init__(self, store: Store, *, embedder: Embedder) -> None:
        self._store = store
        self._embedder = embedder

    async def search(self, query: str, *, entities: Sequence[str] = (), limit: int = 8, now: Moment) -> list[Recalled]:
        passages = list(self._store.passages.values())
        words = {p.passage_id: len(_words(query) & _words(p.text)) for p in passages}
        about = {p.passage_id: len(set(entities) & set(p.entities)) for p in passages}
        signals = {"text": _best(words), "vector": self._near(query, passages), "entity": _best(about)}
        return fuse(signals, self._store.passages, now=now, limit=limit)

    async def reindex(self) -> int:
        return len(self._store.passages)

    def _near(self, query: str, passages: Sequence[Passage]) -> list[str]:
        vectors = self._embedder.embed([query, *(p.text for p in passages)])
        distances = (float(d) for d in 1 - vectors[1:] @ vectors[0])
        return nearest_of(zip(distances, (p.passage_id for p in passages), strict=True), _DEPTH)


def _words(text: str) -> set[str]:
    return set(text.lower().split())


def _best(scores: dict[str, int]) -> list[str]:
    return [i for i, score in sorted(scores.items(), key=lambda pair: (-pair[1], pair[0])) if score][:_DEPTH]
