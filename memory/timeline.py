"""The log as memory itself and the command line see it: the port, and what looking at a log needs besides."""

from collections.abc import Callable, Sequence
from typing import Protocol

from domain.event import Event
from domain.knowledge import Head, Verification
from domain.ports import EventLog

Appended = Callable[[Sequence[Event]], None]
"""Told the events of each append once it is committed."""

Progress = Callable[[int, int], None]
"""Called with the number of events checked so far and the number there is."""


class Timeline(EventLog, Protocol):
    async def last(self, *, stream: str = "", limit: int = 20) -> list[Event]:
        """The last events, newest first, of one stream where given."""
        ...

    async def news(self, seconds: float) -> None:
        """Return when something was appended since the last call, by whomever, or after ``seconds``. One caller a process."""
        ...

    async def verify(
        self, *, since: Head | None = None, anchor: Head | None = None, progress: Progress | None = None
    ) -> Verification:
        """Recompute every hash. ``anchor`` is a head that was kept outside: it must still be part of the chain."""
        ...
