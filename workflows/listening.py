"""Listening to the systems that say when something is new: their runs look at once, and not only when it is time to.

Polling goes on as before, so that nothing is lost where nobody listens.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

import structlog

from domain.connections import Connection
from domain.errors import EffectError
from domain.ports import Bell, Sources

_LOOK_SECONDS = 15.0  # how soon a connection that was switched or changed is noticed
_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 600.0
_ASK_AGAIN = 3_600.0  # a system that has no bell may get one


@dataclass(frozen=True)
class _Listening:
    bell: Bell
    task: asyncio.Task[None]


class Listeners:
    """One listener a connection that is on and has a bell. ``look`` has a connection read now."""

    def __init__(
        self,
        *,
        sources: Sources,
        connections: Callable[[], Awaitable[Sequence[Connection]]],
        look: Callable[[str], Awaitable[None]],
        first_pause: float = _FIRST_PAUSE,
        look_seconds: float = _LOOK_SECONDS,
    ) -> None:
        self._sources = sources
        self._connections = connections
        self._look = look
        self._first_pause = first_pause
        self._look_seconds = look_seconds
        self._listening: dict[str, _Listening] = {}
        self._log = structlog.get_logger().bind(part="listeners")

    async def run(self) -> None:
        """Until cancelled; then nobody listens any more."""
        try:
            while True:
                try:
                    await self.follow()
                except Exception as error:  # noqa: BLE001 - they outlive every outage of what they connect
                    self._log.warning("could not look who is connected, will try again", error=str(error))
                await asyncio.sleep(self._look_seconds)
        finally:
            await self._stop(tuple(self._listening))

    async def follow(self) -> None:
        """Listen to those that are connected now, as they are connected now, and to no others."""
        bells = {c.name: await self._bell(c.name) for c in await self._connections()}
        known = self._listening
        await self._stop([name for name in known if bells.get(name) is not known[name].bell or known[name].task.done()])
        for name, bell in bells.items():
            if bell is not None and name not in known:
                known[name] = _Listening(bell, asyncio.create_task(self._listen(name, bell)))

    async def _bell(self, name: str) -> Bell | None:
        try:
            return await self._sources.bell(name)
        except EffectError:  # it cannot be opened: its run says so to the operator
            return None

    async def _listen(self, name: str, bell: Bell) -> None:
        """Until cancelled. A bell that breaks is left alone for longer and longer; its run tells the operator of outages."""
        pause = self._first_pause
        while True:
            try:
                async with aclosing(bell.rings()) as rings:
                    async for _ in rings:
                        await self._look(name)
                        pause = self._first_pause
                pause = _ASK_AGAIN
            except Exception as error:  # noqa: BLE001 - as above
                self._log.info("does not ring, will try again", connection=name, error=str(error))
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _stop(self, names: Sequence[str]) -> None:
        stopped = [self._listening.pop(name).task for name in names]
        for task in stopped:
            task.cancel()
        await asyncio.gather(*stopped, return_exceptions=True)
