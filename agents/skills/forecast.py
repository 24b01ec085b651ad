"""Demand forecast for every SKU of a shop at once: which method, how much a day, and what lead time plus review may take.

The method is chosen for each SKU by a rolling-origin back-test: standing at a row of past days, each method states the
quantile of the demand of the coming window from what was known that day, and pays the pinball loss of the service level
for what then sold. A SKU with few such windows leans on what worked for the whole shop.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.skills.demand_rates import FloatArray, IntArray
from agents.skills.lead_time_demand import History, candidates_at, read_history
from domain.errors import InvalidInput

DEFAULT_METHOD = "TSB"  # before anything could be back-tested: works for smooth and intermittent demand, and lets dead items fade
NO_DEMAND = "no demand"
_ORIGINS = 16  # past days the back-test stands at
_ORIGIN_STEP = 7  # days between them
_TRAINING_DAYS = 28  # history a method gets to see at least before it is judged
_POOL_ORIGINS = 40.0  # windows after which a SKU's own back-test outweighs the shop's
_COVER_FACTORS = np.geomspace(1.0, 2.5, 60)
_SCALES = np.geomspace(0.7, 2.0, 42)  # corrections of the quantile that the back-test may find, common to all SKUs


@dataclass(frozen=True)
class DemandForecast:
    """One entry a SKU, in the order of the history's rows; no entry is ever NaN.

    ``mean_daily`` units a day; ``horizon_mean`` and ``horizon_quantile`` units over the SKU's horizon; ``method`` the
    method chosen; ``loss`` its mean pinball loss in units a window; ``windows`` how many windows that was measured on
    (0: too little history, the loss is 0 because unknown); ``pattern`` smooth, erratic, intermittent, lumpy, new or none.
    """

    mean_daily: FloatArray
    horizon_mean: FloatArray
    horizon_quantile: FloatArray
    horizon_days: IntArray
    method: tuple[str, ...]
    loss: FloatArray
    windows: IntArray
    pattern: tuple[str, ...]


def forecast_demand(
    history: FloatArray, *, horizon_days: IntArray, service_level: float, start: IntArray | None = None
) -> DemandForecast:
    """``history`` [n_skus, n_days], oldest day first; negative entries (returns) count as no sale.

    ``horizon_days`` [n_skus] is lead time plus review period, whole days, at least 1. ``start`` [n_skus] is the first
    column a SKU was on sale, by default that of its first sale (0 where it never sold).
    Raises ``InvalidInput`` for shapes that do not fit.
    """
    units, first = _checked(history, horizon_days, service_level, start)
    known = read_history(units, first)
    result = _Columns.empty(len(units))
    for horizon in np.unique(horizon_days):
        rows = np.flatnonzero(horizon_days == horizon)
        _forecast_rows(known.only(rows), int(horizon), service_level, rows, result)
    pattern = demand_pattern(units, first)
    method = tuple(NO_DEMAND if p == "none" else m for p, m in zip(pattern, result.method, strict=True))
    mean_daily = result.mean / horizon_days
    return DemandForecast(mean_daily, result.mean, result.quantile, horizon_days, method, result.loss, result.windows, pattern)


def demand_pattern(units: FloatArray, start: IntArray) -> tuple[str, ...]:
    """Syntetos, Boylan and Croston (2005): by days between sales (1.32) and squared variation of sizes (0.49)."""
    sold = units > 0
    sales = sold.sum(axis=1)
    age = units.shape[1] - start
    size = units.sum(axis=1) / np.maximum(sales, 1)
    variation = (((units - size[:, None]) ** 2) * sold).sum(axis=1) / np.maximum(sales, 1) / np.maximum(size, 1e-9) ** 2
    rare, uneven = age > 1.32 * np.maximum(sales, 1), variation > 0.49
    named = np.where(rare, np.where(uneven, "lumpy", "intermittent"), np.where(uneven, "erratic", "smooth"))
    named = np.where(age < _TRAINING_DAYS, "new", named)
    return tuple(str(p) for p in np.where(sales == 0, "none", named))


@dataclass
class _Columns:
    """The answer while the horizons are worked through."""

    mean: FloatArray
    quantile: FloatArray
    loss: FloatArray
    windows: IntArray
    method: list[str]

    @classmethod
    def empty(cls, n: int) -> "_Columns":
        return cls(np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n, np.int64), [DEFAULT_METHOD] * n)


def _checked(history: FloatArray, horizon: IntArray, level: float, start: IntArray | None) -> tuple[FloatArray, IntArray]:
    units = np.maximum(np.nan_to_num(np.asarray(history, float)), 0.0)
    if units.ndim != 2 or horizon.shape != (len(units),) or (horizon < 1).any():
        raise InvalidInput("demand history is [n_skus, n_days] and every SKU has a horizon of at least one day")
    if not 0.5 <= level < 1:
        raise InvalidInput(f"a service level of {level} is not between 0.5 and 1")
    sold = units > 0
    first_sale = sold.argmax(axis=1)
    return units, first_sale if start is None else np.where(sold.any(axis=1), np.minimum(start, first_sale), start)


def _forecast_rows(history: History, horizon: int, level: float, rows: IntArray, out: _Columns) -> None:
    now = candidates_at(history, history.days, horizon=horizon, level=level)
    pick, column = np.full(len(rows), now.methods.index(DEFAULT_METHOD)), np.arange(len(rows))
    correction = np.ones(len(rows))
    if tested := _back_test(history, horizon, level):
        pick = tested.ranked.argmin(axis=0)
        correction = tested.scale[pick] * tested.cover_factor(pick, level)
        out.loss[rows], out.windows[rows] = tested.mean_loss(pick, level), tested.windows
    out.mean[rows] = now.mean[pick, column]
    out.quantile[rows] = np.maximum(now.quantile[pick, column] * correction, now.mean[pick, column])
    for row, chosen in zip(rows, pick, strict=True):
        out.method[row] = now.methods[chosen]


@dataclass(frozen=True)
class _BackTest:
    """``stated`` [n_methods, n_skus, n_origins] quantiles, already times ``scale`` [n_methods]; ``actual`` and ``live``
    (the SKU was on sale) [n_skus, n_origins]; ``ranked`` [n_methods, n_skus] is what a method costs a SKU, less is better.
    """

    stated: FloatArray
    actual: FloatArray
    live: NDArray[np.bool_]
    scale: FloatArray
    ranked: FloatArray

    @property
    def windows(self) -> IntArray:
        return np.asarray(self.live.sum(axis=1), np.int64)

    def mean_loss(self, pick: IntArray, level: float) -> FloatArray:
        """Units a window."""
        losses = pinball(self.actual, self._picked(pick), level) * self.live
        return np.asarray(losses.sum(axis=1) / np.maximum(self.windows, 1), float)

    def cover_factor(self, pick: IntArray, level: float) -> float:
        """The least factor, 1 or more, with which the methods picked would have kept the service level over the whole shop.

        Choosing by past loss flatters: of methods that erred, those that happened to err downwards look cheap.
        """
        stated, total = self._picked(pick), max(int(self.live.sum()), 1)
        kept = (int(((self.actual <= stated * f) & self.live).sum()) / total for f in _COVER_FACTORS)
        return float(next((f for f, share in zip(_COVER_FACTORS, kept, strict=True) if share >= level), _COVER_FACTORS[-1]))

    def _picked(self, pick: IntArray) -> FloatArray:
        return np.asarray(self.stated[pick, np.arange(len(pick))], float)


def _back_test(history: History, horizon: int, level: float) -> _BackTest | None:
    """None where there are too few days to stand at any and look back and ahead."""
    latest = history.days - 7 * -(-horizon // 7)  # the same day of the week as now
    origins = np.arange(latest, max(_TRAINING_DAYS, latest - _ORIGINS * _ORIGIN_STEP), -_ORIGIN_STEP)
    if origins.size == 0:
        return None
    stated = np.stack([candidates_at(history, int(t), horizon=horizon, level=level).quantile for t in origins], axis=2)
    actual = history.total[:, origins + horizon] - history.total[:, origins]
    live = origins[None, :] > history.start[:, None]
    size = 1.0 + history.total[:, -1] / np.maximum(history.days - history.start, 1) * horizon
    scale = np.array([_best_scale(actual, method, live / size[:, None], level) for method in stated])
    stated = stated * scale[:, None, None]
    relative = (pinball(actual, stated, level) * live).sum(axis=2) / size
    windows = live.sum(axis=1)
    shop = relative.sum(axis=1, keepdims=True) / max(int(windows.sum()), 1)
    return _BackTest(stated, actual, live, scale, (relative + _POOL_ORIGINS * shop) / (windows + _POOL_ORIGINS))


def _best_scale(actual: FloatArray, stated: FloatArray, weight: FloatArray, level: float) -> float:
    """The common factor on a method's quantiles that would have cost the shop least."""
    costs = [float((pinball(actual, stated * s, level) * weight).sum()) for s in _SCALES]
    return float(_SCALES[int(np.argmin(costs))]) if weight.any() else 1.0


def pinball(actual: FloatArray, stated: FloatArray, level: float) -> FloatArray:
    """Loss of stating a quantile: ``level`` a unit short, ``1 - level`` a unit too many."""
    short: NDArray[np.float64] = actual - stated
    return np.maximum(level * short, (level - 1) * short)
