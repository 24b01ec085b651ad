"""Figures by day, for people who look: counted in the database, whatever the log has grown to."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Protocol
from zoneinfo import ZoneInfo

from memory.database import Database


class Figure(StrEnum):
    """What can be counted by day."""

    DECIDED = "decided"  # questions the operator answered; a snooze is no answer
    CHANGED = "changed"  # of them: edited or rejected
    FIRST_RESPONSE = "first-response"  # median minutes from when a customer's message came in to the answer
    OPENED = "opened"  # tickets, those that were opened again too
    CLOSED = "closed"
    HANDED_OVER = "handed-over"  # tickets that were left to the operator
    REFUNDED = "refunded"  # money, in the currency that is asked for
    RAN_OUT = "ran-out"  # times that the last unit of something left the shelf
    SPENT = "spent"  # US dollars for models
    JUDGED = "judged"  # tickets of which a person said what they are about
    RIGHT = "right"  # of them: triage had said the same
    IMPRESSIONS = "impressions"  # of all pages, by the day they were measured for
    CLICKS = "clicks"


@dataclass(frozen=True, kw_only=True)
class Days:
    """From ``first`` to ``last``, both included, as the calendar of ``zone`` (IANA) has them."""

    first: date
    last: date
    zone: str

    @classmethod
    def until(cls, now: datetime, *, zone: str, count: int) -> "Days":
        """The ``count`` days that end with that of ``now``."""
        last = now.astimezone(ZoneInfo(zone)).date()
        return cls(first=last - timedelta(days=count - 1), last=last, zone=zone)

    @property
    def each(self) -> list[date]:
        return [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]

    @property
    def begin(self) -> datetime:
        return datetime.combine(self.first, time(), ZoneInfo(self.zone)).astimezone(UTC)

    @property
    def end(self) -> datetime:
        """The first moment after them."""
        return datetime.combine(self.last + timedelta(days=1), time(), ZoneInfo(self.zone)).astimezone(UTC)


Series = dict[Figure, dict[date, Decimal]]
"""Every figure that was asked for, with the days on which there was any."""


class Figures(Protocol):
    """Reads only. Of the log, the months that are in the database."""

    async def by_day(self, names: Collection[Figure], days: Days, *, currency: str = "EUR") -> Series: ...

    async def open_tickets(self) -> int: ...

    async def out_of_stock(self) -> int:
        """Articles that are on sale and not on the shelf."""
        ...


class PostgresFigures:
    """See ``Figures``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def by_day(self, names: Collection[Figure], days: Days, *, currency: str = "EUR") -> Series:
        rows = await self._database.rows(
            "figures_by_day",
            names=[name.value for name in names],
            since=days.begin,
            until=days.end,
            first=days.first,
            last=days.last,
            zone=days.zone,
            currency=currency,
        )
        found: Series = {name: {} for name in names}
        for row in rows:
            found[Figure(row["name"])][row["day"]] = Decimal(row["value"])
        return found

    async def open_tickets(self) -> int:
        return await self._count("count_open_tickets")

    async def out_of_stock(self) -> int:
        return await self._count("count_out_of_stock")

    async def _count(self, name: str) -> int:
        row = await self._database.row(name)
        return int(row["n"]) if row else 0
