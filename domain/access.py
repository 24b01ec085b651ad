"""Who may enter: the operator's password and sessions, the tokens of programs, and how often somebody may try.

Values and rules only; every moment is given. Nothing here or in the events is a secret or says who somebody is: an
event names the network an attempt came from, never the address. Passkeys have a file of their own.
"""

import operator
import re
import unicodedata
from abc import abstractmethod
from datetime import timedelta
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Annotated

from pydantic import Field, StringConstraints

from domain.errors import InvalidInput
from domain.event import EventData
from domain.model import Moment, Name, Value

FREE_FAILURES = 5
"""Refused tries in a row that cost no wait."""
EVERYBODY, FREE_FOR_ALL = "everybody", 100
"""A key under which every try of somebody who is not logged in counts once more, and how many of these cost no wait: who can
change his address escapes the count of one."""
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=2), timedelta(minutes=15)
FORGET_TRIES_AFTER = timedelta(days=1)

IDLE_FOR, AT_MOST = timedelta(hours=12), timedelta(days=30)
PROOF_HOLDS = timedelta(minutes=10)
CLI_TOKEN = "cli"  # noqa: S105 - the name of the token of this machine's command line, not the token
LOOK_EVERY = timedelta(minutes=1)
"""How often the use of a session or a token is written down."""

SHORTEST_PASSWORD, LONGEST_PASSWORD = 10, 1_000
_FEWEST_DIFFERENT = 4
FLASH_LINES, FLASH_LENGTH = 5, 500

TokenName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$")]
PasskeyName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64, pattern=r"^[^\p{C}\p{Zl}\p{Zp}]+$")
]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]

_FIRST_TRIED = (
    "0123456789 1234567890 9876543210 12345678910 1234512345 1122334455 1q2w3e4r5t 1qaz2wsx3edc qwertyuiop qwerty12345 "
    "qwertz12345 asdfghjkl1 abcdefghij abc1234567 password password12 passwordpassword passw0rd passwort p4ssw0rd "
    "administrator admin12345 letmein welcome changeme iloveyou superman michelle jennifer sunshine football baseball "
    "princess trustno1 whatever mypassword secretpassword startstart testtest steward stewardsteward correcthorse "
    "correcthorsebatterystaple"
)
_COMMON = frozenset(_FIRST_TRIED.split())


class Scope(StrEnum):
    READ = "read"
    PROPOSE = "propose"
    DECIDE = "decide"


class Session(Value):
    """The operator in one browser.

    ``session_id`` is the SHA-256, in hex, of the cookie's value, which is stored nowhere. ``proven_at`` is when the
    password was last given, or a passkey used. ``flash`` is what the next page has to say.
    """

    session_id: Digest
    csrf: str = Field(repr=False)
    opened_at: Moment
    seen_at: Moment
    expires_at: Moment
    proven_at: Moment
    flash: tuple[str, ...] = ()


class ApiToken(Value):
    """What a program may do with a token. ``token_hash`` is its SHA-256 in hex; the token itself is shown once and not kept.

    Of the tokens with one name at most one is not revoked.
    """

    name: TokenName
    token_hash: Digest = Field(repr=False)
    scopes: tuple[Scope, ...] = Field(min_length=1)
    created_at: Moment
    expires_at: Moment | None = None
    used_at: Moment | None = None
    revoked_at: Moment | None = None


class Tries(Value):
    """Tries of one client that were refused, in a row."""

    failures: int = Field(ge=0)
    last: Moment


class LoginAttempt(Value):
    """Whether a try is let through. It counts as refused until it has succeeded, so that tries at once count too.

    ``until`` is when the wait ends: the one that goes on, or the one that begins if this try fails.
    """

    admitted: bool
    failures: int = Field(ge=0)
    until: Moment | None = None


class Ousted(Value):
    """What a password that was set at the machine has ended."""

    sessions: int
    passkeys: int


# --- rules -------------------------------------------------------------------------------------------------------


def blocked_until(failures: int, last: Moment, *, free: int = FREE_FAILURES) -> Moment | None:
    """When a client that failed so often in a row may try again; None where it need not wait."""
    if failures <= free:
        return None
    doubled = min(failures - free - 1, 30)
    return last + min(FIRST_WAIT * (1 << doubled), LONGEST_WAIT)


def attempt(before: Tries, now: Moment, *, client: str = "") -> LoginAttempt:
    """What becomes of a try. One that is not admitted leaves ``before`` as it is."""
    free = FREE_FOR_ALL if client == EVERYBODY else FREE_FAILURES
    failures = before.failures if now - before.last < FORGET_TRIES_AFTER else 0
    until = blocked_until(failures, before.last, free=free)
    if until is not None and now < until:
        return LoginAttempt(admitted=False, failures=failures, until=until)
    return LoginAttempt(admitted=True, failures=failures + 1, until=blocked_until(failures + 1, now, free=free))


def alive(session: Session, now: Moment) -> bool:
    return now < session.expires_at and now - session.seen_at < IDLE_FOR


def proven(session: Session, now: Moment) -> bool:
    """Whether the password was given, or a passkey used, so lately that what is dangerous may be done."""
    return now - session.proven_at < PROOF_HOLDS


def usable(token: ApiToken, now: Moment) -> bool:
    return token.revoked_at is None and (token.expires_at is None or now < token.expires_at)


