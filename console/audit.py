"""The audit trail: who decided what, through which door, what was refused, who came in, what was steered and what was done."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from domain.catalogue import EVENT_TYPES
from domain.event import Event
from domain.story import told

_EFFECTS = (
    "ticket.reply-sent",
    "order.refunded",
    "order.cancelled",
    "order.reinstated",
    "order.address-changed",
    "purchase-order.sent",
    "purchase-order.cancelled",
    "content.published",
    "content.unpublished",
    "run.action-failed",
    "run.acted-alone",
    "run.acted-under-bypass",
    "run.reverted",
)
_REFUSED = ("approval.decision-refused", "run.action-refused", "access.login-refused")
_DECISIONS = ("approval.decided", "approval.taken-back", "approval.ended", "alert.closed", "label.given", "ticket.relabelled")


def _of(*prefixes: str) -> tuple[str, ...]:
    return tuple(sorted(name for name in EVENT_TYPES if name.startswith(prefixes)))


TOPICS: dict[str, tuple[str, ...]] = {
    "decisions": (*_DECISIONS, "approval.decision-refused"),
    "refused": _REFUSED,
    "access": _of("access."),
    "controls": _of("controls."),
    "policies": _of("policy.", "flag.", "experiment.judged"),
    "effects": _EFFECTS,
    "log": _of("archive.", "upkeep."),
}
"""The types of events under each heading."""
ALL = tuple(sorted({name for types in TOPICS.values() for name in types}))
COLUMNS = ("seq", "at", "who", "door", "what", "type", "about", "run", "recorded_at", "event_id", "prev_hash", "hash", "data")
_PIECE = 100  # lines
_BEFORE_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An event as the trail tells it. ``door`` is how it came in, empty where nobody came in."""

    event: Event
    who: str
    door: str
    what: str


def entry(event: Event) -> Entry:
    return Entry(event=event, who=_who(event), door=_door(event), what=told(event) or event.type.replace(".", " "))


def _who(event: Event) -> str:
    decision = event.data.get("decision")
    by = decision.get("by") if isinstance(decision, dict) else event.data.get("by")
    return by if isinstance(by, str) and by else event.actor


def _door(event: Event) -> str:
    decision = event.data.get("decision")
    via = decision.get("via") if isinstance(decision, dict) else event.data.get("via")
    if isinstance(via, str):
        return via
    if event.type.startswith("access."):
        return "terminal" if event.data.get("how") == "terminal" else "log-in"
    return ""


async def as_csv(events: AsyncIterator[Event]) -> AsyncIterator[str]:
    """One line an event, the headings first (RFC 4180). No cell begins as a formula does in a spreadsheet."""
    yield _line(COLUMNS)
    async for event in events:
        yield _line([defused(cell) for cell in _cells(event)])


async def as_json(events: AsyncIterator[Event]) -> AsyncIterator[str]:
    """An array of whole events, with who, door and words."""
    before = "[\n"
    async for event in events:
        one = entry(event)
        said: dict[str, Any] = {"who": one.who, "door": one.door, "what": one.what, **event.model_dump(mode="json")}
        yield before + json.dumps(said, ensure_ascii=False)
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


async def in_pieces(lines: AsyncIterator[str]) -> AsyncIterator[str]:
    """Many lines at a time, and between two pieces whoever else waits has their turn: a file may be of the whole log."""
    piece: list[str] = []
    async for line in lines:
        piece.append(line)
        if len(piece) == _PIECE:
            yield "".join(piece)
            piece.clear()
            await asyncio.sleep(0)
    yield "".join(piece)


def defused(cell: str) -> str:
    """With an apostrophe before what a spreadsheet would take for a formula (OWASP, CSV injection)."""
    return f"'{cell}" if cell.startswith(_BEFORE_FORMULA) else cell


def _cells(event: Event) -> list[str]:
    one = entry(event)
    told_of = [str(event.seq), event.at.isoformat(), one.who, one.door, one.what, event.type, event.stream, event.correlation_id]
    proof = [event.recorded_at.isoformat(), str(event.event_id), event.prev_hash, event.hash]
    return [*told_of, *proof, json.dumps(event.data, ensure_ascii=False, sort_keys=True)]


def _line(cells: Any) -> str:
    target = io.StringIO()
    csv.writer(target).writerow(cells)
    return target.getvalue()
