"""The reorder points and lots a stock policy would have set on every past day, by the planner's own forecasts."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from agents.skills.demand_rates import FloatArray, IntArray
from agents.skills.eoq import eoq
from agents.skills.forecast import forecast_demand
from agents.skills.reorder import LIVE_UNITS, MAX_COVER_DAYS
from agents.skills.smoothed_demand import first_sale, smoothed_demand
from domain.policies import StockPolicy
from learning.stock_simulation import StockCosts, Targets

_FORECAST_EVERY = 14  # days between the forecasts of the per-SKU methods; they are slow, and move little in that time


@dataclass(frozen=True)
class Forecasting:
    """The part of a policy that decides its forecasts: policies that agree in it share them."""

    service_level: float
    memory_days: float
    pooling: float
    review_days: int

    @classmethod
    def of(cls, policy: StockPolicy) -> "Forecasting":
        return cls(policy.service_level, policy.memory_days, policy.pooling, policy.review_days)


def targets(how: Forecasting, units: FloatArray, lead_days: IntArray, costs: StockCosts, *, first: int) -> Targets:
    """``units`` [n_skus, n_days]. Columns before ``first`` mean nothing."""
    horizon = np.maximum(lead_days + how.review_days, 1)
    paths = _smoothed if how.memory_days > 0 else _chosen
    mean, safety = paths(how, units, horizon, first)
    lot = eoq(fixed_cost=costs.line, holding_cost=costs.holding[:, None], demand_rate=mean)
    longest = mean * MAX_COVER_DAYS
    return Targets(mean * horizon[:, None], safety, np.asarray(lot, float), longest, (longest >= LIVE_UNITS).astype(float))


def _smoothed(how: Forecasting, units: FloatArray, horizon: IntArray, _first: int) -> tuple[FloatArray, FloatArray]:
    known = smoothed_demand(units, first_sale(units), memory_days=how.memory_days, pooling=how.pooling)
    safety = float(ndtri(how.service_level)) * known.sd * np.sqrt(horizon)[:, None]
    return known.mean, safety


def _chosen(how: Forecasting, units: FloatArray, horizon: IntArray, first: int) -> tuple[FloatArray, FloatArray]:
    mean, safety = np.zeros((len(units), units.shape[1] + 1)), np.zeros((len(units), units.shape[1] + 1))
    for day in range(first, units.shape[1] + 1, _FORECAST_EVERY):
        found = forecast_demand(units[:, :day], horizon_days=horizon, service_level=how.service_level)
        mean[:, day:] = found.mean_daily[:, None]
        safety[:, day:] = np.maximum(found.horizon_quantile - found.horizon_mean, 0)[:, None]
    return mean, safety
