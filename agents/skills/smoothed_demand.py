"""Demand by one exponential memory for the whole shop, mean and spread, all SKUs at once.

The plainest forecast whose memory is a parameter: a policy may name it, so that a back-test over the shop's past can
choose it. A long memory is the textbook's mean and standard deviation of the whole history; a short one follows the season.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from agents.skills.demand_rates import NEW_ITEM_DAYS, FloatArray, IntArray, running_total, shrink_new
from agents.skills.forecast import NO_DEMAND, DemandForecast, demand_pattern, pinball

_LAW_SKUS = 10  # fewer say nothing about how spread grows with demand
_TRAINING_DAYS = 28  # known before the first window that the forecast is judged on
_WINDOWS = 16  # at most
_WINDOW_STEP = 7  # days between them


@dataclass(frozen=True)
class SmoothedDemand:
    """``mean`` and ``sd`` of a day's units, [n_skus, n_days + 1]: column t is what was known before day t."""

    mean: FloatArray
    sd: FloatArray


def smoothed_demand(units: FloatArray, start: IntArray, *, memory_days: float, pooling: float) -> SmoothedDemand:
    """``units`` [n_skus, n_days]; days before ``start`` [n_skus] say nothing; a day's weight falls by 1/e in ``memory_days``.

    ``pooling`` (0 to 1) draws a SKU's spread towards what SKUs of its level of demand have in this shop; a SKU that is
    new leans on the shop whatever ``pooling`` says, and one that never sold has no demand.
    """
    mean, own = _moments(units, start, float(np.exp(-1 / memory_days)))
    age = np.maximum(np.arange(units.shape[1] + 1)[None, :] - start[:, None], 0)
    mean = np.where(age > 0, shrink_new(mean, start), 0.0)
    typical, known = _usual_spread(mean, own, age >= NEW_ITEM_DAYS)
    weight = np.where(known, np.maximum(pooling, 1 - age / NEW_ITEM_DAYS), 0.0)
    blended = np.exp((1 - weight) * np.log(np.maximum(own, 1e-9)) + weight * np.log(np.maximum(typical, 1e-9)))
    return SmoothedDemand(mean, np.where(mean > 0, np.maximum(blended, np.where(own > 0, 0.0, typical)), 0.0))


def smoothed_forecast(
    history: FloatArray, *, horizon_days: IntArray, service_level: float, memory_days: float, pooling: float
) -> DemandForecast:
    """The forecast of the days after ``history`` [n_skus, n_days]; its quantile is a normal's.

    ``loss`` is what its quantiles of past days would have lost on the windows after them.
    """
    units = np.maximum(np.nan_to_num(np.asarray(history, float)), 0.0)
    start = first_sale(units)
    known = smoothed_demand(units, start, memory_days=memory_days, pooling=pooling)
    safety = float(ndtri(service_level)) * known.sd * np.sqrt(horizon_days)[:, None]
    stated = known.mean * horizon_days[:, None] + safety
    loss, windows = _past_loss(units, stated, start, horizon_days, service_level)
    pattern = demand_pattern(units, start)
    method = tuple(NO_DEMAND if p == "none" else f"memory of {memory_days:g} d" for p in pattern)
    mean = known.mean[:, -1]
    return DemandForecast(mean, mean * horizon_days, stated[:, -1], horizon_days, method, loss, windows, pattern)


def first_sale(units: FloatArray) -> IntArray:
    """[n_skus]: the day of the first sale; one past the last day where nothing was sold."""
    sold = units > 0
    return np.asarray(np.where(sold.any(axis=1), sold.argmax(axis=1), units.shape[1]), np.int64)


def _past_loss(
    units: FloatArray, stated: FloatArray, start: IntArray, horizon: IntArray, level: float
) -> tuple[FloatArray, IntArray]:
    """Mean pinball loss a window [n_skus], and the number of windows; windows of a SKU lie wholly in its time on sale."""
    days, total = units.shape[1], running_total(units)
    lost, windows = np.zeros(len(units)), np.zeros(len(units), np.int64)
    for back in range(_WINDOWS):
        origin = days - horizon - back * _WINDOW_STEP
        judged = (origin >= _TRAINING_DAYS) & (origin > start)
        at = np.where(judged, origin, 0)[:, None]
        actual = np.take_along_axis(total, at + horizon[:, None] * judged[:, None], axis=1) - np.take_along_axis(total, at, axis=1)
        lost += judged * pinball(actual, np.take_along_axis(stated, at, axis=1), level)[:, 0]
        windows += judged
    return lost / np.maximum(windows, 1), windows


def _moments(units: FloatArray, start: IntArray, keep: float) -> tuple[FloatArray, FloatArray]:
    n, days = units.shape
    mean, sd = np.zeros((n, days + 1)), np.zeros((n, days + 1))
    weight, total, squares = np.zeros(n), np.zeros(n), np.zeros(n)
    for t in range(days):
        on_sale, sold = t >= start, units[:, t]
        weight = keep * weight + on_sale
        total = keep * total + sold * on_sale
        squares = keep * squares + sold**2 * on_sale
        level = total / np.maximum(weight, 1.0)
        mean[:, t + 1] = level
        sd[:, t + 1] = np.sqrt(np.maximum(squares / np.maximum(weight, 1.0) - level**2, 0.0))
    return mean, sd


def _usual_spread(mean: FloatArray, sd: FloatArray, mature: NDArray[np.bool_]) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Taylor's power law (sd = a mean^b), fitted by least squares over the SKUs of each day; and where it could be."""
    use = mature & (mean > 0) & (sd > 0)
    count = use.sum(axis=0)
    x, y = np.log(np.where(use, mean, 1.0)), np.log(np.where(use, sd, 1.0))
    n = np.maximum(count, 1)
    x_mean, y_mean = x.sum(axis=0) / n, y.sum(axis=0) / n
    away = (x - x_mean) * use
    slope = (away * y).sum(axis=0) / np.maximum((away**2).sum(axis=0), 1e-9)
    law = np.exp(y_mean + slope * (np.log(np.maximum(mean, 1e-9)) - x_mean))
    known = np.broadcast_to(count >= _LAW_SKUS, mean.shape)
    return np.where(known & (mean > 0), law, 0.0), known
