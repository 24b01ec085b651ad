"""Events for people: one line each, where it leads, and which of them are asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from console.diffs import fields_changed
from console.places import place_of
from domain.catalogue import ENTITY_TYPES, EVENT_TYPES
from domain.errors import InvalidInput
from domain.event import Event
from domain.story import told
from memory.views import EventFilter

_TEXTS = ("kind", "type", "stream", "run", "actor")
_MOST = 300  # characters of a filter


@dataclass(frozen=True, kw_only=True)
class Line:
    """An event in a list. ``place`` is the page of what it is about, empty where there is none; ``changed`` names fields."""

    event: Event
    text: str
    place: str
    changed: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is asked for: as it was typed, for the form and for links, and as a filter. ``typed`` has every name."""

    typed: Mapping[str, str]
    filter: EventFilter

    def older(self, last: Event) -> str:
        """The query of the page that begins before ``last``."""
        return urlencode({**self._given, "before": str(last.seq)})

    @property
    def query(self) -> str:
        """Without the place in the list."""
        return urlencode(self._given)

    @property
    def said(self) -> str:
        """The filter in a few words."""
        return ", ".join(f"{name} {value}" for name, value in self._given.items())

    @property
    def _given(self) -> dict[str, str]:
        return {name: value for name, value in self.typed.items() if value and name != "before"}


def line(event: Event) -> Line:
    return Line(
        event=event,
        text=told(event) or event.type.replace(".", " ").replace("-", " "),
        place=place_of(event.stream),
        changed=tuple(fields_changed(event.pre, event.post)),
    )


def wanted(query: Mapping[str, str], zone: str, *, types: Sequence[str] = (), also: Sequence[str] = ()) -> Wanted:
    """``from`` and ``to`` are days in ``zone``, both with all their hours; ``also`` is kept for links. Raises InvalidInput."""
    typed = {name: query.get(name, "").strip() for name in (*_TEXTS, "from", "to", "before", *also)}
    for name, text in typed.items():
        if len(text) > _MOST or "\x00" in text:
            raise InvalidInput(f"{name} is nothing to look for", hint="shorten it")
    texts = {name: typed[name] for name in _TEXTS}
    if texts["kind"] and texts["kind"] not in ENTITY_TYPES:
        raise InvalidInput(f"there is nothing of the kind {texts['kind'][:40]!r}", hint=f"one of {', '.join(sorted(ENTITY_TYPES))}")
    if texts["type"] and not any(known.startswith(texts["type"]) for known in EVENT_TYPES):
        raise InvalidInput(f"no type of event begins with {texts['type'][:40]!r}", hint="for example approval.")
    since, until = _day(typed["from"], zone), _day(typed["to"], zone, after=1)
    found = EventFilter(before=_seq(typed["before"]), types=tuple(types), since=since, until=until, **texts)
    return Wanted(typed=typed, filter=found)


def _seq(text: str) -> int | None:
    if text and not (text.isdecimal() and len(text) < 19):
        raise InvalidInput(f"{text[:40]!r} is no number of an event", hint="follow the links, or leave it out")
    return int(text) if text else None


def _day(text: str, zone: str, *, after: int = 0) -> datetime | None:
    """The midnight with which the day begins, or the one ``after`` as many days."""
    if not text:
        return None
    try:
        day = date.fromisoformat(text) + timedelta(days=after)
    except (ValueError, OverflowError) as error:
        raise InvalidInput(f"{text[:40]!r} is no day", hint="for example 2026-03-01") from error
    return datetime.combine(day, time(), ZoneInfo(zone))
