"""The shops that ``bench.stock_sim`` replays, and what learning is measured against: constant (s, Q) policies."""

import csv
import gzip
from collections import Counter
from dataclasses import dataclass
from datetime import date
from itertools import product
from pathlib import Path

import numpy as np

from agents.skills.demand_rates import FloatArray
from agents.skills.eoq import eoq
from learning.stock_simulation import Evening, Ledger, StockCosts, Supply, simulate

HISTORY_DAYS = 180
LEAD_DAYS, REVIEW_DAYS = 7, 1
HOLDING_A_YEAR, LOST_SHARE, LINE = 0.25, 0.4, 5.0  # of the price, of the price, money
Z = 1.645
OPENING_DAYS = 21
SKUS, DAYS = 200, 374
_YEAR = 365.0
_POINT_FACTORS = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0)  # the textbook's s times these
_LOT_FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0)  # and its Q times these
_FINE = 40  # steps a dimension of the finer search


@dataclass(frozen=True)
class Shop:
    """``units`` [n_skus, n_days] asked for; ``price`` [n_skus]."""

    name: str
    units: FloatArray
    price: FloatArray

    @property
    def costs(self) -> StockCosts:
        return StockCosts(self.price * HOLDING_A_YEAR / _YEAR, self.price * LOST_SHARE, LINE)

    @property
    def supply(self) -> Supply:
        ones = np.ones(len(self.units), np.int64)
        return Supply(ones * LEAD_DAYS, ones, ones)

    @property
    def history(self) -> FloatArray:
        return self.units[:, :HISTORY_DAYS]

    @property
    def days(self) -> range:
        return range(HISTORY_DAYS, self.units.shape[1])

    def run(self, evening: Evening, *, policies: int = 1) -> Ledger:
        """Every day after the history, from 21 days of the history's mean demand on the shelf."""
        opening = np.tile(OPENING_DAYS * self.history.mean(axis=1), (policies, 1))
        return simulate(self.units, evening, opening=opening, supply=self.supply, costs=self.costs, days=self.days)


@dataclass(frozen=True)
class Constant:
    """The (s, Q) policy with the same ``point`` and ``lot`` every day: [n_policies, n_skus] units."""

    point: FloatArray
    lot: FloatArray

    def run(self, shop: Shop) -> Ledger:
        return shop.run(lambda _, shelves: (self.point, shelves.position + self.lot), policies=len(self.point))

    def times(self, points: FloatArray, lots: FloatArray) -> "Constant":
        """This policy [1, n_skus] with its two figures times factors [n_policies]."""
        return Constant(points[:, None] * self.point, np.maximum(np.round(lots[:, None] * self.lot), 1.0))


def textbook(shop: Shop) -> Constant:
    """s covers lead time and review at z = 1.645 by mean and standard deviation of the history's days; Q is the EOQ."""
    mean, sd = shop.history.mean(axis=1), shop.history.std(axis=1)
    days = LEAD_DAYS + REVIEW_DAYS
    lot = eoq(fixed_cost=LINE, holding_cost=shop.costs.holding, demand_rate=mean)
    return Constant((mean * days + Z * sd * days**0.5)[None, :], np.maximum(np.round(lot), 1.0)[None, :])


def best_in_hindsight(shop: Shop) -> Ledger:
    """For each SKU the cheapest multiple of the textbook's s and Q, knowing all that was to come."""
    points, lots = np.array(list(product(_POINT_FACTORS, _LOT_FACTORS))).T
    return _cheapest(shop, textbook(shop).times(points, lots))


def finest_in_hindsight(shop: Shop) -> Ledger:
    """The same over a fine grid of days of cover, which needs no textbook to start from."""
    mean = shop.units[:, HISTORY_DAYS:].mean(axis=1)
    points, lots = np.array(list(product(np.geomspace(1, 200, _FINE), np.geomspace(0.5, 250, _FINE)))).T
    per_day = Constant(mean[None, :], mean[None, :])
    return _cheapest(shop, per_day.times(points, lots))


def _cheapest(shop: Shop, grid: Constant) -> Ledger:
    best = grid.run(shop).cost.argmin(axis=0)
    column = np.arange(len(best))
    return Constant(grid.point[best, column][None, :], grid.lot[best, column][None, :]).run(shop)


def read_shop(folder: Path) -> Shop:
    """The SKUs with most days of sales. What came back the same day was no demand; the price is the catalogue's."""
    with gzip.open(folder / "daily_sku_sales.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    with (folder / "sku_catalog.csv").open() as file:
        prices = {row["StockCode"]: float(row["median_price"]) for row in csv.DictReader(file) if row["median_price"]}
    selling = Counter(row["StockCode"] for row in rows if int(row["units"]) > 0 and row["StockCode"] in prices)
    chosen = {sku: i for i, sku in enumerate(sorted(selling, key=lambda sku: (-selling[sku], sku))[:SKUS])}
    first = min(date.fromisoformat(row["date"]) for row in rows)
    last = max(date.fromisoformat(row["date"]) for row in rows)
    units = np.zeros((len(chosen), (last - first).days + 1))
    for row in rows:
        if row["StockCode"] in chosen:
            day = (date.fromisoformat(row["date"]) - first).days
            units[chosen[row["StockCode"]], day] += max(int(row["units"]) - max(int(row["returned"] or 0), 0), 0)
    return Shop("gift shop", units, np.array([prices[sku] for sku in chosen]))


def stationary_shop(kind: str, seed: int) -> Shop:
    """Demand whose law never changes: ``steady`` Poisson, ``uneven`` negative binomial, ``lumpy`` or ``bulky`` (log-normal)."""
    rng = np.random.default_rng(seed)
    mean = np.exp(rng.normal(1.2, 1.0, SKUS))[:, None]
    price = np.round(np.exp(rng.normal(1.0, 0.7, SKUS)), 2) + 0.1
    shape = (SKUS, DAYS)
    if kind == "steady":
        units = rng.poisson(mean, shape)
    elif kind == "uneven":
        r = np.exp(rng.normal(0.5, 0.5, SKUS))[:, None]
        units = rng.negative_binomial(r, r / (r + mean), shape)
    elif kind == "lumpy":
        chance = rng.uniform(0.15, 0.9, SKUS)[:, None]
        units = (rng.random(shape) < chance) * rng.geometric(np.minimum(chance / mean, 1.0), shape)
    else:
        spread = rng.uniform(0.8, 1.5, SKUS)[:, None]
        units = np.round(mean * np.exp(spread * rng.normal(size=shape) - spread**2 / 2))
    return Shop(f"{kind} {seed}", units.astype(float), np.asarray(price, float))
