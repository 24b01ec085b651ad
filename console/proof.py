"""Proving the log from the console: beside the requests, one at a time, and how far it is."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from domain.errors import StewardError
from domain.knowledge import Verification
from memory.timeline import Timeline


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A verification that goes on, or the last one. ``error`` is why it could not be done."""

    began: datetime
    done: int = 0
    total: int = 0
    result: Verification | None = None
    error: str = ""

    @property
    def over(self) -> bool:
        return self.result is not None or bool(self.error)


class Proof:
    """Lives as long as the application."""

    def __init__(self, log: Timeline, *, clock: Callable[[], datetime]) -> None:
        self._log = log
        self._clock = clock
        self._task: asyncio.Task[None] | None = None
        self.standing: Standing | None = None

    def start(self) -> None:
        """Recompute every hash. One that goes on goes on."""
        if self._task is None or self._task.done():
            self.standing = Standing(began=self._clock())
            self._task = asyncio.create_task(self._prove(self.standing))

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _prove(self, begun: Standing) -> None:
        try:
            result = await self._log.verify(progress=self._see)
            self.standing = replace(self.standing or begun, result=result)
        except StewardError as error:
            self.standing = replace(self.standing or begun, error=str(error))

    def _see(self, done: int, total: int) -> None:
        if self.standing is not None:
            self.standing = replace(self.standing, done=done, total=total)
