"""The figures of the first page: each with what it is today, what is usual, and how it went over two weeks."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from markupsafe import Markup

from console.charts import spark
from domain.money import Money
from domain.wording import counted
from memory.figures import Days, Figure, Figures, Series

COUNT = 14
"""Days that a tile looks back."""
_SHOWN = (
    Figure.DECIDED,
    Figure.CHANGED,
    Figure.FIRST_RESPONSE,
    Figure.OPENED,
    Figure.CLOSED,
    Figure.REFUNDED,
    Figure.RAN_OUT,
    Figure.SPENT,
)


@dataclass(frozen=True, kw_only=True)
class Tile:
    name: str
    value: str
    note: str
    spark: Markup
    href: str = ""


async def tiles(figures: Figures, *, now: datetime, zone: str, currency: str) -> list[Tile]:
    days = Days.until(now, zone=zone, count=COUNT)
    series = await figures.by_day(_SHOWN, days, currency=currency)
    return [
        _decisions(series, days),
        _first_response(series, days),
        _corrected(series, days),
        _open_tickets(series, days, await figures.open_tickets()),
        _money("Refunds today", series[Figure.REFUNDED], days, currency, href="/business/orders"),
        _stock_outs(series, days, await figures.out_of_stock()),
        _money("Spent on models today", series[Figure.SPENT], days, "USD", href="/learning/figures"),
    ]


def filled(of_day: dict[date, Decimal], days: Days) -> list[float]:
    """A value for each day; 0 where nothing was counted."""
    return [float(of_day.get(day, 0)) for day in days.each]


def known(of_day: dict[date, Decimal], days: Days) -> list[float | None]:
    """A value for each day; None where there is none."""
    return [float(of_day[day]) if day in of_day else None for day in days.each]


def shares(part: dict[date, Decimal], whole: dict[date, Decimal], days: Days) -> list[float | None]:
    """From 0 to 1; None on days that have no whole."""
    return [float(part.get(day, Decimal(0)) / whole[day]) if whole.get(day) else None for day in days.each]


def open_by_day(series: Series, days: Days, *, now_open: int) -> list[float]:
    """Tickets open at the end of each day: what is open now, less what came since, and what went."""
    opened, closed = filled(series[Figure.OPENED], days), filled(series[Figure.CLOSED], days)
    level, found = float(now_open), [float(now_open)]
    for came, went in zip(opened[:0:-1], closed[:0:-1], strict=True):
        level += went - came
        found.append(level)
    return found[::-1]


def _decisions(series: Series, days: Days) -> Tile:
    values = filled(series[Figure.DECIDED], days)
    return _tile("You decided today", f"{values[-1]:.0f}", values, _usual(values, _number), href="/audit")


def _first_response(series: Series, days: Days) -> Tile:
    values = known(series[Figure.FIRST_RESPONSE], days)
    value = "–" if values[-1] is None else minutes(values[-1])
    note = f"{_usual(values[:-1], minutes)}; counted from when a message came in"
    return _tile("First response, median", value, values, note, href="/business/tickets")


def _corrected(series: Series, days: Days) -> Tile:
    """Of all two weeks together: a single day has too few."""
    decided, changed = (sum(filled(series[f], days)) for f in (Figure.DECIDED, Figure.CHANGED))
    value = percent(changed / decided) if decided else "–"
    note = f"{changed:.0f} of {decided:.0f} changed or rejected in {COUNT} days" if decided else f"no decisions in {COUNT} days"
    return _tile("Corrected by you", value, shares(series[Figure.CHANGED], series[Figure.DECIDED], days), note, href="/learning")


def _open_tickets(series: Series, days: Days, now_open: int) -> Tile:
    values = open_by_day(series, days, now_open=now_open)
    return _tile("Tickets open", f"{now_open:,}", values, f"{values[0]:,.0f} two weeks ago", href="/business/tickets")


def _stock_outs(series: Series, days: Days, now_out: int) -> Tile:
    values = filled(series[Figure.RAN_OUT], days)
    return _tile(
        "Out of stock",
        f"{now_out:,}",
        values,
        f"ran out {counted(round(sum(values)), 'time')} in {COUNT} days",
        href="/business/stock",
    )


def _money(name: str, of_day: dict[date, Decimal], days: Days, currency: str, *, href: str) -> Tile:
    def words(value: float) -> str:
        return str(Money.of(str(round(value, 2)), currency).rounded())

    values = filled(of_day, days)
    return _tile(name, words(values[-1]), values, _usual(values, words), href=href)


def _tile(name: str, value: str, values: Iterable[float | None], note: str, *, href: str) -> Tile:
    return Tile(name=name, value=value, note=note, spark=spark(f"{name}, over {COUNT} days", list(values)), href=href)


def _usual(values: Iterable[float | None], words: Callable[[float], str]) -> str:
    found = [v for v in values if v is not None]
    return f"{words(sum(found) / len(found))} on an average day" if found else "no figures yet"


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def minutes(value: float) -> str:
    """``40 s``, ``4 min``, ``2.5 h``."""
    if value < 1:
        return f"{value * 60:.0f} s"
    return f"{value:.0f} min" if value < 90 else f"{value / 60:.1f} h"


def percent(share: float) -> str:
    return f"{share * 100:.0f} %"
