"""The working cache: entities of the task at hand, dropped the moment anybody changes them."""

from collections.abc import Sequence
from typing import TypeVar

from cachetools import TTLCache

from domain.catalogue import KIND_OF
from domain.event import Event
from domain.model import Value
from domain.ports import State
from memory.append import EVERYTHING
from memory.listener import STATE, Listener

E = TypeVar("E", bound=Value)


class WorkingCache:
    """Reads through to ``state``. At most ``size`` entities, none older than ``seconds``.

    Other processes' changes are heard through ``listener``. While it is down every read goes through: a copy is never
    older than the last notice. Processes that live for one command never start one.
    """

    def __init__(self, state: State, *, listener: Listener | None = None, size: int = 4_096, seconds: float = 60) -> None:
        self._state = state
        self._listener = listener
        self._entities: TTLCache[str, Value | None] = TTLCache(size, seconds)
        self._age = 0  # counts what was forgotten, so that a read that began before it is not kept after it
        if listener is not None:
            listener.hear(STATE, self._hear, changed=self.forget_all)

    async def get(self, entity: type[E], key: str) -> E | None:
        if self._listener is not None and not self._listener.up:
            return await self._state.get(entity, key)
        stream = f"{KIND_OF[entity]}/{key}"
        if stream in self._entities:
            return self._entities[stream]  # type: ignore[return-value]  # the stream's kind says which entity it is
        age = self._age
        found = await self._state.get(entity, key)
        if age == self._age:
            self._entities[stream] = found
        return found

    def forget(self, streams: Sequence[str]) -> None:
        self._age += 1
        for stream in streams:
            self._entities.pop(stream, None)

    def forget_all(self) -> None:
        self._age += 1
        self._entities.clear()

    def appended(self, events: Sequence[Event]) -> None:
        """This process's own appends are known before their notice comes back."""
        self.forget([event.stream for event in events])

    def _hear(self, payload: str) -> None:
        if payload == EVERYTHING:
            self.forget_all()
        else:
            self.forget(payload.split("\n"))
