"""Who may enter the console, on Postgres."""

from domain.access import ApiToken, Session, Tries
from domain.model import Moment
from memory.database import Database, json_of


class PostgresCredentials:
    """See ``ports.Credentials``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def password_hash(self) -> str | None:
        row = await self._database.row("read_password")
        return None if row is None else str(row["hash"])

    async def set_password_hash(self, hashed: str, *, at: Moment) -> None:
        await self._database.run("set_password", hash=hashed, at=at)

    async def tries(self, client: str) -> Tries:
        row = await self._database.row("read_tries", client=client)
        return Tries() if row is None else Tries.model_validate(row)

    async def note_failure(self, client: str, *, at: Moment) -> Tries:
        return Tries.model_validate(await self._database.row("note_failed_login", client=client, at=at))

    async def clear_tries(self, client: str) -> None:
        await self._database.run("clear_tries", client=client)


class PostgresSessions:
    """See ``ports.Sessions``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, session: Session) -> None:
        await self._database.run(
            "put_session", session_id=session.session_id, seen_at=session.seen_at, body=json_of(session.model_dump(mode="json"))
        )

    async def get(self, session_id: str) -> Session | None:
        row = await self._database.row("get_session", session_id=session_id)
        return None if row is None else Session.model_validate(row["body"])

    async def close(self, session_id: str) -> None:
        await self._database.run("close_session", session_id=session_id)

    async def close_all(self, *, but: str = "") -> None:
        await self._database.run("close_sessions", but=but)

    async def sweep(self, *, before: Moment) -> None:
        await self._database.run("sweep_sessions", before=before)


class PostgresApiTokens:
    """See ``ports.ApiTokens``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, token: ApiToken) -> bool:
        columns = {"token_name": token.name, "token_hash": token.token_hash, "body": json_of(token.model_dump(mode="json"))}
        return await self._database.run("add_token", **columns) == 1

    async def by_hash(self, token_hash: str) -> ApiToken | None:
        row = await self._database.row("get_token", token_hash=token_hash)
        return None if row is None else ApiToken.model_validate(row["body"])

    async def put(self, token: ApiToken) -> None:
        await self._database.run("put_token", token_name=token.name, body=json_of(token.model_dump(mode="json")))

    async def all(self) -> list[ApiToken]:
        return [ApiToken.model_validate(row["body"]) for row in await self._database.rows("list_tokens")]
