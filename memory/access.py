"""Password, tries, sessions and tokens on Postgres. Each change is one transaction with the events that tell of it.

Locks are taken in one order: the password's row, the row that changes, then the head of the chain. Who opens a session by a
passkey or adds one shares the password's row, so that whatever is there is gone once a password was set at the machine.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from domain.access import FORGET_TRIES_AFTER, ApiToken, LoginAttempt, Ousted, Session, Tries, attempt
from domain.event import NewEvent
from domain.model import Moment
from memory.append import append
from memory.database import Connection, Database, execute, fetch
from memory.timeline import Appended


class PostgresCredentials:
    """See ``ports.Credentials``. ``appended`` is told the events of a change once it is done."""

    def __init__(self, database: Database, *, appended: Appended) -> None:
        self._database = database
        self._appended = appended

    async def password(self) -> str | None:
        row = await self._database.row("get_password")
        return str(row["password_hash"]) if row else None

    async def set_password(self, password_hash: str, *, replaces: str | None, events: Sequence[NewEvent] = ()) -> bool:
        how, hashes = _setting(password_hash, replaces)
        return await change_and_tell(self._database, self._appended, how, hashes, events)

    async def reset_password(self, password_hash: str, *, replaces: str | None, events: Sequence[NewEvent] = ()) -> Ousted | None:
        how, hashes = _setting(password_hash, replaces)
        async with self._database.transaction() as connection:
            if not await execute(connection, how, hashes):
                return None
            sessions = await execute(connection, "close_sessions", {"keep": ""})
            ousted = Ousted(sessions=sessions, passkeys=await execute(connection, "remove_passkeys"))
            stored = await append(connection, events) if events else []
        self._appended(stored)
        return ousted

    async def attempt(self, client: str, *, now: Moment) -> LoginAttempt:
        """The row stays locked until the try is counted, so nobody else reads it in between."""
        async with self._database.transaction() as connection:
            await execute(connection, "forget_tries", {"before": now - FORGET_TRIES_AFTER})
            (row,) = await fetch(connection, "lock_tries", {"client": client, "now": now})
            found = attempt(Tries(failures=row["failures"], last=row["last"]), now, client=client)
            if found.admitted:
                await execute(connection, "count_try", {"client": client, "failures": found.failures, "now": now})
            return found

    async def forgive(self, client: str) -> None:
        await self._database.run("forgive_tries", client=client)


class PostgresSessions:
    """See ``ports.Sessions``. ``appended`` is told the events of an opening once it is done."""

    def __init__(self, database: Database, *, appended: Appended) -> None:
        self._database = database
        self._appended = appended

    async def open(self, session: Session, *, passkey: bytes | None = None, events: Sequence[NewEvent] = ()) -> bool:
        async with self._database.transaction() as connection:
            if passkey is not None and not await _held(connection, passkey):
                return False
            await execute(connection, "open_session", _columns(session))
            stored = await append(connection, events) if events else []
        self._appended(stored)
        await self._database.run("drop_expired_sessions", now=session.opened_at)
        return True

    async def get(self, session_id: str) -> Session | None:
        row = await self._database.row("get_session", session_id=session_id)
        return Session.model_validate(row) if row else None

    async def change(self, session_id: str, change: Callable[[Session], Session]) -> tuple[Session, Session] | None:
        async with self._database.transaction() as connection:
            rows = await fetch(connection, "lock_session", {"session_id": session_id})
            if not rows:
                return None
            before = Session.model_validate(rows[0])
            after = change(before)
            await execute(connection, "update_session", _columns(after))
            return before, after

    async def close(self, session_id: str) -> None:
        await self._database.run("close_session", session_id=session_id)

    async def close_all(self, *, keep: str = "") -> int:
        return await self._database.run("close_sessions", keep=keep)


class PostgresApiTokens:
    """See ``ports.ApiTokens``. ``appended`` is told the events of a change once it is done."""

    def __init__(self, database: Database, *, appended: Appended) -> None:
        self._database = database
        self._appended = appended

    async def add(self, token: ApiToken, *, events: Sequence[NewEvent] = ()) -> bool:
        columns = dict(token) | {"scopes": [scope.value for scope in token.scopes]}
        return await change_and_tell(self._database, self._appended, "add_token", columns, events)

    async def get(self, token_hash: str) -> ApiToken | None:
        row = await self._database.row("get_token", token_hash=token_hash)
        return ApiToken.model_validate(row) if row else None

    async def used(self, token_hash: str, *, at: Moment) -> None:
        await self._database.run("use_token", token_hash=token_hash, at=at)

    async def revoke(self, name: str, *, at: Moment, events: Sequence[NewEvent] = ()) -> bool:
        return await change_and_tell(self._database, self._appended, "revoke_token", {"name": name, "at": at}, events)

    async def all(self) -> list[ApiToken]:
        return [ApiToken.model_validate(row) for row in await self._database.rows("list_tokens")]


async def _held(connection: Connection, passkey: bytes) -> bool:
    """Whether the passkey is there; it stays until the transaction ends."""
    await execute(connection, "hold_password")
    return bool(await execute(connection, "hold_passkey", {"credential_id": passkey}))


def _setting(password_hash: str, replaces: str | None) -> tuple[str, dict[str, str | None]]:
    how = "add_password" if replaces is None else "replace_password"
    return how, {"password_hash": password_hash, "replaces": replaces}


async def change_and_tell(
    database: Database, appended: Appended, how: str, parameters: Mapping[str, Any], events: Sequence[NewEvent]
) -> bool:
    """False, and nothing told, where the statement changed nothing."""
    async with database.transaction() as connection:
        if not await execute(connection, how, parameters):
            return False
        stored = await append(connection, events) if events else []
    appended(stored)
    return True


def _columns(session: Session) -> dict[str, Any]:
    return dict(session) | {"flash": list(session.flash)}
