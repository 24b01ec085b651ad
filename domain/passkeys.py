"""Passkeys of the operator: what is kept of one, what it signs, and when an answer counts.

Values and rules only. Source: W3C Web Authentication Level 3, whose sections are named as "WebAuthn 7.2".
"""

from datetime import timedelta
from enum import StrEnum

from pydantic import Field

from domain.access import AccessEvent, AccessRecord, Digest, PasskeyName
from domain.model import Moment, Name, Value

CHALLENGE_HOLDS = timedelta(minutes=5)
"""How long a challenge may be answered: long enough to find the telephone."""
_LARGEST_COUNT = 2**32 - 1


class Passkey(Value):
    """What is kept of one (WebAuthn 4, credential record). Nothing of it is a secret.

    ``credential_id`` and ``public_key`` (a COSE_Key, RFC 9052) are the authenticator's bytes; it works under the name ``rp_id``
    alone. ``sign_count`` is what it counted at its last use, 0 where it does not count. ``may_sync`` says that it can be copied
    to other devices, ``backed_up`` that it was (WebAuthn 6.1.3). ``transports`` are hints for browsers.
    """

    name: PasskeyName
    credential_id: bytes = Field(min_length=1, max_length=1023, repr=False)
    public_key: bytes = Field(min_length=1, repr=False)
    sign_count: int = Field(ge=0, le=_LARGEST_COUNT)
    rp_id: Name
    transports: tuple[Name, ...] = ()
    may_sync: bool
    backed_up: bool
    created_at: Moment
    used_at: Moment | None = None


class Purpose(StrEnum):
    REGISTER = "register"
    LOG_IN = "log-in"
    PROVE = "prove"


class Challenge(Value):
    """What a passkey is asked to sign, once. ``digest`` is its SHA-256 in hex; ``session_id`` is empty before the log-in."""

    digest: Digest
    purpose: Purpose
    session_id: str = ""
    rp_id: Name
    expires_at: Moment


def counts(challenge: Challenge, purpose: Purpose, *, session_id: str, rp_id: str, now: Moment) -> bool:
    """Whether an answer to ``challenge`` is one to what was asked, here and now."""
    asked = (challenge.purpose, challenge.session_id, challenge.rp_id)
    return asked == (purpose, session_id, rp_id) and now < challenge.expires_at


def went_back(before: int, after: int) -> bool:
    """Whether a counter says that there are two of this authenticator (WebAuthn 7.2, on ``signCount``). 0 twice says nothing."""
    return (before > 0 or after > 0) and after <= before


# --- the audit trail ---------------------------------------------------------------------------------------------


class PasskeyAdded(AccessEvent):
    type = "access.passkey-added"
    name: PasskeyName
    rp_id: Name

    def changes(self, before: AccessRecord) -> dict[str, object]:
        return {"passkeys": tuple(sorted({*before.passkeys, self.name}))}


class PasskeyRemoved(AccessEvent):
    type = "access.passkey-removed"
    name: PasskeyName

    def changes(self, before: AccessRecord) -> dict[str, object]:
        return {"passkeys": tuple(name for name in before.passkeys if name != self.name)}


class PasskeyDoubted(AccessEvent):
    """It signed well and was refused: its counter went back, so that there may be a copy of it."""

    type = "access.passkey-doubted"
    name: PasskeyName
    network: Name

    def changes(self, before: AccessRecord) -> dict[str, object]:
        return {}
