"""One connection that listens for what other processes commit."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable

import psycopg
import structlog
from psycopg import AsyncConnection

from memory.sql import statement

STATE = "steward_state"
OUTBOX = "steward_outbox"

_PULSE = 10.0  # seconds without a notice after which the connection is tried
_RETRY = 1.0  # seconds between attempts to connect

_log = structlog.get_logger(__name__)


class Listener:
    """Started by its first use. While it is down ``up`` is False, and whoever keeps copies must not use them."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._task: asyncio.Task[None] | None = None
        self._news: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._hearers: dict[str, Callable[[str], None]] = {}
        self._changed: Callable[[], None] = lambda: None
        self.up = False

    def hear(self, channel: str, hearer: Callable[[str], None], *, changed: Callable[[], None]) -> None:
        """Call ``hearer`` with every notice, and ``changed`` whenever notices may have been missed."""
        self._hearers[channel] = hearer
        self._changed = changed

    def start(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="listener")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def wait(self, channel: str, seconds: float) -> None:
        """Until there is news on ``channel`` since the last wait, or ``seconds`` have passed."""
        self.start()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._news[channel].wait(), seconds)
        self._news[channel].clear()

    async def _run(self) -> None:
        while True:
            try:
                async with await AsyncConnection.connect(self._url, autocommit=True) as connection:
                    await self._listen(connection)
            except psycopg.Error as error:
                _log.warning("not listening to Postgres", error=str(error))
            finally:
                self._set(up=False)
            await asyncio.sleep(_RETRY)

    async def _listen(self, connection: AsyncConnection) -> None:
        await connection.execute(statement("listen_state"))
        await connection.execute(statement("listen_outbox"))
        self._set(up=True)
        while True:
            async for notice in connection.notifies(timeout=_PULSE):
                self._tell(notice.channel, notice.payload)
            await connection.execute(statement("pulse"))

    def _tell(self, channel: str, payload: str) -> None:
        self._news[channel].set()
        if channel in self._hearers:
            self._hearers[channel](payload)

    def _set(self, *, up: bool) -> None:
        """Down or up again, something may have been missed: everybody looks for themselves."""
        self.up = up
        self._changed()
        for event in self._news.values():
            event.set()
