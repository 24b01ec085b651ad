"""The figures by which arms are compared: what each is called, where it is found and how it is written."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from demo.simulation.figures import Week

Number = float | int | Decimal | None


@dataclass(frozen=True)
class Measure:
    """``read`` takes it from a week's figures, ``written`` makes it readable."""

    name: str
    told: str
    read: Callable[[Week], Number]
    written: Callable[[float], str]

    def text(self, week: Week) -> str:
        value = self.read(week)
        return "–" if value is None else self.written(float(value))


def _percent(value: float) -> str:
    return f"{value:.1%}"


def _tenths(value: float) -> str:
    return f"{value:.1f}"


def _whole(value: float) -> str:
    return f"{value:,.0f}"


MEASURES = (
    Measure("handled alone", "tickets answered rightly, without any decision of the operator", lambda w: w.unaided, _percent),
    Measure("handled rightly", "tickets whose customer got what they wanted and nothing wrong", lambda w: w.right, _percent),
    Measure("decisions a day", "of the operator", lambda w: w.decisions, _tenths),
    Measure("operator minutes a day", "half a minute to look, four to write", lambda w: w.minutes, _tenths),
    Measure("minutes to first answer", "median, from the customer's mail", lambda w: w.response, _whole),
    Measure("questions a day", "approvals asked of the operator", lambda w: w.questions, _tenths),
    Measure("interrupts a day", "the operator was told at once; the rest waits for the digest", lambda w: w.interrupts, _tenths),
    Measure("refunds wrongly paid", "too much, too often or to the wrong order", lambda w: w.refunds_wrong, _whole),
    Measure("severe misses", "money, parcel or mail that went the wrong way; an order placed twice", lambda w: w.severe, _whole),
    Measure("fill rate", "units sold of those wanted", lambda w: w.fill, _percent),
    Measure("stock-out days", "a SKU that was wanted and not there, for a day", lambda w: w.stock_outs, _whole),
    Measure("holding cost", "25 % of unit cost a year", lambda w: w.holding, _whole),
    Measure("click-through rate", "of the shop's pages", lambda w: w.ctr, _percent),
)
