"""The doorkeeper: who may enter, who has proven it lately, and which programs may act for the operator."""

import asyncio
import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from domain.access import (
    IDLE,
    ApiToken,
    LoggedIn,
    LoginRefused,
    PasswordSet,
    Scope,
    Session,
    TokenIssued,
    TokenRevoked,
    Tries,
    alive,
    blocked_until,
    check_password,
)
from domain.errors import AccessDenied, InvalidInput, NotFound, TooManyTries
from domain.event import EventData, new_event
from domain.ports import ApiTokens, Credentials, EventLog, Sessions

_TOUCH = timedelta(minutes=1)  # how old "last seen" may be, so that not every request writes
_MOST_FLASH = 5
PREFIX = "stw_"


@dataclass(frozen=True, kw_only=True)
class Entered:
    """``cookie`` is the secret that the browser keeps."""

    cookie: str
    session: Session


class Doorkeeper:
    """Passwords are hashed with Argon2id (RFC 9106). What is refused is refused in the same words and time, whatever the cause."""

    def __init__(
        self,
        *,
        credentials: Credentials,
        sessions: Sessions,
        tokens: ApiTokens,
        log: EventLog,
        clock: Callable[[], datetime],
        setup_code: Callable[[], str],
        hasher: PasswordHasher | None = None,
    ) -> None:
        self._credentials = credentials
        self._sessions = sessions
        self._tokens = tokens
        self._log = log
        self._clock = clock
        self._setup_code = setup_code
        self._hasher = hasher or PasswordHasher()
        self._nobody = self._hasher.hash(secrets.token_urlsafe(16))

    # -- the password -----------------------------------------------------------------------------------------------

    async def needs_setup(self) -> bool:
        return await self._credentials.password_hash() is None

    async def set_up(self, *, code: str, password: str, client: str) -> Entered:
        """The first password, by who knows the code that is on this machine. Raises AccessDenied, InvalidInput, TooManyTries."""
        if not await self.needs_setup():
            raise AccessDenied("there is a password already", hint="log in with it")
        await self._check_wait(client)
        if not compare_digest(_plain(code), _plain(self._setup_code())):
            await self._failed(client)
            raise AccessDenied("this is not the code", hint="`./steward console` shows it")
        await self.set_password(password, by=client)
        return await self._enter(client)

    async def set_password(self, password: str, *, by: str, keeping: str = "") -> None:
        """A new password; every session but ``keeping`` ends. Raises InvalidInput."""
        check_password(password)
        await self._credentials.set_password_hash(await asyncio.to_thread(self._hasher.hash, password), at=self._clock())
        await self._sessions.close_all(but=keeping)
        await self._record(PasswordSet(by=by))

    async def change_password(self, session: Session, *, old: str, new: str, client: str) -> None:
        """Raises AccessDenied, InvalidInput, TooManyTries."""
        await self.prove(session, password=old, client=client)
        await self.set_password(new, by=client, keeping=session.session_id)

    # -- in and out -------------------------------------------------------------------------------------------------

    async def log_in(self, *, password: str, client: str) -> Entered:
        """Raises AccessDenied, TooManyTries."""
        await self._check(password, client)
        return await self._enter(client)

    async def session_of(self, cookie: str) -> Session | None:
        if not cookie:
            return None
        session, now = await self._sessions.get(_hash(cookie)), self._clock()
        if session is None or not alive(session, now):
            return None
        if now - session.seen_at > _TOUCH:
            session = await self._changed(session, seen_at=now)
        return session

    async def log_out(self, session: Session) -> None:
        await self._sessions.close(session.session_id)

    async def prove(self, session: Session, *, password: str, client: str) -> Session:
        """The password once more. Raises AccessDenied, TooManyTries."""
        await self._check(password, client)
        return await self._changed(session, proven_at=self._clock())

    async def say(self, session: Session, line: str) -> Session:
        """For the next page to say."""
        return await self._changed(session, flash=(*session.flash, line)[-_MOST_FLASH:])

    async def take_flash(self, session: Session) -> tuple[Session, tuple[str, ...]]:
        if not session.flash:
            return session, ()
        return await self._changed(session, flash=()), session.flash

    # -- tokens -----------------------------------------------------------------------------------------------------

    async def issue_token(self, name: str, *, scopes: Sequence[Scope], days: int) -> str:
        """The token, which is shown this once. Raises InvalidInput where the name is taken."""
        now, secret = self._clock(), PREFIX + secrets.token_urlsafe(32)
        token = ApiToken(
            name=name, token_hash=_hash(secret), scopes=tuple(scopes), created_at=now, expires_at=now + timedelta(days=days)
        )
        if not await self._tokens.add(token):
            raise InvalidInput(f"there is a token {name!r} already", hint="choose another name; names are not used again")
        await self._record(TokenIssued(name=name, scopes=token.scopes, expires_at=token.expires_at))
        return secret

    async def token_of(self, bearer: str) -> ApiToken | None:
        token, now = await self._tokens.by_hash(_hash(bearer)), self._clock()
        if token is None or not token.valid(now):
            return None
        if token.used_at is None or now - token.used_at > _TOUCH:
            await self._tokens.put(token.model_copy(update={"used_at": now}))
        return token

    async def revoke_token(self, name: str) -> None:
        """Raises NotFound."""
        found = next((token for token in await self._tokens.all() if token.name == name and token.revoked_at is None), None)
        if found is None:
            raise NotFound(f"no token {name!r} is valid", hint="`./steward token list` shows them")
        await self._tokens.put(found.model_copy(update={"revoked_at": self._clock()}))
        await self._record(TokenRevoked(name=name))

    async def tokens(self) -> list[ApiToken]:
        return await self._tokens.all()

    # -- helpers ----------------------------------------------------------------------------------------------------

    async def _check(self, password: str, client: str) -> None:
        await self._check_wait(client)
        hashed = await self._credentials.password_hash()
        if not await asyncio.to_thread(self._fits, password, hashed or self._nobody) or hashed is None:
            await self._failed(client)
            raise AccessDenied("this is not the password", hint="`./steward console --set-password` sets a new one")
        await self._credentials.clear_tries(client)
        if self._hasher.check_needs_rehash(hashed):
            rehashed = await asyncio.to_thread(self._hasher.hash, password)
            await self._credentials.set_password_hash(rehashed, at=self._clock())

    def _fits(self, password: str, hashed: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _check_wait(self, client: str) -> None:
        until = blocked_until(await self._credentials.tries(client))
        if until is not None and self._clock() < until:
            seconds = max(1, round((until - self._clock()).total_seconds()))
            raise TooManyTries("too many wrong passwords", hint=f"the next one is looked at in {seconds} s")

    async def _failed(self, client: str) -> Tries:
        tries = await self._credentials.note_failure(client, at=self._clock())
        if blocked_until(tries) is not None:
            await self._record(LoginRefused(client=client, failures=tries.failures))
        return tries

    async def _enter(self, client: str) -> Entered:
        now, cookie = self._clock(), secrets.token_urlsafe(32)
        session = Session(session_id=_hash(cookie), csrf=secrets.token_urlsafe(32), opened_at=now, seen_at=now, proven_at=now)
        await self._sessions.sweep(before=now - IDLE)
        await self._sessions.put(session)
        await self._record(LoggedIn(client=client))
        return Entered(cookie=cookie, session=session)

    async def _changed(self, session: Session, **changes: object) -> Session:
        changed = session.model_copy(update=changes)
        await self._sessions.put(changed)
        return changed

    async def _record(self, data: EventData) -> None:
        await self._log.append([new_event(data, at=self._clock(), key=(secrets.token_hex(16),), actor="operator")])


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _plain(code: str) -> bytes:
    """A code as it is compared: people leave out hyphens and shift."""
    return "".join(c for c in code.upper() if c.isalnum()).encode()
