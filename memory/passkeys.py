"""Passkeys and their challenges on Postgres. A change that events tell of is one transaction with them."""

from collections.abc import Sequence

from domain.event import NewEvent
from domain.model import Moment
from domain.passkeys import Challenge, Passkey
from memory.append import append
from memory.database import Database, execute
from memory.timeline import Appended


class PostgresPasskeys:
    """See ``ports.Passkeys``. ``appended`` is told the events of a change once it is done."""

    def __init__(self, database: Database, *, appended: Appended) -> None:
        self._database = database
        self._appended = appended

    async def operator(self) -> bytes:
        (row,) = await self._database.rows("get_operator")
        return bytes(row["handle"].bytes)

    async def add(self, passkey: Passkey, *, session_id: str, events: Sequence[NewEvent] = ()) -> bool:
        """The session cannot be closed in between; see ``memory.access`` on the password's row."""
        columns = dict(passkey) | {"transports": list(passkey.transports)}
        async with self._database.transaction() as connection:
            await execute(connection, "hold_password")
            if not await execute(connection, "hold_session", {"session_id": session_id}):
                return False
            if not await execute(connection, "add_passkey", columns):
                return False
            stored = await append(connection, events) if events else []
        self._appended(stored)
        return True

    async def used(self, passkey: Passkey, *, sign_count: int, backed_up: bool, at: Moment) -> bool:
        changed = await self._database.run(
            "use_passkey",
            credential_id=passkey.credential_id,
            seen=passkey.sign_count,
            sign_count=sign_count,
            backed_up=backed_up,
            at=at,
        )
        return changed == 1

    async def remove(self, name: str, *, keep: str, events: Sequence[NewEvent] = ()) -> bool:
        """Who comes in by it holds its row until the session is open, so that this closes that one, too."""
        async with self._database.transaction() as connection:
            if not await execute(connection, "remove_passkey", {"name": name}):
                return False
            await execute(connection, "close_sessions", {"keep": keep})
            stored = await append(connection, events) if events else []
        self._appended(stored)
        return True

    async def all(self) -> list[Passkey]:
        return [Passkey.model_validate(row) for row in await self._database.rows("list_passkeys")]


class PostgresChallenges:
    """See ``ports.Challenges``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, challenge: Challenge, *, now: Moment) -> None:
        await self._database.run("drop_expired_challenges", now=now)
        await self._database.run("add_challenge", **dict(challenge))

    async def take(self, digest: str) -> Challenge | None:
        row = await self._database.row("take_challenge", digest=digest)
        return Challenge.model_validate(row) if row else None
