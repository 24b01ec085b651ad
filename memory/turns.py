"""Taking turns: of all processes on one database, one at a time does a piece of work."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import psycopg
import structlog
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row

from memory.database import Connection, execute, fetch

_LOOK = 1.0  # seconds between two looks whether it is one's turn, or still is
_RETRY = 1.0  # seconds between attempts to connect

_log = structlog.get_logger(__name__)


async def in_turn(database_url: str, name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Do ``work`` while it is this process's turn at ``name``. Until the work ends, or this is cancelled.

    The turn is a lock of a session: the database takes it back when the process dies, or is silent for ten seconds, and
    gives it to another one. Who loses it is stopped at the next look; until then two may be at work for a moment.
    """
    while True:
        try:
            async with await AsyncConnection[DictRow].connect(database_url, autocommit=True, row_factory=dict_row) as connection:
                await execute(connection, "end_if_silent")
                await _take(connection, name)
                return await _while_connected(connection, work)
        except psycopg.Error as error:
            _log.warning("lost the turn, will take it again", turn=name, error=str(error))
        await asyncio.sleep(_RETRY)


async def _take(connection: Connection, name: str) -> None:
    """Asks again and again: a statement that waits would keep the database from cleaning up."""
    while not (await fetch(connection, "try_turn", {"name": name}))[0]["held"]:  # noqa: ASYNC110 - others hold it
        await asyncio.sleep(_LOOK)
    _log.info("has the turn", turn=name)


async def _while_connected(connection: Connection, work: Callable[[], Awaitable[None]]) -> None:
    """Raises psycopg.Error, with the work stopped, where the session that holds the turn is gone."""
    working = asyncio.ensure_future(work())
    try:
        while not working.done():
            await asyncio.wait({working}, timeout=_LOOK)
            await execute(connection, "pulse")
        await working
    finally:
        working.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working
