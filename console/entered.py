"""A session that begins, and the cookie that it is known by."""

import secrets
from datetime import datetime

from pydantic import Field

from domain.access import AT_MOST, Session
from domain.model import Value
from memory.keyring import sha256

_COOKIE_BYTES = 32


class Entered(Value):
    """``cookie`` is the value for the browser, known to nobody else."""

    cookie: str = Field(repr=False)
    session: Session


def entered(now: datetime) -> Entered:
    """A new one, not open yet. Whoever opens it has just proved who he is."""
    cookie = secrets.token_urlsafe(_COOKIE_BYTES)
    session = Session(
        session_id=sha256(cookie),
        csrf=secrets.token_urlsafe(_COOKIE_BYTES),
        opened_at=now,
        seen_at=now,
        expires_at=now + AT_MOST,
        proven_at=now,
    )
    return Entered(cookie=cookie, session=session)
