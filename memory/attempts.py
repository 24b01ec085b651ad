"""Attempts in Postgres: a claim is one transaction, so that two workers never send the same."""

import psycopg.errors

from domain.attempts import Attempt, AttemptStatus
from domain.errors import NotFound, Permanent, Stale
from memory.database import Database, execute, fetch


class PostgresAttempts:
    """See ``ports.Attempts``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def prepare(self, attempt: Attempt) -> Attempt:
        await self._database.run("add_attempt", **(dict(attempt) | {"status": attempt.status.value}))
        return await self.find(attempt.key) or attempt

    async def begin(self, key: str, *, expected: int) -> bool:
        attempt = await self.find(key)
        if attempt is None:
            raise NotFound(f"nothing was prepared under {key}", hint="prepare it first")
        about = {"connection": attempt.connection, "stream": attempt.stream}
        try:
            async with self._database.transaction() as connection:
                await fetch(connection, "lock_attempt_stream", about)
                if not await execute(connection, "begin_attempt", {"key": key}):
                    return False
                check_expected(attempt, len(await fetch(connection, "attempts_begun", about)) - 1, expected)
                return True
        except psycopg.errors.UniqueViolation:
            raise used_reference(attempt) from None

    async def settle(self, key: str, status: AttemptStatus) -> None:
        await self._database.run("settle_attempt", key=key, status=status.value)

    async def find(self, key: str) -> Attempt | None:
        row = await self._database.row("get_attempt", key=key)
        return Attempt.model_validate(row) if row else None

    async def begun(self, connection: str, stream: str) -> list[Attempt]:
        rows = await self._database.rows("attempts_begun", connection=connection, stream=stream)
        return [Attempt.model_validate(row) for row in rows]


def check_expected(attempt: Attempt, others: int, expected: int) -> None:
    """Raises Stale, which takes the claim back with its transaction."""
    if others != expected:
        raise Stale(f"{attempt.stream} has {others} on their way or sent, not {expected}")


def used_reference(attempt: Attempt) -> Permanent:
    return Permanent(f"{attempt.reference} was used before, for something else", hint="plan it anew")
