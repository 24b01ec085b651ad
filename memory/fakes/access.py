"""Password, tries, sessions and tokens, in memory."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from domain.access import ApiToken, LoginAttempt, Ousted, Session, Tries, attempt
from domain.event import NewEvent
from domain.model import Moment
from memory.fakes.store import Store

_NEVER = Tries(failures=0, last=datetime.min.replace(tzinfo=UTC))


class InMemoryCredentials:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._hash: str | None = None
        self._tries: dict[str, Tries] = {}

    async def password(self) -> str | None:
        return self._hash

    async def set_password(self, password_hash: str, *, replaces: str | None, events: Sequence[NewEvent] = ()) -> bool:
        if self._hash != replaces:
            return False
        self._store.append(events)
        self._hash = password_hash
        return True

    async def reset_password(self, password_hash: str, *, replaces: str | None, events: Sequence[NewEvent] = ()) -> Ousted | None:
        if not await self.set_password(password_hash, replaces=replaces, events=events):
            return None
        ousted = Ousted(sessions=len(self._store.sessions), passkeys=len(self._store.passkeys))
        self._store.sessions.clear()
        self._store.passkeys.clear()
        return ousted

    async def attempt(self, client: str, *, now: Moment) -> LoginAttempt:
        found = attempt(self._tries.get(client, _NEVER), now, client=client)
        if found.admitted:
            self._tries[client] = Tries(failures=found.failures, last=now)
        return found

    async def forgive(self, client: str) -> None:
        self._tries.pop(client, None)


class InMemorySessions:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def open(self, session: Session, *, passkey: bytes | None = None, events: Sequence[NewEvent] = ()) -> bool:
        if passkey is not None and passkey not in self._store.passkeys:
            return False
        self._store.append(events)
        going_on = {key: s for key, s in self._store.sessions.items() if s.expires_at > session.opened_at}
        self._store.sessions = going_on | {session.session_id: session}
        return True

    async def get(self, session_id: str) -> Session | None:
        return self._store.sessions.get(session_id)

    async def change(self, session_id: str, change: Callable[[Session], Session]) -> tuple[Session, Session] | None:
        before = self._store.sessions.get(session_id)
        if before is None:
            return None
        after = self._store.sessions[session_id] = change(before)
        return before, after

    async def close(self, session_id: str) -> None:
        self._store.sessions.pop(session_id, None)

    async def close_all(self, *, keep: str = "") -> int:
        kept = {key: session for key, session in self._store.sessions.items() if key == keep}
        closed = len(self._store.sessions) - len(kept)
        self._store.sessions = kept
        return closed


class InMemoryApiTokens:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._tokens: dict[str, ApiToken] = {}

    async def add(self, token: ApiToken, *, events: Sequence[NewEvent] = ()) -> bool:
        if self._standing(token.name):
            return False
        self._store.append(events)
        self._tokens[token.token_hash] = token
        return True

    async def get(self, token_hash: str) -> ApiToken | None:
        return self._tokens.get(token_hash)

    async def used(self, token_hash: str, *, at: Moment) -> None:
        if token := self._tokens.get(token_hash):
            self._tokens[token_hash] = token.model_copy(update={"used_at": at})

    async def revoke(self, name: str, *, at: Moment, events: Sequence[NewEvent] = ()) -> bool:
        token = self._standing(name)
        if token is None:
            return False
        self._store.append(events)
        self._tokens[token.token_hash] = token.model_copy(update={"revoked_at": at})
        return True

    async def all(self) -> list[ApiToken]:
        return list(self._tokens.values())

    def _standing(self, name: str) -> ApiToken | None:
        return next((t for t in self._tokens.values() if t.name == name and t.revoked_at is None), None)
