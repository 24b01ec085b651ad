"""What a simulated day came to, and what all of them did."""

from decimal import Decimal
from typing import Any

from domain.model import Value


class DayFigures(Value):
    """Counts of one day. Tickets count on the day of their first mail, everything else on the day it happened.

    ``unaided``: served rightly without a decision of the operator. ``severe``: money or a parcel that went the wrong
    way, a mail to somebody else, an order placed twice. ``minutes``: the operator's. ``questions``: approvals asked;
    ``interrupts``: those moments at which the operator was told at once. ``holding`` is money.
    """

    day: int
    date: str
    tickets: int = 0
    right: int = 0
    unaided: int = 0
    response_minutes: tuple[float, ...] = ()
    decisions: int = 0
    minutes: float = 0.0
    questions: int = 0
    interrupts: int = 0
    refunds: int = 0
    refunds_wrong: int = 0
    refunds_wrong_money: Decimal = Decimal(0)
    severe: int = 0
    wanted: int = 0
    sold: int = 0
    stock_outs: int = 0
    holding: Decimal = Decimal(0)
    impressions: int = 0
    clicks: int = 0


class ArmFigures(Value):
    """All days of one arm. ``learned`` are the lines of what changed by learning, ``severe`` what went really wrong."""

    learning: bool
    days: tuple[DayFigures, ...]
    learned: tuple[str, ...] = ()
    severe: tuple[str, ...] = ()
    events: int = 0
    runs: int = 0
    seconds: float = 0.0


class Tally:
    """Adds up figures day by day."""

    def __init__(self) -> None:
        self._days: dict[int, DayFigures] = {}

    def add(self, day: int, **more: Any) -> None:
        """Add to the figures of ``day``: numbers are summed, tuples are joined."""
        known = self._days[day]
        self._days[day] = known.model_copy(update={name: getattr(known, name) + value for name, value in more.items()})

    def knows(self, day: int) -> bool:
        return day in self._days

    def begin(self, day: int, date: str) -> None:
        self._days[day] = DayFigures(day=day, date=date)

    def days(self) -> tuple[DayFigures, ...]:
        return tuple(self._days[day] for day in sorted(self._days))


class Week(Value):
    """Figures over some days, for people; None where there was nothing to count.

    Shares are of 1, ``response`` is in median minutes, ``stock_outs`` in days of a SKU.
    """

    label: str
    unaided: float | None
    right: float | None
    decisions: float
    minutes: float
    questions: float
    interrupts: float
    response: float | None
    refunds_wrong: int
    severe: int
    fill: float | None
    stock_outs: int
    holding: Decimal
    ctr: float | None


def over(days: tuple[DayFigures, ...], label: str) -> Week:
    """The figures of ``days`` taken together."""
    tickets = sum(d.tickets for d in days)
    waited = sorted(m for d in days for m in d.response_minutes)
    return Week(
        label=label,
        unaided=_share(sum(d.unaided for d in days), tickets),
        right=_share(sum(d.right for d in days), tickets),
        decisions=sum(d.decisions for d in days) / max(len(days), 1),
        minutes=sum(d.minutes for d in days) / max(len(days), 1),
        questions=sum(d.questions for d in days) / max(len(days), 1),
        interrupts=sum(d.interrupts for d in days) / max(len(days), 1),
        response=waited[len(waited) // 2] if waited else None,
        refunds_wrong=sum(d.refunds_wrong for d in days),
        severe=sum(d.severe for d in days),
        fill=_share(sum(d.sold for d in days), sum(d.wanted for d in days)),
        stock_outs=sum(d.stock_outs for d in days),
        holding=sum((d.holding for d in days), Decimal(0)),
        ctr=_share(sum(d.clicks for d in days), sum(d.impressions for d in days)),
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
