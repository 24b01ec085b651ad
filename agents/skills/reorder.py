"""When to reorder and how much, for all SKUs of a shop at once; what to leave out when the money does not suffice.

Policy: (r, Q) on the inventory position. The reorder point r is the quantile of demand over lead time plus review period;
a SKU at or under it is ordered up to r plus an economic quantity, in whole packs and at least the minimum quantity.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from agents.skills.demand_rates import FloatArray, IntArray
from agents.skills.eoq import eoq
from agents.skills.forecast import DemandForecast
from agents.skills.order_budget import Allocation, OrderLimits, Outcome, Wish, allocate

MICROS = 1_000_000  # money is counted in millionths, whole numbers, so that a budget is kept to the last cent
_YEAR = 365.0
MAX_COVER_DAYS = 90.0  # of mean demand: the most that one order covers
LIVE_UNITS = 0.5  # an item that sells less than this in the longest cover allowed is not stocked any more


@dataclass(frozen=True)
class Items:
    """One entry a SKU: stock in units, quantities in units, money in micros of the budget's currency, times in days."""

    on_hand: IntArray
    reserved: IntArray
    on_order: IntArray
    moq: IntArray
    pack_size: IntArray
    unit_cost: IntArray
    unit_margin: IntArray
    lead_days: FloatArray
    lead_sd_days: FloatArray
    supplier: tuple[str, ...]

    @property
    def position(self) -> IntArray:
        return self.on_hand - self.reserved + self.on_order


@dataclass(frozen=True)
class Terms:
    """``order_cost`` micros a line; ``holding_rate`` share of unit cost a year; ``max_cover_days`` caps what one order covers.

    ``safety_factor`` and ``lot_factor`` multiply the safety stock and the economic quantity.
    """

    service_level: float
    holding_rate: float
    order_cost: int
    review_days: int
    max_cover_days: float = MAX_COVER_DAYS
    safety_factor: float = 1.0
    lot_factor: float = 1.0


@dataclass(frozen=True)
class Suggestion:
    """What to do about one SKU that is at or under its reorder point. ``wanted`` is the quantity without a budget."""

    index: int
    units: int
    wanted: int
    outcome: Outcome
    why: str


@dataclass(frozen=True)
class ReorderPlan:
    reorder_point: IntArray
    suggestions: tuple[Suggestion, ...]
    spent: int  # micros

    @property
    def ordered(self) -> tuple[Suggestion, ...]:
        return tuple(s for s in self.suggestions if s.units > 0)


def plan_reorders(items: Items, forecast: DemandForecast, terms: Terms, limits: OrderLimits) -> ReorderPlan:
    """The whole plan. Its orders never cost more than ``limits.budget``, and nothing above its reorder point is ordered."""
    safe = reorder_points(forecast, items.lead_sd_days, service_level=terms.service_level, safety_factor=terms.safety_factor)
    point = np.where(_stocked(forecast, terms), safe, 0)
    steps = order_quantities(items, forecast, point, terms)
    priority = urgency(items, forecast, service_level=terms.service_level)
    ceiling = point + 2 * np.floor(terms.max_cover_days * forecast.mean_daily).astype(np.int64) - items.position
    wishes = [
        Wish(
            index=int(i),
            supplier=items.supplier[i],
            steps=tuple(int(units) for units in steps[:, i]),
            ceiling=max(int(ceiling[i]), int(steps[-1, i])),
            moq=int(items.moq[i]),
            pack=int(items.pack_size[i]),
            unit_cost=int(items.unit_cost[i]),
            priority=float(priority[i]),
        )
        for i in np.flatnonzero(steps[-1] > 0)
    ]
    granted = allocate(wishes, limits)
    suggestions = tuple(
        Suggestion(a.wish.index, a.units, a.wish.full, a.outcome, explain(a, items, forecast, terms, int(point[a.wish.index])))
        for a in granted
    )
    return ReorderPlan(point, suggestions, sum(a.units * a.wish.unit_cost for a in granted))


def reorder_points(
    forecast: DemandForecast, lead_sd_days: FloatArray, *, service_level: float, safety_factor: float = 1.0
) -> IntArray:
    """Units that cover lead time plus review with probability ``service_level``, by the forecast.

    The safety stock against uneven demand (from the forecast's quantile) and that against uneven lead times
    (z times rate times its standard deviation) are independent, so their squares add. The safety factor is for what
    the forecast does not see; a back-test finds it.
    """
    safety = np.maximum(forecast.horizon_quantile - forecast.horizon_mean, 0.0)
    late = float(ndtri(service_level)) * forecast.mean_daily * lead_sd_days
    return np.ceil(forecast.horizon_mean + safety_factor * np.hypot(safety, late) - 1e-9).astype(np.int64)


