"""Setting the password, and issuing and revoking tokens: what the console and the command line both do."""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from pydantic import TypeAdapter, ValidationError

from domain.access import (
    CLI_TOKEN,
    AccessEvent,
    ApiToken,
    Ousted,
    PasswordSet,
    PasswordWay,
    Scope,
    TokenIssued,
    TokenName,
    TokenRevoked,
    check_password,
)
from domain.errors import AccessDenied, InvalidInput, NotFound
from domain.event import NewEvent, new_event
from domain.ports import ApiTokens, Credentials
from memory.passwords import Passwords
from memory.timeline import Timeline

TOKEN_PREFIX = "stw_"  # noqa: S105 - what every token begins with, so that a leaked one is found
MOST_DAYS = 3_650
_SECRET_BYTES = 32
_OPERATOR = "operator"
_NAME: TypeAdapter[str] = TypeAdapter(TokenName)


class Keyring:
    """``clock`` gives aware moments."""

    def __init__(
        self,
        *,
        credentials: Credentials,
        tokens: ApiTokens,
        log: Timeline,
        clock: Callable[[], datetime],
        passwords: Passwords | None = None,
    ) -> None:
        self._credentials = credentials
        self._tokens = tokens
        self._log = log
        self._clock = clock
        self.passwords = passwords or Passwords()

    async def set_password(self, password: str, *, replaces: str | None, how: PasswordWay) -> bool:
        """False where another one than ``replaces`` (a hash) is set by now. Raises InvalidInput for one that is too easy."""
        made, told = await self._hashed(password), self._set(how)
        return await self._credentials.set_password(made, replaces=replaces, events=[told])

    async def reset_password(self, password: str) -> Ousted:
        """Set it without the old one, as who is at the machine may. Every session and passkey ends with it, all at once:
        whoever got in may have added one. Raises AccessDenied, InvalidInput."""
        before = await self._credentials.password()
        made, told = await self._hashed(password), self._set(PasswordWay.TERMINAL)
        ousted = await self._credentials.reset_password(made, replaces=before, events=[told])
        if ousted is None:
            raise AccessDenied("the password was changed in this moment", hint="set it once more")
        return ousted

    async def issue(self, name: str, scopes: Sequence[Scope], days: int | None) -> str:
        """The token, which nobody can be shown again. ``days`` is how long it is good for; None is for ever.

        Raises InvalidInput where the name is taken, or anything is not as it should be.
        """
        if name.casefold() == CLI_TOKEN:
            raise InvalidInput(f"{name} is the name of this machine's command line", hint="take another name")
        return await self._issue(name, scopes, days)

    async def issue_own(self, days: int) -> str:
        """The token of this machine's command line, which is known by its name: it may do everything."""
        return await self._issue(CLI_TOKEN, tuple(Scope), days)

    async def _issue(self, name: str, scopes: Sequence[Scope], days: int | None) -> str:
        now = self._clock()
        secret = TOKEN_PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
        token = ApiToken(
            name=_checked_name(name),
            token_hash=sha256(secret),
            scopes=_checked_scopes(scopes),
            created_at=now,
            expires_at=now + timedelta(days=_checked_days(days)) if days is not None else None,
        )
        told = access_event(TokenIssued(name=token.name, scopes=token.scopes, expires_at=token.expires_at, at=now))
        if not await self._tokens.add(token, events=[told]):
            raise InvalidInput(f"there is a token {name} already", hint="revoke it first, or take another name")
        return secret

    async def revoke(self, name: str) -> None:
        """Raises NotFound where there is none that is not revoked."""
        now = self._clock()
        try:
            told = access_event(TokenRevoked(name=_checked_name(name), at=now))
        except InvalidInput as error:
            raise _no_token(name) from error
        if not await self._tokens.revoke(name, at=now, events=[told]):
            raise _no_token(name)

    async def tokens(self) -> list[ApiToken]:
        """Revoked and expired ones too."""
        return await self._tokens.all()

    async def _hashed(self, password: str) -> str:
        check_password(password, shop_name=await self._shop_name())
        return await self.passwords.hash(password)

    def _set(self, how: PasswordWay) -> NewEvent:
        return access_event(PasswordSet(how=how, at=self._clock()))

    async def _shop_name(self) -> str:
        described = await self._log.last(stream="shop/self", limit=1)
        return str(described[0].post["name"]) if described else ""


def sha256(secret: str) -> str:
    """In hex. Enough for what is random: only a password needs a hash that is slow."""
    return sha256_of(secret.encode("utf-8", "surrogatepass"))


def sha256_of(random: bytes) -> str:
    """In hex."""
    return hashlib.sha256(random).hexdigest()


def access_event(data: AccessEvent) -> NewEvent:
    """Each call is an occurrence of its own."""
    return new_event(data, at=data.at, key=(str(uuid4()),), actor=_OPERATOR)


def _checked_name(name: str) -> str:
    try:
        return _NAME.validate_python(name)
    except ValidationError as error:
        raise InvalidInput("this is no name for a token", hint="1 to 64 letters, digits, spaces, dots, - and _") from error


def _checked_scopes(scopes: Sequence[Scope]) -> tuple[Scope, ...]:
    if not scopes:
        raise InvalidInput("a token that may do nothing is of no use", hint=f"name one or more of {', '.join(Scope)}")
    return tuple(scope for scope in Scope if scope in scopes)


def _checked_days(days: int) -> int:
    if not 1 <= days <= MOST_DAYS:
        raise InvalidInput(f"a token is not good for {days} days", hint=f"1 to {MOST_DAYS:,}")
    return days


def _no_token(name: str) -> NotFound:
    return NotFound(f"there is no token {name!r} that could be revoked", hint="`steward token list` shows which there are")
