"""What is remembered: facts in their two times, and why one of them is believed."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from console.diffs import Change, changes
from console.happenings import Line, line
from console.places import place_of
from domain.errors import InvalidInput, NotFound
from domain.event import Event
from domain.knowledge import Fact
from memory.memory import Memory
from memory.views import EventFilter

_HISTORY = 200
_BEFORE = 10
_LONGEST = 300


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of ``subject``: ``facts`` as asked for, ``history`` everything ever believed, the latest belief first."""

    subject: str
    place: str
    facts: list[Fact]
    history: list[Fact]
    more: bool


@dataclass(frozen=True, kw_only=True)
class Grounds:
    """Why facts are believed: the event they come from, what it changed, and what had happened before it."""

    event: Line
    facts: list[Fact]
    changes: list[Change]
    before: list[Line]
    of_run: list[Line]


async def known(memory: Memory, subject: str, *, world: datetime | None, belief: datetime | None, now: datetime) -> Known:
    """Of now, or as of a time in the world and a time of belief. Raises InvalidInput."""
    if not subject or len(subject) > _LONGEST or "\x00" in subject:
        raise InvalidInput("a subject is needed", hint="for example product/MUG-01")
    at = {"world": world or now, "belief": belief or now}
    facts = await (memory.facts.as_of(subject, **at) if world or belief else memory.facts.current(subject))
    history = list(reversed(await memory.facts.history(subject)))
    return Known(subject=subject, place=place_of(subject), facts=facts, history=history[:_HISTORY], more=len(history) > _HISTORY)


async def grounds(memory: Memory, event_id: UUID, subject: str) -> Grounds:
    """Raises NotFound where the event is not in the database (any more)."""
    found = await memory.views.events(EventFilter(event_id=event_id), limit=1)
    if not found:
        hint = "where its month is archived, `./steward memory attach` puts it back"
        raise NotFound(f"there is no event {event_id} in the database", hint=hint)
    (event,) = found
    facts = await memory.facts.history(subject) if subject else []
    return Grounds(
        event=line(event),
        facts=[fact for fact in facts if fact.source_event == event_id],
        changes=changes(event.pre, event.post) if event.pre is not None else [],
        before=await _before(memory, EventFilter(stream=event.stream, before=event.seq)),
        of_run=await _of_run(memory, event),
    )


async def _before(memory: Memory, wanted: EventFilter) -> list[Line]:
    return [line(event) for event in await memory.views.events(wanted, limit=_BEFORE)]


async def _of_run(memory: Memory, event: Event) -> list[Line]:
    """What the same run did before, on other streams."""
    if not event.correlation_id:
        return []
    found = await _before(memory, EventFilter(run=event.correlation_id, before=event.seq))
    return [one for one in found if one.event.stream != event.stream]


def moment_of(text: str, zone: str) -> datetime | None:
    """A time of a form, in ``zone`` where it names none; None where it is empty. Raises InvalidInput."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))
        aware.astimezone(ZoneInfo("UTC"))
    except (ValueError, OverflowError) as error:
        raise InvalidInput(f"{text[:40]!r} is no time", hint="for example 2026-03-01T08:00") from error
    return aware
