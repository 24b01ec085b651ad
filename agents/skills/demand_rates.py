"""Daily demand rates by the classic smoothing methods, all SKUs at once.

Every function takes ``history`` [n_skus, n_days] (units a day, zero or more) and ``start`` [n_skus] (the first day a SKU
was on sale) and returns a path [n_skus, n_days + 1]: column t is the rate in units a day as known before day t.
Days before ``start`` say nothing. Sources: Croston 1972; Syntetos and Boylan 2005 (SBA); Teunter, Syntetos and Babai 2011 (TSB).
"""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

NEW_ITEM_DAYS = 28  # until it is this old, an item borrows from the shop's typical rate
_LEVEL = 0.05  # weight of a day in exponential smoothing: about the last 40 days
_SIZE = 0.1  # weight of a sale in the size and interval of intermittent demand
_CHANCE = 0.05  # weight of a day in the chance that anything sells at all


def moving_average(history: FloatArray, start: IntArray, *, window: int) -> FloatArray:
    """Mean of the last ``window`` days on sale."""
    total = running_total(history)
    days = np.arange(total.shape[1])
    first = np.maximum(days[None, :] - window, np.minimum(start[:, None], days[None, :]))
    summed = total - np.take_along_axis(total, first, axis=1)
    return summed / np.maximum(days[None, :] - first, 1)


def exponential_smoothing(history: FloatArray, start: IntArray, *, weight: float = _LEVEL) -> FloatArray:
    """SES. The first days are averaged plainly, so that no single day sets the level."""
    path = np.zeros((history.shape[0], history.shape[1] + 1))
    level = path[:, 0].copy()
    for t in range(history.shape[1]):
        age = t - start
        gain = np.where(age >= 0, np.maximum(weight, 1 / np.maximum(age + 1, 1)), 0.0)
        level = level + gain * (history[:, t] - level)
        path[:, t + 1] = level
    return path


def croston(history: FloatArray, start: IntArray, *, weight: float = _SIZE) -> FloatArray:
    """Mean size of a sale over mean days between sales, each smoothed at sales only."""
    n, days = history.shape
    path, size, interval = np.zeros((n, days + 1)), np.zeros(n), np.ones(n)
    since, sales = np.ones(n), np.zeros(n)
    for t in range(days):
        sold = (history[:, t] > 0) & (t >= start)
        sales += sold
        gain = np.where(sold, np.maximum(weight, 1 / np.maximum(sales, 1)), 0.0)
        size = size + gain * (history[:, t] - size)
        interval = interval + gain * (since - interval)
        since = np.where(sold | (t < start), 1.0, since + 1)
        path[:, t + 1] = np.where(sales > 0, size / interval, 0.0)
    return path


def sba(history: FloatArray, start: IntArray, *, weight: float = _SIZE) -> FloatArray:
    """Croston without its upward bias."""
    return croston(history, start, weight=weight) * (1 - weight / 2)


def tsb(history: FloatArray, start: IntArray, *, size_weight: float = _SIZE, chance_weight: float = _CHANCE) -> FloatArray:
    """Mean size of a sale times the chance of one; the chance falls on every day without, so dead items fade."""
    n, days = history.shape
    path, size, chance, sales = np.zeros((n, days + 1)), np.zeros(n), np.zeros(n), np.zeros(n)
    for t in range(days):
        on_sale, sold = t >= start, (history[:, t] > 0) & (t >= start)
        sales += sold
        size = size + np.where(sold, np.maximum(size_weight, 1 / np.maximum(sales, 1)), 0.0) * (history[:, t] - size)
        gain = np.where(on_sale, np.maximum(chance_weight, 1 / np.maximum(t - start + 1, 1)), 0.0)
        chance = chance + gain * (sold - chance)
        path[:, t + 1] = size * chance
    return path


def shrink_new(path: FloatArray, start: IntArray) -> FloatArray:
    """Pull the rates of items that are few days old towards the shop's median rate of that day."""
    age = np.maximum(np.arange(path.shape[1])[None, :] - start[:, None], 0)
    trust = np.minimum(age / NEW_ITEM_DAYS, 1.0)
    on_sale = np.where(age > 0, path, np.nan)
    on_sale[:, (age == 0).all(axis=0)] = 0.0
    blended: FloatArray = trust * path + (1 - trust) * np.nanmedian(on_sale, axis=0)[None, :]
    return blended


def running_total(history: FloatArray) -> FloatArray:
    """[n, days + 1]: column t is the sum of the days before t."""
    return np.concatenate([np.zeros((history.shape[0], 1)), np.cumsum(history, axis=1)], axis=1)
