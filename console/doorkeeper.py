"""Who comes into the console: the first password, logging in, staying in, and the tokens of programs.

A refusal is the same whatever the reason, and takes as long. A try counts before it is looked at, so that many at once
are no way around the wait. Passkeys have a door of their own beside this one.
"""

import re
from collections.abc import Callable
from datetime import datetime

from console.entered import Entered, entered
from console.passkey_door import PasskeyDoor
from console.throttle import Throttle
from domain.access import (
    EVERYBODY,
    LOOK_EVERY,
    ApiToken,
    LoggedIn,
    LoginAttempt,
    LoginWay,
    PasswordWay,
    Session,
    alive,
    flashed,
    network,
    usable,
)
from domain.errors import AccessDenied
from domain.ports import ApiTokens, Challenges, Credentials, Passkeys, Sessions
from memory.keyring import TOKEN_PREFIX, Keyring, access_event, sha256
from memory.passwords import Passwords
from memory.setup_code import same_code
from memory.timeline import Timeline

_COOKIE = re.compile(r"[A-Za-z0-9_-]{43}")
_BEARER = re.compile(re.escape(TOKEN_PREFIX) + r"[A-Za-z0-9_-]{43}")


class Doorkeeper:
    """``client`` is always the address a request came from. ``clock`` gives aware moments. Every method raises Retryable
    where the store is away; ``passwords`` is a cheaper one in tests. ``keyring`` issues and revokes the tokens of programs;
    ``passkeys`` is the door for these."""

    def __init__(
        self,
        *,
        credentials: Credentials,
        sessions: Sessions,
        tokens: ApiTokens,
        passkeys: Passkeys,
        challenges: Challenges,
        log: Timeline,
        clock: Callable[[], datetime],
        setup_code: Callable[[], str],
        passwords: Passwords | None = None,
    ) -> None:
        self._credentials = credentials
        self._sessions = sessions
        self._tokens = tokens
        self._log = log
        self._clock = clock
        self._setup_code = setup_code
        self._passwords = passwords or Passwords()
        self._throttle = Throttle(credentials=credentials, log=log, clock=clock)
        self.keyring = Keyring(credentials=credentials, tokens=tokens, log=log, clock=clock, passwords=self._passwords)
        self.passkeys = PasskeyDoor(
            passkeys=passkeys, challenges=challenges, sessions=sessions, log=log, clock=clock, throttle=self._throttle
        )

    # --- coming in ------------------------------------------------------------------------------------------------

    async def needs_setup(self) -> bool:
        return await self._credentials.password() is None

    async def set_up(self, *, code: str, password: str, client: str) -> Entered:
        """Set the first password, with the code that only who is at the machine can read, and come in.

        Raises AccessDenied, TooManyTries; InvalidInput for a password that is too easy.
        """
        if not await self.needs_setup():
            raise _set_already()
        tried = await self._throttle.admit(client, EVERYBODY)
        if not same_code(code, self._setup_code()):
            raise await self._refusal(tried, client, "this is not the setup code", "`./steward console` shows it")
        await self._throttle.forgive(client)
        if not await self.keyring.set_password(password, replaces=None, how=PasswordWay.FIRST):
            raise _set_already()
        return await self._open(tried, client)

    async def log_in(self, *, password: str, client: str) -> Entered:
        """Raises AccessDenied, TooManyTries."""
        tried = await self._throttle.admit(client, EVERYBODY)
        stored = await self._check(password, tried, client)
        await self._renew(password, stored)
        opened = await self._open(tried, client)
        current = await self._credentials.password()
        # A password that was changed meanwhile has closed the sessions there were, and this one is later.
        if current != stored and not await self._passwords.matches(password, current):
            await self._sessions.close(opened.session.session_id)
            raise _denied()
        return opened

    async def session_of(self, cookie: str, *, used: bool = True) -> Session | None:
        """The session of this cookie while it is alive; where it is ``used`` that is noted once a minute."""
        if not _COOKIE.fullmatch(cookie):
            return None
        session, now = await self._sessions.get(sha256(cookie)), self._clock()
        if session is None or not alive(session, now):
            return None
        if not used or now - session.seen_at < LOOK_EVERY:
            return session
        return await self._changed(session, lambda s: s.model_copy(update={"seen_at": max(s.seen_at, now)}))

    async def log_out(self, session: Session) -> None:
        await self._sessions.close(session.session_id)

    # --- being in -------------------------------------------------------------------------------------------------

    async def prove(self, session: Session, password: str, client: str) -> Session:
        """Give the password once more, for what is dangerous. Raises AccessDenied, TooManyTries."""
        tried = await self._throttle.admit(client)
        await self._check(password, tried, client)
        now = self._clock()
        proved = await self._changed(session, lambda s: s.model_copy(update={"proven_at": now, "seen_at": now}))
        if proved is None:
            raise _logged_out()
        return proved

    async def say(self, session: Session, line: str) -> None:
        """Have the next page say it."""
        await self._sessions.change(session.session_id, lambda s: flashed(s, line))

    async def take_flash(self, session: Session) -> tuple[Session, tuple[str, ...]]:
        """What there is to say, which is said once."""
        changed = await self._sessions.change(session.session_id, lambda s: s.model_copy(update={"flash": ()}))
        if changed is None:
            return session, ()
        before, after = changed
        return after, before.flash

    async def change_password(self, session: Session, old: str, new: str, client: str) -> None:
        """Every other session is closed; passkeys stay. Raises AccessDenied, TooManyTries; InvalidInput for a poor one."""
        tried = await self._throttle.admit(client)
        stored = await self._check(old, tried, client)
        if not await self.keyring.set_password(new, replaces=stored, how=PasswordWay.CHANGED):
            raise _denied()
        await self._sessions.close_all(keep=session.session_id)

    # --- the tokens of programs -----------------------------------------------------------------------------------

    async def token_of(self, bearer: str) -> ApiToken | None:
        """The token while it is good; that it was used is noted once a minute."""
        if not _BEARER.fullmatch(bearer):
            return None
        token, now = await self._tokens.get(sha256(bearer)), self._clock()
        if token is None or not usable(token, now):
            return None
        if token.used_at is not None and now - token.used_at < LOOK_EVERY:
            return token
        await self._tokens.used(token.token_hash, at=now)
        return token.model_copy(update={"used_at": now})

    # --- helpers --------------------------------------------------------------------------------------------------

    async def _check(self, password: str, tried: LoginAttempt, client: str) -> str:
        """The hash that ``password`` was found to match. Raises AccessDenied."""
        stored = await self._credentials.password()
        if not await self._passwords.matches(password, stored) or stored is None:
            raise await self._refusal(tried, client)
        await self._throttle.forgive(client)
        return stored

    async def _refusal(self, tried: LoginAttempt, client: str, message: str = "", hint: str = "") -> AccessDenied:
        """Tell the log where a wait begins with this failure."""
        await self._throttle.refused(tried, client, LoginWay.PASSWORD)
        return AccessDenied(message, hint=hint) if message else _denied()

    async def _renew(self, password: str, stored: str) -> None:
        """Store the hash anew where hashes are made with other parameters now."""
        if self._passwords.outdated(stored):
            await self._credentials.set_password(await self._passwords.hash(password), replaces=stored)

    async def _open(self, tried: LoginAttempt, client: str) -> Entered:
        now = self._clock()
        opened = entered(now)
        told = LoggedIn(network=network(client), refused=tried.failures - 1, at=now)
        await self._sessions.open(opened.session, events=[access_event(told)])
        return opened

    async def _changed(self, session: Session, change: Callable[[Session], Session]) -> Session | None:
        changed = await self._sessions.change(session.session_id, change)
        return changed[1] if changed else None


def _denied() -> AccessDenied:
    return AccessDenied("this is not the password", hint="`./steward console --set-password` at the machine sets a new one")


def _set_already() -> AccessDenied:
    return AccessDenied("a password is set already", hint="log in with it")


def _logged_out() -> AccessDenied:
    return AccessDenied("this session is over", hint="log in again")
