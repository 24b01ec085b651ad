"""What the results of actions are measured by: one closed list, with what a missing result means."""

from enum import StrEnum

from domain.model import Name, Value


class Better(StrEnum):
    HIGHER = "higher"
    LOWER = "lower"


class Missing(StrEnum):
    """What it means when the window passed and nothing was measured."""

    GOOD = "good"  # nobody complained
    BAD = "bad"  # it should have happened
    CENSORED = "censored"  # nothing can be said; the unit does not count


class Metric(Value):
    """A measured result. ``low`` and ``high`` bound the values, in ``measured_in``; what lies outside is clipped.

    ``window_days`` after the exposure a result that is still missing counts as ``missing`` says. A ``severe`` metric
    at its worst value is a severe miss: one is enough to take a change back.
    """

    name: Name
    better: Better
    measured_in: str
    low: float = 0.0
    high: float = 1.0
    window_days: float
    missing: Missing
    severe: bool = False
    cost: float = 0.0  # money that one bad result costs the shop, as a prior; in the shop's currency

    def reward(self, value: float) -> float:
        """``value`` on the scale from 0 (worst) to 1 (best)."""
        share = min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)
        return share if self.better is Better.HIGHER else 1.0 - share

    def bad(self, value: float) -> bool:
        """Whether this result is a failure worth explaining: in the worse half of the scale."""
        return self.reward(value) < 0.5


METRICS: dict[str, Metric] = {
    m.name: m
    for m in (
        Metric(name="corrected", better=Better.LOWER, measured_in="yes or no", window_days=3, missing=Missing.GOOD, cost=2.0),
        Metric(name="reopened", better=Better.LOWER, measured_in="yes or no", window_days=10, missing=Missing.GOOD, cost=4.0),
        Metric(name="unaided", better=Better.HIGHER, measured_in="yes or no", window_days=10, missing=Missing.BAD, cost=1.5),
        Metric(
            name="first-response-minutes",
            better=Better.LOWER,
            measured_in="minutes",
            high=1_440,
            window_days=2,
            missing=Missing.BAD,
            cost=1.0,
        ),
        Metric(
            name="refund-wrong",
            better=Better.LOWER,
            measured_in="yes or no",
            window_days=14,
            missing=Missing.GOOD,
            severe=True,
            cost=25.0,
        ),
        Metric(name="fill-rate", better=Better.HIGHER, measured_in="share", window_days=10, missing=Missing.CENSORED, cost=10.0),
        Metric(
            name="stock-out-days",
            better=Better.LOWER,
            measured_in="days",
            high=7,
            window_days=10,
            missing=Missing.CENSORED,
            cost=10.0,
        ),
        Metric(
            name="supplier-lateness",
            better=Better.LOWER,
            measured_in="days",
            high=14,
            window_days=30,
            missing=Missing.CENSORED,
            cost=5.0,
        ),
        Metric(
            name="ctr", better=Better.HIGHER, measured_in="share", high=0.06, window_days=21, missing=Missing.CENSORED, cost=1.0
        ),
        Metric(
            name="seconds-on-page",
            better=Better.HIGHER,
            measured_in="seconds",
            high=300,
            window_days=21,
            missing=Missing.CENSORED,
            cost=1.0,
        ),
    )
}
