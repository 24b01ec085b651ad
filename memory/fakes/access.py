"""Who may enter the console, in memory."""

from domain.access import ApiToken, Session, Tries
from domain.model import Moment


class InMemoryCredentials:
    def __init__(self) -> None:
        self._hash: str | None = None
        self.changed_at: Moment | None = None
        self._tries: dict[str, Tries] = {}

    async def password_hash(self) -> str | None:
        return self._hash

    async def set_password_hash(self, hashed: str, *, at: Moment) -> None:
        self._hash, self.changed_at = hashed, at

    async def tries(self, client: str) -> Tries:
        return self._tries.get(client, Tries())

    async def note_failure(self, client: str, *, at: Moment) -> Tries:
        self._tries[client] = Tries(failures=(await self.tries(client)).failures + 1, last=at)
        return self._tries[client]

    async def clear_tries(self, client: str) -> None:
        self._tries.pop(client, None)


class InMemorySessions:
    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}

    async def put(self, session: Session) -> None:
        self._sessions[session.session_id] = session

    async def get(self, session_id: str) -> Session | None:
        return self._sessions.get(session_id)

    async def close(self, session_id: str) -> None:
        self._sessions.pop(session_id, None)

    async def close_all(self, *, but: str = "") -> None:
        self._sessions = {key: session for key, session in self._sessions.items() if key == but}

    async def sweep(self, *, before: Moment) -> None:
        self._sessions = {key: session for key, session in self._sessions.items() if session.seen_at >= before}


class InMemoryApiTokens:
    def __init__(self) -> None:
        self._tokens: dict[str, ApiToken] = {}

    async def add(self, token: ApiToken) -> bool:
        if token.name in self._tokens:
            return False
        self._tokens[token.name] = token
        return True

    async def by_hash(self, token_hash: str) -> ApiToken | None:
        return next((token for token in self._tokens.values() if token.token_hash == token_hash), None)

    async def put(self, token: ApiToken) -> None:
        if token.name in self._tokens:
            self._tokens[token.name] = token

    async def all(self) -> list[ApiToken]:
        return [self._tokens[name] for name in sorted(self._tokens)]
