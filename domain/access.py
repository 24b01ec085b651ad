"""Who may enter the console: sessions, API tokens, and the rules for tries, life and proof. Pure.

Lengths of life follow the OWASP session management cheat sheet for a tool of one person; the password rule is that of
NIST SP 800-63B (length and a list of the commonest, no composition rules).
"""

from datetime import timedelta
from enum import StrEnum

from pydantic import Field

from domain.errors import InvalidInput
from domain.event import EventData
from domain.model import Moment, Name, Value

IDLE = timedelta(hours=12)
LONGEST = timedelta(days=30)
PROOF = timedelta(minutes=10)
FREE_TRIES = 5
_FIRST_WAIT = timedelta(seconds=2)
_LONGEST_WAIT = timedelta(minutes=15)
_SHORTEST, _MOST = 10, 1_000
_COMMON = frozenset(
    ("password", "passwort", "1234567890", "0123456789", "qwertyuiop", "steward", "iloveyou", "letmein", "administrator", "welcome")
)


class Session(Value):
    """Somebody logged in. ``session_id`` is the SHA-256 of the cookie's value, which is kept nowhere.

    ``proven_at`` is when the password was given last; ``flash`` are lines that the next page says.
    """

    session_id: Name
    csrf: Name
    opened_at: Moment
    seen_at: Moment
    proven_at: Moment
    flash: tuple[str, ...] = ()


def alive(session: Session, now: Moment) -> bool:
    return now < session.seen_at + IDLE and now < session.opened_at + LONGEST


def proven(session: Session, now: Moment) -> bool:
    """Whether the password was given so lately that what is dangerous needs it no more."""
    return now < session.proven_at + PROOF


class Scope(StrEnum):
    READ = "read"
    PROPOSE = "propose"
    DECIDE = "decide"


class ApiToken(Value):
    """What a program may do on the operator's behalf. ``token_hash`` is the SHA-256 of the token, which is shown once."""

    name: Name
    token_hash: str
    scopes: tuple[Scope, ...] = Field(min_length=1)
    created_at: Moment
    expires_at: Moment
    used_at: Moment | None = None
    revoked_at: Moment | None = None

    def valid(self, now: Moment) -> bool:
        return self.revoked_at is None and now < self.expires_at


class Tries(Value):
    """Failed tries of one client in a row."""

    failures: int = 0
    last: Moment | None = None


def blocked_until(tries: Tries) -> Moment | None:
    """The end of the wait that the failures cost: none for the first few, then doubling, at most a quarter of an hour."""
    if tries.failures < FREE_TRIES or tries.last is None:
        return None
    wait = _FIRST_WAIT * int(2 ** min(tries.failures - FREE_TRIES, 20))
    return tries.last + min(wait, _LONGEST_WAIT)


def check_password(password: str) -> None:
    """Raises InvalidInput for one that is too easy to guess, or too long to be hashed at leisure."""
    if not _SHORTEST <= len(password) <= _MOST:
        raise InvalidInput(f"a password has {_SHORTEST} to {_MOST:,} characters", hint="a sentence of your own is best")
    plain = "".join(c for c in password.lower() if c.isalnum())
    if plain.rstrip("0123456789") in _COMMON or plain in _COMMON or len(set(plain)) < 4:
        raise InvalidInput("this password is among the first that are tried", hint="a sentence of your own is best")


# --- the audit trail ---------------------------------------------------------------------------------------------


class AccessRecord(Value):
    """How often the console was entered, and tried to be."""

    entered: int = 0
    refused: int = 0
    passwords: int = 0
    tokens: tuple[str, ...] = ()


class _AccessEvent(EventData):
    entity = AccessRecord

    @property
    def stream(self) -> str:
        return "access/console"

    def fold(self, state: AccessRecord | None) -> AccessRecord:
        record = state or AccessRecord()
        return record.model_copy(update=self.change(record))

    def change(self, record: AccessRecord) -> dict[str, object]:
        return {}


class PasswordSet(_AccessEvent):
    type = "access.password-set"
    by: Name

    def change(self, record: AccessRecord) -> dict[str, object]:
        return {"passwords": record.passwords + 1}


class LoggedIn(_AccessEvent):
    type = "access.logged-in"
    client: Name

    def change(self, record: AccessRecord) -> dict[str, object]:
        return {"entered": record.entered + 1}


class LoginRefused(_AccessEvent):
    """A client was made to wait after ``failures`` wrong passwords in a row; single slips leave no trace."""

    type = "access.login-refused"
    client: Name
    failures: int

    def change(self, record: AccessRecord) -> dict[str, object]:
        return {"refused": record.refused + self.failures}


class TokenIssued(_AccessEvent):
    type = "access.token-issued"
    name: Name
    scopes: tuple[Scope, ...]
    expires_at: Moment

    def change(self, record: AccessRecord) -> dict[str, object]:
        return {"tokens": (*record.tokens, self.name)}


class TokenRevoked(_AccessEvent):
    type = "access.token-revoked"
    name: Name

    def change(self, record: AccessRecord) -> dict[str, object]:
        return {"tokens": tuple(name for name in record.tokens if name != self.name)}
