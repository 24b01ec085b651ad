"""Figures by day, in memory."""

from collections.abc import Collection, Iterator
from datetime import date, datetime
from decimal import Decimal
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from domain.event import Event
from memory.fakes.store import Store
from memory.figures import Days, Figure, Series

Counted = tuple[Figure, date, Any]


class InMemoryFigures:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def by_day(self, names: Collection[Figure], days: Days, *, currency: str = "EUR") -> Series:
        found: dict[Figure, dict[date, list[Any]]] = {name: {} for name in names}
        for name, day, value in self._all(days, currency):
            if name in found and days.first <= day <= days.last:
                found[name].setdefault(day, []).append(value)
        return {name: {day: _of(name, values) for day, values in by_day.items()} for name, by_day in found.items()}

    async def open_tickets(self) -> int:
        return sum(body["status"] != "closed" for _, body in self._bodies("ticket"))

    async def out_of_stock(self) -> int:
        active = {key for key, body in self._bodies("product") if body["active"]}
        return sum(key in active and body["on_hand"] <= 0 for key, body in self._bodies("stock"))

    def _all(self, days: Days, currency: str) -> Iterator[Counted]:
        zone = ZoneInfo(days.zone)
        for event in self._store.events:
            for name, value in (*_counts(event, currency), *self._triage(event)):
                yield name, _day(event.at, zone), value
        yield from ((Figure.SPENT, _day(call.at, zone), call.cost) for call in self._store.calls)
        for _, body in self._bodies("content"):
            for measured in body["metrics"]:
                day = date.fromisoformat(measured["day"])
                yield Figure.IMPRESSIONS, day, measured["impressions"]
                yield Figure.CLICKS, day, measured["clicks"]

    def _triage(self, event: Event) -> Iterator[tuple[Figure, Any]]:
        if event.type != "label.given":
            return
        label = event.data["label"]
        guesses = [
            e.data["intent"]
            for e in self._store.events[: event.seq - 1]
            if e.type == "ticket.triaged" and e.stream == f"ticket/{label['ticket_id']}"
        ]
        if guesses:
            yield Figure.JUDGED, 1
        if guesses and guesses[-1] == label["intent"]:
            yield Figure.RIGHT, 1

    def _bodies(self, kind: str) -> list[tuple[str, dict[str, Any]]]:
        prefix = f"{kind}/"
        return [(s.removeprefix(prefix), state.body or {}) for s, state in self._store.states.items() if s.startswith(prefix)]


def _counts(event: Event, currency: str) -> Iterator[tuple[Figure, Any]]:
    """The figures that an event alone says something of."""
    data, before, after = event.data, event.pre, event.post
    was_closed = before is not None and before.get("status") == "closed"
    match event.type:
        case "approval.decided" if (verb := data["decision"]["verb"]) != "snooze":
            yield Figure.DECIDED, 1
            if verb in ("edit", "reject"):
                yield Figure.CHANGED, 1
        case "run.outcome-recorded" if data["outcome"]["metric"] == "first-response-minutes":
            yield Figure.FIRST_RESPONSE, data["outcome"]["value"]
        case "ticket.message-received" if before is None or was_closed:
            yield Figure.OPENED, 1
        case "ticket.closed" if before is not None and not was_closed:
            yield Figure.CLOSED, 1
        case "ticket.handed-over":
            yield Figure.HANDED_OVER, event.stream
        case "order.refunded" if data["refund"]["amount"]["currency"] == currency:
            yield Figure.REFUNDED, Decimal(data["refund"]["amount"]["amount"])
    if before is not None and before.get("on_hand", 0) > 0 and after.get("on_hand", 1) <= 0:
        yield Figure.RAN_OUT, 1


def _of(name: Figure, values: list[Any]) -> Decimal:
    if name is Figure.FIRST_RESPONSE:
        return Decimal(str(median(values)))
    return Decimal(len(set(values))) if name is Figure.HANDED_OVER else Decimal(sum(values))


def _day(moment: datetime, zone: ZoneInfo) -> date:
    return moment.astimezone(zone).date()
