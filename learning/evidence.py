"""Evidence that is valid at any sample size and at any time of looking: capital that the null hypothesis cannot grow.

A unit is assigned to an arm by a coin of known bias. For each unit some capital is staked on what the arms are thought
to do; where they do the same, the coin makes every stake fair, so capital is a martingale that begins at 1, and
``P(it ever reaches 1/alpha) <= alpha`` (Ville), however the base rate drifts, the share ramps or one looks.

For results of 0 or 1 the stake is the likelihood ratio of Turner, Ly and Grünwald, "Generic e-variables for exact
sequential k-sample tests that allow for optional stopping": with rates ``t_a`` (control) and ``t_b`` (candidate) chosen
from the past only and the share ``pi`` of the candidate, ``x = (1 - pi) t_a + pi t_b``, a unit of arm ``g`` with the
result ``y`` multiplies the capital by ``(t_g / x) ** y * ((1 - t_g) / (1 - x)) ** (1 - y)``. Its expectation is 1 over
the assignment for each ``y``, and at most 1 over the results wherever the null holds. A result between 0 and 1 counts
as so much of a 1 and the rest of a 0, which keeps both. With a margin ``x`` splits into the reverse information
projection onto the null, the pair of rates ``margin`` apart that is nearest to the alternative.

In which order to process: whatever order does not depend on the arms keeps the expectation over the assignment at 1,
so where the two arms do the same (the sharp null) units may be taken as their results come in, although bad results
come early and good ones only when their window has passed. That is how harm is tested, because it is first to know.
That the candidate is merely no better than control is a statement about rates: it covers candidates whose results come
at other times than control's, and there only the order of exposure is safe. So a win is tested on the exposures up to
the first one without a result; and so is harm beyond a margin.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import exp
from typing import Any, NamedTuple, Protocol

from numpy.typing import NDArray

Column = float | NDArray[Any]  # a number, or one for each of many experiments that are processed side by side
HARM_LIMIT = 5.0
_FORGET = 0.99  # what the base rate keeps of the past at each unit: it follows drift over a hundred units
_OVERWHELMING = 1e6  # beyond this nothing more is staked
_REACHED = 1.0 - 1e-9  # rounding
_TINY = 1e-300  # capital can shrink until it underflows


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit with its result: whether the candidate handled it, the share it was drawn with, the reward in [0, 1].

    ``share`` lies strictly between 0 and 1: what was not drawn says nothing.
    """

    candidate: Column
    share: Column
    reward: Column


@dataclass(frozen=True, slots=True)
class Alternative:
    """What is tested: that the candidate is better (or worse) than control by more than ``-margin`` on the reward scale.

    ``shifts`` on the logit scale are how much better or worse; each gets its part (``weights``, summing to 1) of the
    first capital. No capital is staked to gain more than ``target``.
    """

    better: bool
    margin: float
    shifts: tuple[float, ...]
    weights: tuple[float, ...]
    target: float


def better(margin: float = 0.0) -> Alternative:
    """The candidate's rate is above control's less the margin. Small effects matter, there is time to see them."""
    return Alternative(better=True, margin=margin, shifts=(0.25, 0.5, 0.8, 1.2), weights=(0.25,) * 4, target=_OVERWHELMING)


def worse(margin: float = 0.0) -> Alternative:
    """The candidate's rate is below control's less the margin. Most is staked on large effects: they hurt first."""
    return Alternative(better=False, margin=margin, shifts=(0.5, 1.2, 1.8), weights=(0.1, 0.65, 0.25), target=HARM_LIMIT)


class Factor(NamedTuple):
    """What capital is multiplied by, given the result: if the candidate handled the unit, and if control did."""

    candidate: Column
    control: Column


class Bets(Protocol):
    """How capital is staked on the next unit. Depends on units before it only."""

    @property
    def alternative(self) -> Alternative: ...

    def factors(self, unit: Unit) -> tuple[Factor, ...]:
        """For each shift of the alternative; does not depend on ``unit.candidate``."""
        ...

    def after(self, unit: Unit) -> "Bets": ...


