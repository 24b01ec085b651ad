"""Connections to Postgres: transactions, named statements, and errors in the project's own words."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from domain.errors import InvalidInput, Retryable, SetupError
from domain.ids import canonical_json
from memory.sql import statement

Connection = AsyncConnection[DictRow]

_GONE = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout)
"""The server is away, went away, or chose this transaction as the victim of a deadlock."""


_OPEN_WITHIN = 10.0  # seconds


class Database:
    """A pool of connections. Every use is one transaction; ``Retryable`` means that nothing of it is certain."""

    def __init__(self, pool: AsyncConnectionPool[Connection]) -> None:
        self._pool = pool

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Commits at the end, rolls back on any error. Raises Retryable where Postgres is away."""
        try:
            async with self._pool.connection() as connection, connection.transaction():
                yield connection
        except _GONE as error:
            raise Retryable(f"Postgres did not answer: {error}", hint="it is tried again; see `steward status`") from error
        except (psycopg.DataError, UnicodeEncodeError) as error:
            raise InvalidInput(f"Postgres cannot store this: {error}", hint="mend the value") from error

    async def rows(self, name: str, **parameters: Any) -> list[DictRow]:
        async with self.transaction() as connection:
            return await fetch(connection, name, parameters)

    async def row(self, name: str, **parameters: Any) -> DictRow | None:
        return next(iter(await self.rows(name, **parameters)), None)

    async def run(self, name: str, **parameters: Any) -> int:
        """The number of rows the statement changed."""
        async with self.transaction() as connection:
            return await execute(connection, name, parameters)


class Transaction:
    """An open transaction, read as a ``Database`` is."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def rows(self, name: str, **parameters: Any) -> list[DictRow]:
        return await fetch(self._connection, name, parameters)

    async def row(self, name: str, **parameters: Any) -> DictRow | None:
        return next(iter(await self.rows(name, **parameters)), None)


async def fetch(connection: Connection, name: str, parameters: Mapping[str, Any] | None = None) -> list[DictRow]:
    """The rows of the named statement, as dicts."""
    cursor = await connection.execute(statement(name), parameters)
    return await cursor.fetchall()


async def execute(connection: Connection, name: str, parameters: Mapping[str, Any] | None = None) -> int:
    cursor = await connection.execute(statement(name), parameters)
    return cursor.rowcount


def json_of(value: Any) -> Jsonb:
    """Any value as a jsonb parameter. Raises InvalidInput where Postgres could not keep it."""
    return Jsonb(value, dumps=storable_json)


def storable_json(value: Any) -> str:
    try:
        text = canonical_json(value)
        text.encode()
    except (ValueError, TypeError) as error:
        raise InvalidInput(f"this cannot be stored as JSON: {error}", hint="use finite numbers and valid Unicode") from error
    if "\\u0000" in text and "\x00" in "".join(_strings(value)):
        raise InvalidInput("a text with the character NUL cannot be stored", hint="remove the NUL characters")
    return text


def _strings(value: Any) -> list[str]:
    match value:
        case str():
            return [value]
        case Mapping():
            return [text for pair in value.items() for part in pair for text in _strings(part)]
        case list() | tuple():
            return [text for item in value for text in _strings(item)]
    return []


@asynccontextmanager
async def open_database(url: str) -> AsyncIterator[Database]:
    """Open a pool on ``url``. Raises SetupError where no connection comes up in time."""
    pool = AsyncConnectionPool(
        url,
        connection_class=AsyncConnection[DictRow],
        kwargs={"row_factory": dict_row, "application_name": "steward"},
        configure=_in_utc,
        check=AsyncConnectionPool.check_connection,
        min_size=1,
        max_size=12,
        open=False,
    )
    try:
        await pool.open(wait=True, timeout=_OPEN_WITHIN)
    except PoolTimeout as error:
        await pool.close()
        raise SetupError("the database does not answer", hint="check DATABASE_URL, or start the stack with `steward up`") from error
    except BaseException:
        # Cancelled while connecting: a pool's worker outlives the cancelling of its task, and the loop would wait for it for ever.
        await pool.close(timeout=0)
        raise
    try:
        yield Database(pool)
    finally:
        await pool.close()


async def _in_utc(connection: Connection) -> None:
    await connection.execute("SET TIME ZONE 'UTC'")
    await connection.commit()
