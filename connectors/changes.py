"""Reading what has changed since the last time, from systems that sort by the time of change.

Times are the system's own, so no clock here matters. A change may become visible a little later than another one with a
later time (its transaction took longer), so each pass begins a little before the end of the last one; what was read in
that overlap is remembered in the cursor and not given again.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from domain.connections import Page, Record
from domain.errors import Permanent
from domain.ids import digest

_OVERLAP = timedelta(minutes=2)


@dataclass(frozen=True)
class Changed:
    """One thing as the system has it now. ``at`` is when it changed last."""

    key: str
    at: datetime
    raw: bytes

    @property
    def external_id(self) -> str:
        """The thing and what is said of it: some systems change a thing without a new time."""
        return f"{self.key}@{self.at.astimezone(UTC).isoformat()}#{digest(self.raw)[:12]}"


@dataclass(frozen=True)
class Batch:
    """Some changes, oldest first. ``rest`` leads to those after them; empty where there are none."""

    items: Sequence[Changed]
    rest: str = ""


Fetch = Callable[[datetime | None, str], Awaitable[Batch]]
"""What changed after a moment (None: ever), from ``rest`` of the batch before; the moment itself may be among it."""


@dataclass(frozen=True)
class _Place:
    """``after`` began this pass, ``latest`` is the latest change of it so far; ``seen`` has what the next pass meets again."""

    after: datetime | None = None
    rest: str = ""
    latest: datetime | None = None
    seen: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, cursor: str) -> "_Place":
        if not cursor:
            return cls()
        try:
            kept = json.loads(cursor)
            after, latest = (datetime.fromisoformat(kept[name]) if kept[name] else None for name in ("after", "latest"))
            return cls(after, str(kept["rest"]), latest, {str(key): float(at) for key, at in kept["seen"].items()})
        except (ValueError, LookupError, TypeError, AttributeError):
            raise Permanent("a cursor is not one of this connection", hint="disconnect it and connect it anew") from None

    def __str__(self) -> str:
        moments = {"after": self.after, "latest": self.latest}
        told = {name: moment.isoformat() if moment else "" for name, moment in moments.items()}
        return json.dumps({**told, "rest": self.rest, "seen": dict(self.seen)}, separators=(",", ":"))

    def then(self, batch: Batch) -> "_Place":
        latest = max((item.at for item in batch.items), default=self.latest)
        latest = max(latest, self.latest) if latest and self.latest else latest
        horizon = latest - _OVERLAP if latest else None
        seen = {**self.seen, **{_mark(item): item.at.timestamp() for item in batch.items}}
        kept = {mark: at for mark, at in seen.items() if horizon is None or at >= horizon.timestamp()}
        moved = replace(self, rest=batch.rest, latest=latest, seen=kept)
        return moved if batch.rest else replace(moved, after=horizon)


async def next_page(stream: str, cursor: str, fetch: Fetch) -> Page:
    """The next records of ``stream`` after ``cursor``. Raises what ``fetch`` raises, and Permanent for a foreign cursor."""
    place = _Place.of(cursor)
    batch = await fetch(place.after, place.rest)
    fresh = {item.external_id: item for item in batch.items if _mark(item) not in place.seen}
    records = tuple(Record(stream=stream, external_id=key, raw=item.raw) for key, item in fresh.items())
    return Page(records=records, cursor=str(place.then(batch)), more=bool(batch.rest))


def rest_by_time(start: str, number: int, last: str) -> str:
    """Where the next page begins, for systems that number their pages: by time, since numbered pages shift when something on
    them changes. ``last`` is a moment just before the last change of this page; where it does not lead on, a number does.
    """
    return f"{last}|1" if last > start else f"{start}|{number + 1}"


def time_and_number(rest: str, start: str) -> tuple[str, int]:
    """What ``rest_by_time`` told; the first page from ``start`` where there is no rest."""
    moment, _, number = rest.partition("|") if rest else (start, "", "1")
    return moment, int(number)


async def next_page_of_all(stream: str, cursor: str, fetch: Fetch, *, now: datetime, every: timedelta) -> Page:
    """As ``next_page``, and ``every`` so often from the beginning: for what may change without a time of change."""
    began, _, inner = cursor.partition("|")
    if not inner or now - datetime.fromisoformat(began) >= every:
        began, inner = now.isoformat(), ""
    page = await next_page(stream, inner, fetch)
    return page.model_copy(update={"cursor": f"{began}|{page.cursor}"})


def _mark(item: Changed) -> str:
    return digest(item.external_id)[:12]
