"""Sales history of the demo shop: drawn from a fixed seed, one pattern a product."""

import zlib
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from domain.entities import SalesDay

HISTORY_DAYS = 180
_WEEKDAYS = np.array([1.10, 0.95, 0.90, 0.95, 1.05, 1.05, 1.00])  # Monday first; shops on the web sell on Mondays
_SEASON_DAYS = 60  # a season builds up over these last days
_NEW_DAYS = 14
_DEAD_SINCE_DAYS = 140
_UNITS_A_SALE = 1.4  # intermittent products: mean units when one sells


def sales_days(*, sku: str, pattern: str, rate: float, price: Decimal, today: date, seed: int) -> tuple[SalesDay, ...]:
    """The days before ``today`` on which ``sku`` sold, oldest first. ``rate`` is units a day at the usual pace."""
    random = np.random.default_rng([seed, zlib.crc32(sku.encode())])
    days = [today - timedelta(days=age) for age in range(HISTORY_DAYS, 0, -1)]
    units = _units(pattern, rate, days, random)
    sold = ((day, int(n)) for day, n in zip(days, units, strict=True) if n)
    return tuple(SalesDay(day=day, units=n, orders=max(1, round(n / 1.2)), revenue=price * n) for day, n in sold)


def _units(pattern: str, rate: float, days: list[date], random: np.random.Generator) -> NDArray[np.int64]:
    """Units a day in the order of ``days``."""
    age = np.arange(len(days), 0, -1)
    mean = rate * _WEEKDAYS[[day.weekday() for day in days]]
    match pattern:
        case "steady":
            return random.poisson(mean)
        case "seasonal":
            return random.poisson(mean * (0.6 + 0.8 * np.clip(1 - age / _SEASON_DAYS, 0, 1)))
        case "new":
            return random.poisson(mean) * (age <= _NEW_DAYS)
        case "dead":
            return random.poisson(mean) * (age > _DEAD_SINCE_DAYS)
        case "intermittent":
            return (random.random(len(days)) < mean / _UNITS_A_SALE) * (1 + random.poisson(_UNITS_A_SALE - 1, len(days)))
    raise ValueError(f"{pattern!r} is no demand pattern")
