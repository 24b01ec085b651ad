"""Archive, anchors and passages, in memory: an archived month only counts as such, its events stay where they are."""

from collections.abc import Sequence
from datetime import UTC
from hashlib import md5

from domain.errors import ChainBroken, NotFound
from domain.event import Event, NewEvent
from domain.passage import Passage
from domain.retention import Anchor, Manifest, Place, Segment
from memory.fakes.store import Store


class InMemoryArchive:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._sealed: dict[str, Manifest] = {}
        self._detached: set[str] = set()

    async def segments(self) -> list[Segment]:
        months = self._months()
        last = max(months, default="")
        return [
            Segment(
                partition=name,
                place=Place.ARCHIVE if name in self._detached else Place.DATABASE,
                over=name < last,
                manifest=self._sealed.get(name),
            )
            for name in sorted(months)
        ]

    async def seal(self, partition: str) -> Manifest:
        months = self._months()
        if partition not in months or partition == max(months):
            raise ChainBroken(f"{partition} cannot be sealed: it is not a month of the log that is over")
        first, last = months[partition][0], months[partition][-1]
        return self._sealed.setdefault(
            partition,
            Manifest(
                partition=partition,
                events=len(months[partition]),
                first_seq=first.seq,
                last_seq=last.seq,
                prev_hash=first.prev_hash,
                last_hash=last.hash,
            ),
        )

    async def detach(self, manifest: Manifest, event: NewEvent) -> bool:
        if self._sealed.get(manifest.partition) != manifest:
            raise ChainBroken(f"{manifest.partition} stays where it is: it was not sealed so")
        if manifest.partition in self._detached:
            return False
        self._store.append([event])
        self._detached.add(manifest.partition)
        return True

    async def attach(self, partition: str, event: NewEvent) -> bool:
        if partition not in self._sealed:
            raise NotFound(f"no month {partition!r} was ever archived")
        if partition not in self._detached:
            return False
        self._store.append([event])
        self._detached.discard(partition)
        return True

    def _months(self) -> dict[str, list[Event]]:
        months: dict[str, list[Event]] = {}
        for event in self._store.events:
            months.setdefault(f"event_{event.recorded_at.astimezone(UTC):%Y_%m}", []).append(event)
        return months


class InMemoryAnchors:
    def __init__(self) -> None:
        self._anchors: list[Anchor] = []

    async def last(self, *, whole: bool = False) -> Anchor | None:
        return next((a for a in reversed(self._anchors) if a.whole or not whole), None)

    async def note(self, anchor: Anchor) -> None:
        self._anchors.append(anchor)


class InMemoryPassages:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def sample(self, limit: int) -> list[Passage]:
        full = [passage for passage in self._store.passages.values() if passage.text]
        return sorted(full, key=lambda p: (md5(p.passage_id.encode(), usedforsecurity=False).hexdigest(), p.passage_id))[:limit]

    async def get(self, passage_ids: Sequence[str]) -> list[Passage]:
        return [self._store.passages[i] for i in sorted(set(passage_ids)) if i in self._store.passages]