def flashed(session: Session, line: str) -> Session:
    """With one line more to say; only the last few are kept."""
    return session.model_copy(update={"flash": (*session.flash, line[:FLASH_LENGTH])[-FLASH_LINES:]})


def check_password(password: str, *, shop_name: str = "") -> None:
    """Raises InvalidInput where a password would be guessed, or is none."""
    plain = normal_password(password)
    if len(plain) < SHORTEST_PASSWORD:
        raise InvalidInput(f"the password is too short: {len(plain)} characters", hint=f"take at least {SHORTEST_PASSWORD}")
    if len(plain) > LONGEST_PASSWORD:
        raise InvalidInput("the password is too long", hint=f"take at most {LONGEST_PASSWORD:,} characters")
    advice = "take a few words that have nothing to do with each other"
    bare = _bare(plain)
    tried_first = {bare, bare.rstrip("0123456789")} - {""}
    if len(set(plain.casefold())) < _FEWEST_DIFFERENT or tried_first & _COMMON:
        raise InvalidInput("this password is one of the first that anybody would try", hint=advice)
    if _bare(shop_name) in tried_first:
        raise InvalidInput("the shop's name is no password", hint=advice)


def normal_password(password: str) -> str:
    """One text for what looks the same: keyboards differ in how they compose an umlaut."""
    return unicodedata.normalize("NFKC", password)


def client_key(client: str) -> str:
    """Whom a try is counted for. One who has an IPv6 address has a whole /64 of them."""
    address = _address(client)
    if isinstance(address, IPv6Address):
        return str(ip_network((int(address), 64), strict=False))
    return str(address) if address else "unknown"


def network(client: str) -> str:
    """Where a try came from, so coarse that it names nobody."""
    address = _address(client)
    if address is None:
        return "unknown"
    if address.is_loopback:
        return "this machine"
    return str(ip_network((int(address), 24 if isinstance(address, IPv4Address) else 48), strict=False))


def _address(client: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(client)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _bare(text: str) -> str:
    """Letters and digits alone; nothing where there are none."""
    return re.sub(r"[\W_]+", "", normal_password(text).casefold())


# --- the audit trail ---------------------------------------------------------------------------------------------


class AccessRecord(Value):
    """Who entered and who may, as the log knows it. ``blocks`` counts how often a client had to wait."""

    password_set_at: Moment | None = None
    logins: int = 0
    last_login_at: Moment | None = None
    blocks: int = 0
    last_block_at: Moment | None = None
    tokens: tuple[TokenName, ...] = ()
    passkeys: tuple[PasskeyName, ...] = Field(default=(), exclude_if=operator.not_)
    """Left out where there are none, so that events from before there were any fold into what they recorded."""


class AccessEvent(EventData):
    """Base of what follows; all of it is one stream."""

    entity = AccessRecord
    at: Moment

    @property
    def stream(self) -> str:
        return "access/self"

    def fold(self, state: AccessRecord | None) -> AccessRecord:
        before = state or AccessRecord()
        return before.model_copy(update=self.changes(before))

    @abstractmethod
    def changes(self, before: AccessRecord) -> dict[str, object]:
        """The fields of the record that this event sets, with their new values."""


class PasswordWay(StrEnum):
    FIRST = "first"
    CHANGED = "changed"
    TERMINAL = "terminal"


class LoginWay(StrEnum):
    PASSWORD = "password"  # noqa: S105 - a word, not one
    PASSKEY = "passkey"


class PasswordSet(AccessEvent):
    """``how``: the first one, changed by who knew it, or set anew at the machine's terminal, which removes every passkey."""

    type = "access.password-set"
    how: PasswordWay

    def changes(self, before: AccessRecord) -> dict[str, object]:
        ousted = {"passkeys": ()} if self.how is PasswordWay.TERMINAL else {}
        return {"password_set_at": self.at, **ousted}


class LoggedIn(AccessEvent):
    """``refused`` counts the tries of this client that failed before."""

    type = "access.logged-in"
    network: Name
    refused: int = Field(default=0, ge=0)
    way: LoginWay = LoginWay.PASSWORD

    def changes(self, before: AccessRecord) -> dict[str, object]:
        return {"logins": before.logins + 1, "last_login_at": self.at}


class LoginRefused(AccessEvent):
    """A client failed so often that it has to wait: one event a wait. ``refused`` counts its failures in a row so far; ``way``
    is how it tried last."""

    type = "access.login-refused"
    network: Name
    refused: int = Field(ge=1)
    until: Moment
    way: LoginWay = LoginWay.PASSWORD

    def changes(self, before: AccessRecord) -> dict[str, object]:
        return {"blocks": before.blocks + 1, "last_block_at": self.at}


class TokenIssued(AccessEvent):
    type = "access.token-issued"
    name: TokenName
    scopes: tuple[Scope, ...]
    expires_at: Moment | None = None

    def changes(self, before: AccessRecord) -> dict[str, object]:
        return {"tokens": tuple(sorted({*before.tokens, self.name}))}


class TokenRevoked(AccessEvent):
    type = "access.token-revoked"
    name: TokenName

    def changes(self, before: AccessRecord) -> dict[str, object]:
        return {"tokens": tuple(name for name in before.tokens if name != self.name)}