def order_quantities(items: Items, forecast: DemandForecast, point: IntArray, terms: Terms) -> IntArray:
    """[3, n_skus] units: up to the mean demand of the horizon, to the reorder point, to r + Q; 0 where nothing is due."""
    position = items.position
    longest = forecast.mean_daily * terms.max_cover_days
    stocked = _stocked(forecast, terms)
    due = np.where(stocked, position <= point, position < 0)
    holding = terms.holding_rate * np.maximum(items.unit_cost, 1) / MICROS
    economic = eoq(fixed_cost=terms.order_cost / MICROS, holding_cost=holding, demand_rate=forecast.mean_daily * _YEAR)
    quantity = np.ceil(np.clip(terms.lot_factor * economic, 1.0, np.maximum(longest, 1.0))).astype(np.int64)
    usual = np.minimum(np.ceil(forecast.horizon_mean).astype(np.int64), point)
    targets = np.where(stocked, np.stack([usual, point, point + quantity]), 0)
    missing = targets - position
    return np.where(due & (missing > 0), _orderable(missing, items), 0)


def urgency(items: Items, forecast: DemandForecast, *, service_level: float) -> FloatArray:
    """What the next unit is worth for its money: the chance that it is missed before the next order, times margin over cost."""
    spread = np.maximum((forecast.horizon_quantile - forecast.horizon_mean) / float(ndtri(service_level)), 1e-9)
    missed = ndtr(-(items.position - forecast.horizon_mean) / spread)
    return np.asarray(missed * np.maximum(items.unit_margin, 0) / np.maximum(items.unit_cost, 1), float)


def explain(granted: Allocation, items: Items, forecast: DemandForecast, terms: Terms, point: int) -> str:
    """One line: what sells, what is there, what it takes, what is ordered, and by which method."""
    i, wish = granted.wish.index, granted.wish
    owed = f" - {items.reserved[i]} reserved" if items.reserved[i] else ""
    stock = f"{items.on_hand[i]} left{owed} + {items.on_order[i]} coming"
    needs = f"needs {point} at {aim(terms.service_level, terms.safety_factor)}"
    extra, rate = granted.units - max(point - int(items.position[i]), 0), float(forecast.mean_daily[i])
    more = f" + {extra} so that the next order is {extra / rate:.0f} d later" if extra > 0 and rate > 0 else ""
    times = f"lead {items.lead_days[i]:g} d + review {terms.review_days} d"
    told = f"sells {per_day(float(forecast.mean_daily[i]))}, {stock}, {times}, {needs}{more} -> {packs(granted.units, wish.pack)}"
    said = f" ({granted.note})" if granted.note else ""
    return f"{told}{said}; {forecast.pattern[i]} ({forecast.method[i]})"


def aim(service_level: float, safety_factor: float) -> str:
    """For people: 95%, or 95% with 2 times the safety stock."""
    return f"{service_level:.0%}" + (f" with {safety_factor:g} times the safety stock" if safety_factor != 1 else "")


def per_day(rate: float) -> str:
    """For people: 137/day, 2.3/day, 0.04/day, nothing."""
    if rate < 0.005:
        return "nothing"
    return f"{rate:.0f}/day" if rate >= 10 else f"{rate:.1f}/day" if rate >= 1 else f"{rate:.2f}/day"


def packs(units: int, pack: int) -> str:
    """For people: 3 packs of 12, 7 units, nothing now."""
    if units == 0:
        return "nothing now"
    if pack == 1:
        return f"{units} unit{'s' if units != 1 else ''}"
    return f"{units // pack} pack{'s' if units != pack else ''} of {pack}"


def _stocked(forecast: DemandForecast, terms: Terms) -> NDArray[np.bool_]:
    """Whether a SKU sells enough to be kept at all; what is not kept is ordered only where customers wait for it."""
    return np.asarray(forecast.mean_daily * terms.max_cover_days >= LIVE_UNITS, np.bool_)


def _orderable(units: IntArray, items: Items) -> IntArray:
    """The next quantity the supplier accepts: whole packs, at least the minimum."""
    return -(-np.maximum(units, items.moq) // items.pack_size) * items.pack_size
