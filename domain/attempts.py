"""Attempts: what a connector is about to send, written down before it does, for systems that cannot tell what they got.

ready -> sending -> sent; back to ready where the system said that it took nothing. Whoever dies while sending leaves
``sending`` behind: then nobody knows, unless the system can be asked after all.
"""

from enum import StrEnum

from domain.model import Moment, Name, Value


class AttemptStatus(StrEnum):
    READY = "ready"
    SENDING = "sending"
    SENT = "sent"


class Attempt(Value):
    """``payload`` is sent byte for byte. ``reference`` is its own id in the outside system; ``stream`` what it is about."""

    connection: Name
    key: Name
    stream: Name
    action_kind: Name
    action_digest: Name
    reference: Name
    payload: bytes
    status: AttemptStatus = AttemptStatus.READY
    at: Moment
