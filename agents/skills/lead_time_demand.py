"""How much will sell in the next ``horizon`` days: candidate quantiles, as known on one day (the origin), all SKUs at once.

A rate method gives the mean; the spread comes from how unevenly the SKU's own windows of that length were in the past
half year (variance over mean, pooled over the shop where a SKU has few windows); the quantile is a gamma's. The
"windows" method asks no model: it takes the quantile of the past windows themselves.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

from agents.skills.demand_rates import (
    FloatArray,
    IntArray,
    croston,
    exponential_smoothing,
    moving_average,
    running_total,
    sba,
    shrink_new,
    tsb,
)

WINDOWS = "windows"
WEEKLY = "weekly profile"
_MEMORY_DAYS = 182  # past windows looked at
_POOL_WINDOWS = 4  # windows that do not overlap, after which a SKU's own spread outweighs the shop's
_PROFILE_UNITS = 50  # units sold after which a SKU's own week outweighs the shop's


@dataclass(frozen=True)
class History:
    """What has been sold: ``units`` [n_skus, n_days], ``total`` its running sum, ``start`` [n_skus], ``rates`` by method."""

    units: FloatArray
    total: FloatArray
    start: IntArray
    rates: Mapping[str, FloatArray]

    @property
    def days(self) -> int:
        return int(self.units.shape[1])

    def only(self, rows: IntArray) -> "History":
        return History(self.units[rows], self.total[rows], self.start[rows], {k: v[rows] for k, v in self.rates.items()})


@dataclass(frozen=True)
class Candidates:
    """For each method in order: ``mean`` and ``quantile`` [n_methods, n_skus] of the demand of the window, in units."""

    methods: tuple[str, ...]
    mean: FloatArray
    quantile: FloatArray


def read_history(units: FloatArray, start: IntArray) -> History:
    """Run every rate method once over the whole history."""
    paths = {
        "moving average": moving_average(units, start, window=28),
        "SES": exponential_smoothing(units, start),
        "Croston": croston(units, start),
        "SBA": sba(units, start),
        "TSB": tsb(units, start),
    }
    return History(units, running_total(units), start, {name: shrink_new(path, start) for name, path in paths.items()})


def candidates_at(history: History, origin: int, *, horizon: int, level: float) -> Candidates:
    """Every method's view of the days ``origin`` .. ``origin + horizon - 1``, from the days before ``origin`` only."""
    windows, seen = _past_windows(history, origin, horizon)
    own = seen.sum(axis=1) / horizon
    spread = _spread(windows, seen, own)
    means = {name: path[:, origin] * horizon for name, path in history.rates.items()}
    quantiles = {name: gamma_quantile(mean, spread, level) for name, mean in means.items()}
    same_weekday = slice(min(origin, _MEMORY_DAYS) % 7, None, 7)
    means[WEEKLY] = history.rates["moving average"][:, origin] * _week_factor(history, origin, horizon)
    quantiles[WEEKLY] = gamma_quantile(means[WEEKLY], _spread(windows[:, same_weekday], seen[:, same_weekday], own), level)
    trust = own / (own + _POOL_WINDOWS)
    means[WINDOWS] = trust * _mean(windows, seen) + (1 - trust) * means["SES"]
    quantiles[WINDOWS] = trust * _window_quantile(windows, seen, level) + (1 - trust) * quantiles["SES"]
    return Candidates(tuple(means), np.stack(list(means.values())), np.stack(list(quantiles.values())))


def gamma_quantile(mean: FloatArray, spread: FloatArray, level: float) -> FloatArray:
    """Quantile of a gamma with this mean and variance ``spread * mean``; 0 where the mean is 0."""
    shape = np.maximum(mean / spread, 1e-9)
    return np.where(mean > 0, spread * gammaincinv(shape, level), 0.0)


def _past_windows(history: History, origin: int, horizon: int) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Demand of the windows that ended by ``origin``, and which of them lie wholly after the SKU's start."""
    first = np.arange(max(0, origin - _MEMORY_DAYS), max(0, origin - horizon + 1))
    return history.total[:, first + horizon] - history.total[:, first], first[None, :] >= history.start[:, None]


def _spread(windows: FloatArray, seen: NDArray[np.bool_], own: FloatArray) -> FloatArray:
    """Variance over mean of the windows, at least Poisson's 1, shrunk to the shop's median.

    ``own`` [n_skus] is how many windows that do not overlap a SKU has.
    """
    count, mean = seen.sum(axis=1), _mean(windows, seen)
    variance = ((windows - mean[:, None]) ** 2 * seen).sum(axis=1) / np.maximum(count - 1, 1)
    ratio = variance / np.where(mean > 0, mean, 1.0)
    known = (own >= _POOL_WINDOWS) & (mean > 0)
    pooled = float(np.median(ratio[known])) if known.any() else 1.0
    shrunk: FloatArray = (own * ratio + _POOL_WINDOWS * pooled) / (own + _POOL_WINDOWS)
    return np.maximum(1.0, shrunk)


def _mean(windows: FloatArray, seen: NDArray[np.bool_]) -> FloatArray:
    mean: FloatArray = (windows * seen).sum(axis=1) / np.maximum(seen.sum(axis=1), 1)
    return mean


def _window_quantile(windows: FloatArray, seen: NDArray[np.bool_], level: float) -> FloatArray:
    count = seen.sum(axis=1)
    if windows.shape[1] == 0:
        return np.zeros(len(windows))
    ordered = np.sort(np.where(seen, windows, -1.0), axis=1)  # unseen windows sort to the front
    rank = windows.shape[1] - count + np.ceil(level * count).astype(np.int64) - 1
    picked = np.take_along_axis(ordered, np.clip(rank, 0, windows.shape[1] - 1)[:, None], axis=1)[:, 0]
    return np.where(count > 0, picked, 0.0)


def _week_factor(history: History, origin: int, horizon: int) -> FloatArray:
    """Window length in average days: 7 days count 7, a window over two quiet weekends counts less than its length."""
    weeks = min(origin, _MEMORY_DAYS) // 7
    if weeks == 0:
        return np.full(len(history.units), float(horizon))
    by_day = history.units[:, origin - 7 * weeks : origin].reshape(-1, weeks, 7).sum(axis=1)
    shop = by_day.sum(axis=0)
    shop_share = shop / shop.sum() if shop.sum() > 0 else np.full(7, 1 / 7)
    share = (by_day + _PROFILE_UNITS * shop_share) / (by_day.sum(axis=1, keepdims=True) + _PROFILE_UNITS)
    full, rest = divmod(horizon, 7)
    factor: FloatArray = 7 * (full + share[:, :rest].sum(axis=1))
    return factor
