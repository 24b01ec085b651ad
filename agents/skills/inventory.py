"""Single-item inventory formulas, after Snyder and Shen, "Fundamentals of Supply Chain Theory" (2nd edition).

Costs are money per unit and unit of time (holding, stockout) or money per order (fixed). Demand and lead time use
the same unit of time throughout. Arguments out of range raise ``InvalidInput``.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import norm, poisson

from agents.skills.eoq import eoq, not_negative, positive
from domain.errors import InvalidInput

FloatArray = NDArray[np.float64]
_TAIL = 1e-12  # probability left out on each side where a discrete distribution is cut off


@dataclass(frozen=True)
class BaseStock:
    """Order up to ``level`` every period, at an expected ``cost`` per period."""

    level: float
    cost: float


@dataclass(frozen=True)
class ReorderPointQuantity:
    """The (r, Q) policy: when the inventory position falls to ``r``, order ``q``."""

    r: float
    q: float
    cost: float


@dataclass(frozen=True)
class MinMax:
    """The (s, S) policy: at a review that finds the position at or under ``s``, order up to ``big_s``."""

    s: float
    big_s: float
    cost: float


def critical_ratio(*, holding_cost: float, stockout_cost: float) -> float:
    """The service level that balances one unit too many against one too few: p / (h + p) (4.5)."""
    positive(holding_cost, "holding_cost")
    positive(stockout_cost, "stockout_cost")
    return stockout_cost / (holding_cost + stockout_cost)


def newsvendor_normal(
    *, holding_cost: float, stockout_cost: float, demand_mean: float, demand_sd: float, lead_time: float = 0.0
) -> BaseStock:
    """Normal demand a period. With a lead time the level covers lead time plus the review period (4.41)."""
    not_negative(lead_time, "lead_time")
    mean, sd = demand_mean * (lead_time + 1), demand_sd * float(np.sqrt(lead_time + 1))
    positive(sd, "demand_sd")
    level = float(norm.ppf(critical_ratio(holding_cost=holding_cost, stockout_cost=stockout_cost), mean, sd))
    return BaseStock(level, _normal_period_cost(level, holding_cost, stockout_cost, mean, sd))


def newsvendor_profit(
    *, revenue: float, purchase_cost: float, salvage_value: float, demand_mean: float, demand_sd: float
) -> BaseStock:
    """The explicit form: normal demand, prices instead of penalties (4.2.2). ``cost`` is minus the expected profit."""
    over, under = purchase_cost - salvage_value, revenue - purchase_cost
    best = newsvendor_normal(holding_cost=over, stockout_cost=under, demand_mean=demand_mean, demand_sd=demand_sd)
    return BaseStock(best.level, best.cost - under * demand_mean)


def newsvendor_discrete(*, holding_cost: float, stockout_cost: float, pmf: FloatArray) -> BaseStock:
    """Demand d with probability ``pmf[d]``, d = 0, 1, ...: the smallest level that reaches the critical ratio (4.30)."""
    pmf = _distribution(pmf)
    ratio = critical_ratio(holding_cost=holding_cost, stockout_cost=stockout_cost)
    level = int(np.searchsorted(np.cumsum(pmf), ratio - 1e-12))
    return BaseStock(level, float(_discrete_period_cost(np.array([level]), holding_cost, stockout_cost, pmf)[0]))


def newsvendor_poisson(*, holding_cost: float, stockout_cost: float, demand_mean: float) -> BaseStock:
    """Poisson demand a period."""
    return newsvendor_discrete(holding_cost=holding_cost, stockout_cost=stockout_cost, pmf=poisson_pmf(demand_mean))


def poisson_pmf(mean: float) -> FloatArray:
    """Probabilities of 0, 1, ... up to where less than 1e-12 is left."""
    not_negative(mean, "demand_mean")
    return np.asarray(poisson.pmf(np.arange(int(poisson.isf(_TAIL, mean)) + 2), mean), float)


def r_q_cost(
    r: float,
    q: float,
    *,
    holding_cost: float,
    stockout_cost: float,
    fixed_cost: float,
    demand_mean: float,
    demand_sd: float,
    lead_time: float,
) -> float:
    """Expected cost per unit of time of (r, Q) under continuous review and normal lead-time demand (5.7)."""
    positive(q, "q")
    mean, sd = demand_mean * lead_time, demand_sd * float(np.sqrt(lead_time))
    between = _normal_cost_integral(r + q, holding_cost, stockout_cost, mean, sd) - _normal_cost_integral(
        r, holding_cost, stockout_cost, mean, sd
    )
    return (fixed_cost * demand_mean + between) / q


def r_q_normal(
    *,
    holding_cost: float,
    stockout_cost: float,
    fixed_cost: float,
    demand_mean: float,
    demand_sd: float,
    lead_time: float,
) -> ReorderPointQuantity:
    """Optimal (r, Q) (Zheng 1992): at the optimum r and r + Q cost the same rate, and that rate is the total cost."""
    mean, sd = demand_mean * lead_time, demand_sd * float(np.sqrt(lead_time))
    positive(sd, "demand_sd and lead_time")
    best = newsvendor_normal(holding_cost=holding_cost, stockout_cost=stockout_cost, demand_mean=mean, demand_sd=sd).level

    def rate(y: float) -> float:
        return _normal_period_cost(y, holding_cost, stockout_cost, mean, sd)

    def reorder_point(q: float) -> float:
        return float(brentq(lambda r: rate(r) - rate(r + q), best - q - sd, best, xtol=1e-12))

    def excess(q: float) -> float:
        r = reorder_point(q)
        below = _normal_cost_integral(r, holding_cost, stockout_cost, mean, sd)
        above = _normal_cost_integral(r + q, holding_cost, stockout_cost, mean, sd)
        return q * rate(r) - (above - below) - fixed_cost * demand_mean

    low = float(eoq(fixed_cost=fixed_cost, holding_cost=holding_cost, demand_rate=demand_mean))
    high = low + sd
    while excess(high) < 0:
        high *= 2
    q = float(brentq(excess, low * 1e-6 + 1e-9, high, xtol=1e-12))
    r = reorder_point(q)
    return ReorderPointQuantity(r, q, rate(r))


def r_q_poisson(
    *, holding_cost: float, stockout_cost: float, fixed_cost: float, demand_mean: float, lead_time: float
) -> ReorderPointQuantity:
    """Optimal whole-unit (r, Q) under Poisson demand (Federgruen and Zheng 1992): widen the cheapest interval while it pays."""
    pmf = poisson_pmf(demand_mean * lead_time)
    start = int(newsvendor_discrete(holding_cost=holding_cost, stockout_cost=stockout_cost, pmf=pmf).level)

    def rate(y: int) -> float:
        return float(_discrete_period_cost(np.array([y]), holding_cost, stockout_cost, pmf)[0])

    r, q = start - 1, 1
    cost = fixed_cost * demand_mean + rate(start)
    while (step := min(rate(r), rate(r + q + 1))) < cost:
        cost = (cost * q + step) / (q + 1)
        r, q = (r - 1 if rate(r) <= rate(r + q + 1) else r), q + 1
    return ReorderPointQuantity(r, q, cost)


def s_s_discrete(*, holding_cost: float, stockout_cost: float, fixed_cost: float, pmf: FloatArray) -> MinMax:
    """Optimal (s, S) of periodic review without lead time (Zheng and Federgruen 1991). ``pmf[0]`` must be under 1."""
    pmf = _distribution(pmf)
    best = int(newsvendor_discrete(holding_cost=holding_cost, stockout_cost=stockout_cost, pmf=pmf).level)
    renewal = _Renewal(pmf)

    def rate(y: int) -> float:
        return float(_discrete_period_cost(np.array([y]), holding_cost, stockout_cost, pmf)[0])

    def cost(s: int, big_s: int) -> float:
        m = renewal.mass(big_s - s)
        rates = _discrete_period_cost(big_s - np.arange(big_s - s), holding_cost, stockout_cost, pmf)
        return (fixed_cost + float(m @ rates)) / float(m.sum())

    s = best - 1
    while cost(s, best) > rate(s):
        s -= 1
    found, big_s = MinMax(s, best, cost(s, best)), best + 1
    while rate(big_s) <= found.cost:
        if cost(s, big_s) < found.cost:
            while cost(s, big_s) <= rate(s + 1):
                s += 1
            found = MinMax(s, big_s, cost(s, big_s))
        big_s += 1
    return found


def s_s_power_approximation(
    *, holding_cost: float, stockout_cost: float, fixed_cost: float, demand_mean: float, demand_sd: float, lead_time: float = 0.0
) -> tuple[float, float]:
    """(s, S) by the power approximation (Ehrhardt and Mosier 1984), for normal demand and periodic review (4.4.4)."""
    positive(demand_mean, "demand_mean")
    positive(demand_sd, "demand_sd")
    mean, sd = demand_mean * (lead_time + 1), demand_sd * float(np.sqrt(lead_time + 1))
    spread = (1 + sd**2 / demand_mean**2) ** 0.116
    q = 1.30 * demand_mean**0.494 * (fixed_cost / holding_cost) ** 0.506 * spread
    z = float(np.sqrt(q * holding_cost / (sd * stockout_cost)))
    s = 0.973 * mean + sd * (0.183 / z + 1.063 - 2.192 * z)
    return s, s + q


class _Renewal:
    """Expected number of periods the position spends j units under S, j = 0, 1, ... (4.70), extended as asked."""

    def __init__(self, pmf: FloatArray) -> None:
        if pmf[0] >= 1 - _TAIL:
            raise InvalidInput("demand is never above zero", hint="an item nobody buys has no (s, S) policy")
        self._pmf = pmf
        self._mass = [1 / (1 - float(pmf[0]))]

    def mass(self, n: int) -> FloatArray:
        while len(self._mass) < n:
            j = len(self._mass)
            width = min(j, len(self._pmf) - 1)
            recent = np.array(self._mass[j - width : j][::-1])
            self._mass.append(float(self._pmf[1 : width + 1] @ recent) / (1 - float(self._pmf[0])))
        return np.array(self._mass[:n])


def _normal_period_cost(y: float, holding: float, stockout: float, mean: float, sd: float) -> float:
    """Expected holding plus stockout cost of a period that starts with ``y`` (4.6)."""
    z = (y - mean) / sd
    short = sd * float(norm.pdf(z) - z * norm.sf(z))
    return holding * (y - mean + short) + stockout * short


def _normal_cost_integral(y: float, holding: float, stockout: float, mean: float, sd: float) -> float:
    """An antiderivative of the period cost, from the second-order normal loss function (C.30)."""
    z = (y - mean) / sd
    second_loss = 0.5 * float((z**2 + 1) * norm.sf(z) - z * norm.pdf(z))
    return holding * (y - mean) ** 2 / 2 - (holding + stockout) * sd**2 * second_loss


def _discrete_period_cost(levels: NDArray[np.int64], holding: float, stockout: float, pmf: FloatArray) -> FloatArray:
    gap = levels[:, None] - np.arange(len(pmf))[None, :]
    return np.asarray((holding * np.maximum(gap, 0) + stockout * np.maximum(-gap, 0)) @ pmf, float)


def _distribution(pmf: FloatArray) -> FloatArray:
    pmf = np.asarray(pmf, float)
    if pmf.ndim != 1 or (pmf < 0).any() or abs(float(pmf.sum()) - 1) > 1e-9:
        raise InvalidInput("probabilities must be zero or more and sum to one")
    return pmf
