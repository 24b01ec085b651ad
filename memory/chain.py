"""The hash chain: what an event's hash covers, and how a run of events is checked. No I/O."""

import hashlib
import re
from collections.abc import Iterable
from typing import Any

from domain.event import Event
from domain.ids import canonical_json
from domain.knowledge import Head

START = Head(seq=0, hash="0" * 64)

# jsonb keeps a number's decimal value, not its spelling: 1e+16 comes back as an integer and -0.0 as 0.0.
_RESPELLED = re.compile(r"\de\+|-0\.0(?!\d)")


def hash_of(columns: dict[str, Any]) -> str:
    """SHA-256 over the canonical JSON of every column but ``hash`` itself; ``prev_hash`` among them."""
    covered = {name: value for name, value in columns.items() if name != "hash"}
    return hashlib.sha256(canonical_json(covered).encode()).hexdigest()


def as_stored(value: Any) -> Any:
    """``value`` (of plain JSON) with its numbers as Postgres will give them back."""
    return _respell(value) if _RESPELLED.search(canonical_json(value)) else value


def _respell(value: Any) -> Any:
    match value:
        case float() if value == 0 or (value.is_integer() and abs(value) >= 1e16):
            return int(value) if value else 0.0
        case dict():
            return {key: _respell(item) for key, item in value.items()}
        case list():
            return [_respell(item) for item in value]
    return value


def first_problem(events: Iterable[Event], head: Head) -> tuple[Head, str]:
    """Check ``events`` as what follows ``head``: the last good head, and the first thing wrong (or "")."""
    for event in events:
        if event.seq != head.seq + 1:
            return head, f"event {head.seq + 1} is missing: event {event.seq} follows event {head.seq}"
        if event.prev_hash != head.hash:
            return head, f"event {event.seq} does not follow event {head.seq}: its previous hash is another one"
        if hash_of(dict(event)) != event.hash:
            return head, f"event {event.seq} ({event.type} on {event.stream}) was changed after it was recorded"
        head = Head(seq=event.seq, hash=event.hash)
    return head, ""
