"""A shop's past as the replay needs it, and many policies replayed on it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from agents.skills.demand_rates import FloatArray
from agents.skills.reorder import MICROS, Items
from domain.errors import InvalidInput
from domain.policies import StockPolicy
from learning.stock_simulation import Evening, Ledger, Shelves, StockCosts, Supply, simulate
from learning.stock_targets import Forecasting, targets

LEAST_DAYS = 84  # a shorter past decides nothing
_WARM_UP = 1 / 3  # share of the past that the first forecasts are made from
_OPENING_DAYS = (7.0, 14.0, 21.0, 30.0, 45.0)  # of mean demand on the shelf where a replay begins
_YEAR = 365.0


@dataclass(frozen=True)
class ShopPast:
    """``units`` [n_skus, n_days] asked for a day, oldest first; sold, where nobody counts what was missed."""

    units: FloatArray
    supply: Supply
    costs: StockCosts


def past_of(units: FloatArray, items: Items, policy: StockPolicy) -> ShopPast:
    """The past of the products the planner plans; a sale lost costs its margin. Uneven lead times are not replayed."""
    cost, margin = np.maximum(items.unit_cost, 1) / MICROS, np.maximum(items.unit_margin, 0) / MICROS
    lead_days = np.maximum(np.round(items.lead_days), 1).astype(np.int64)
    costs = StockCosts(cost * policy.holding_rate / _YEAR, margin, float(policy.order_cost.amount))
    return ShopPast(np.maximum(units, 0.0), Supply(lead_days, items.moq, items.pack_size), costs)


def replay(past: ShopPast, policies: Sequence[StockPolicy]) -> Ledger:
    """What each policy would have cost after the warm-up, on the same demand.

    The mean over replays from several opening stocks: whether a large order met a full shelf or a low one is luck.

    A SKU that had not sold by then is left at zero: what sells before it is known cannot be planned by any policy.
    Raises ``InvalidInput`` where the past is shorter than ``LEAST_DAYS``.
    """
    days = past.units.shape[1]
    if days < LEAST_DAYS:
        raise InvalidInput(f"{days} days of sales are too few to choose a stock policy by", hint=f"{LEAST_DAYS} are needed")
    first = int(days * _WARM_UP)
    mean = past.units[:, :first].mean(axis=1)
    asked = past.units * (mean > 0)[:, None]
    openings = np.array(_OPENING_DAYS)[:, None] * mean
    sharing: dict[Forecasting, list[int]] = {}
    for i, policy in enumerate(policies):
        sharing.setdefault(Forecasting.of(policy), []).append(i)
    ledger = Ledger.empty(len(policies), len(past.units))
    for how, members in sharing.items():
        part = simulate(
            asked,
            _evening(how, [policies[i] for i in members], replace(past, units=asked), first),
            opening=np.tile(openings, (len(members), 1)),
            supply=past.supply,
            costs=past.costs,
            days=range(first, days),
        )
        ledger.put(members, part.averaged(len(openings)))
    return ledger


def _evening(how: Forecasting, members: Sequence[StockPolicy], past: ShopPast, first: int) -> Evening:
    known = targets(how, past.units, past.supply.lead_days, past.costs, first=first)
    safety = np.array([[policy.safety_factor] for policy in members])
    lots = np.array([[policy.lot_factor] for policy in members])

    def evening(day: int, _: Shelves) -> tuple[FloatArray, FloatArray]:
        point, level = known.at(day + 1, safety=safety, lots=lots)
        return np.repeat(point, len(_OPENING_DAYS), axis=0), np.repeat(level, len(_OPENING_DAYS), axis=0)

    return evening