@dataclass(frozen=True, slots=True)
class RateBets:
    """Bets on rates: for results of 0 or 1. The base rate is a shrunken running mean over both arms."""

    alternative: Alternative
    good: Column = 0.0
    seen: float = 0.0

    @property
    def base(self) -> Column:
        return (self.good + 0.5) / (self.seen + 1.0)

    def factors(self, unit: Unit) -> tuple[Factor, ...]:
        margin = self.alternative.margin
        control = larger(self.base, margin + 0.01) if margin else self.base
        odds = (control - margin) / (1.0 - control + margin)
        sign = 1.0 if self.alternative.better else -1.0
        return tuple(_factor(unit, control, _rate(odds * exp(sign * s)), margin) for s in self.alternative.shifts)

    def after(self, unit: Unit) -> "RateBets":
        return RateBets(self.alternative, good=_FORGET * self.good + unit.reward, seen=_FORGET * self.seen + 1.0)


@dataclass(frozen=True, slots=True)
class EProcess:
    """Capital by shift, and how it is staked. Folding ``after`` over units is all there is to a test."""

    bets: Bets
    capital: tuple[Column, ...]

    @classmethod
    def start(cls, bets: Bets) -> "EProcess":
        return cls(bets=bets, capital=bets.alternative.weights)

    @property
    def value(self) -> Column:
        """The e-value: all capital, of 1 at first."""
        return sum(self.capital)

    def after(self, unit: Unit) -> "EProcess":
        factors, alternative = self.bets.factors(unit), self.bets.alternative
        if_candidate = [c * f.candidate for c, f in zip(self.capital, factors, strict=True)]
        if_control = [c * f.control for c, f in zip(self.capital, factors, strict=True)]
        in_sum = Factor(sum(if_candidate), sum(if_control))
        aim = _aim(in_sum, unit.share, alternative.target, refund=not alternative.margin)
        plays = 1 - (self.value >= alternative.target * _REACHED)
        candidate = plays * unit.candidate * aim.candidate / (in_sum.candidate + _TINY)
        control = plays * (1 - unit.candidate) * aim.control / (in_sum.control + _TINY)
        parts = zip(self.capital, if_candidate, if_control, strict=True)
        capital = tuple([(1 - plays) * now + candidate * b + control * a for now, b, a in parts])
        return EProcess(self.bets.after(unit), capital)


def evidence(units: Iterable[Unit], bets: Bets) -> float:
    """The e-value of the units, in the order they are given."""
    process = EProcess.start(bets)
    for unit in units:
        process = process.after(unit)
    return float(process.value)


def _factor(unit: Unit, control: Column, candidate: Column, margin: float) -> Factor:
    null_control, null_candidate = _null_pair(control, candidate, unit.share, margin)
    return Factor(
        candidate=_ratio(unit.reward, candidate, null_candidate),
        control=_ratio(unit.reward, control, null_control),
    )


def _ratio(reward: Column, rate: Column, null: Column) -> Column:
    return reward * rate / null + (1.0 - reward) * (1.0 - rate) / (1.0 - null)


def _null_pair(control: Column, candidate: Column, share: Column, margin: float) -> tuple[Column, Column]:
    """The rates ``margin`` apart with the least divergence from the alternative, by bisection (pooled without a margin)."""
    if not margin:
        pooled = (1.0 - share) * control + share * candidate
        return pooled, pooled
    shifted = candidate + margin
    low, high = larger(-larger(-control, -shifted), margin), -larger(-larger(control, shifted), -1.0)
    for _ in range(50):
        a = (low + high) / 2.0
        b = a - margin
        slope = (1.0 - share) * (a - control) * b * (1.0 - b) + share * (b - candidate) * a * (1.0 - a)
        low, high = low + (a - low) * (slope < 0), high + (a - high) * (slope >= 0)
    return (low + high) / 2.0, (low + high) / 2.0 - margin


def _aim(capital: Factor, share: Column, target: float, *, refund: bool) -> Factor:
    """Capital in either case, with nothing above the target: what would overshoot there is paid in the other case.

    Each result keeps its expectation over the assignment, and better results never pay more, so the null cannot grow it
    either (for results that are not 0 or 1: the null that the candidate's are nowhere worse in distribution). With a
    margin the exchange would not be exact, and what overshoots is lost. The idea is Fischer and Ramdas, "Improving the
    (approximate) sequential probability ratio test by avoiding overshoot".
    """
    over = Factor(larger(capital.candidate - target, 0.0), larger(capital.control - target, 0.0))
    odds = share / (1.0 - share)
    return Factor(
        candidate=capital.candidate - over.candidate + refund * over.control / odds,
        control=capital.control - over.control + refund * over.candidate * odds,
    )


def _rate(odds: Column) -> Column:
    return odds / (1.0 + odds)


def larger(left: Column, right: Column) -> Column:
    """The maximum, of numbers and of arrays alike."""
    return left + (right - left) * (right > left)
