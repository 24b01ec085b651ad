"""What a replenishment policy would have cost: a shop's days replayed with lost sales, many policies and all SKUs at once.

A day: what was ordered ``lead_days`` evenings ago is on the shelf; customers buy while stock lasts, the rest is lost; what
is left is held until tomorrow; in the evening every SKU whose stock, on hand and coming, is at or under its reorder point
is ordered up to that point plus its lot.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np

from agents.skills.demand_rates import FloatArray, IntArray

_ROUNDING = 1e-9  # a whole number that arithmetic left a little above itself is still that number


@dataclass(frozen=True)
class StockCosts:
    """Money: ``holding`` [n_skus] a unit and day, ``lost`` [n_skus] a unit not sold, ``line`` an order line."""

    holding: FloatArray
    lost: FloatArray
    line: float


@dataclass(frozen=True)
class Supply:
    """[n_skus] each: whole days from order to shelf (at least 1), least quantity, pack size."""

    lead_days: IntArray
    moq: IntArray
    pack_size: IntArray


@dataclass(frozen=True)
class Targets:
    """Reorder points and lots, as known before day t in column t; [n_skus, n_days + 1], units.

    A policy's reorder point is ``base`` plus its safety factor times ``safety``; its lot is its lot factor times ``lot``,
    at most ``longest``. A SKU without ``stocked`` is not ordered.
    """

    base: FloatArray
    safety: FloatArray
    lot: FloatArray
    longest: FloatArray
    stocked: FloatArray

    def at(self, day: int, *, safety: FloatArray, lots: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Reorder point and order-up-to level [n_policies, n_skus] for factors [n_policies, 1]; whole units."""
        point = np.ceil(self.base[:, day] + safety * self.safety[:, day] - _ROUNDING)
        lot = np.ceil(np.clip(lots * self.lot[:, day], 1.0, np.maximum(self.longest[:, day], 1.0)))
        kept = self.stocked[:, day] > 0
        return np.where(kept, point, -1.0), np.where(kept, point + lot, -1.0)


@dataclass(frozen=True)
class Ledger:
    """Money and units over the days replayed, [n_policies, n_skus]."""

    holding: FloatArray
    lost: FloatArray
    ordering: FloatArray
    missed_units: FloatArray
    asked_units: FloatArray

    @classmethod
    def empty(cls, policies: int, skus: int) -> "Ledger":
        return cls(*(np.zeros((policies, skus)) for _ in fields(cls)))

    def put(self, policies: Sequence[int], part: "Ledger") -> None:
        """Take over the figures of ``part``, whose policies have these places here."""
        for field in fields(self):
            getattr(self, field.name)[list(policies)] = getattr(part, field.name)

    def averaged(self, runs: int) -> "Ledger":
        """Of ``runs`` runs each, which stand one after the other."""
        each = (getattr(self, field.name) for field in fields(self))
        return Ledger(*(rows.reshape(-1, runs, rows.shape[1]).mean(axis=1) for rows in each))

    @property
    def cost(self) -> FloatArray:
        return self.holding + self.lost + self.ordering

    @property
    def fill_rate(self) -> FloatArray:
        """[n_policies]: share of the units asked for that were sold."""
        return np.asarray(1 - self.missed_units.sum(axis=1) / np.maximum(self.asked_units.sum(axis=1), 1e-9), float)


class Shelves:
    """The stock of every SKU [n_policies, n_skus] under every policy, moved on a day at a time. ``sold`` is the last day's."""

    def __init__(self, opening: FloatArray, supply: Supply) -> None:
        self.on_hand = opening.astype(float)
        self.sold = np.zeros(opening.shape)
        self._supply = supply
        self._row = np.arange(opening.shape[1])
        self._coming = np.zeros((int(supply.lead_days.max()) + 1, *opening.shape))
        self._on_order = np.zeros(opening.shape)

    @property
    def position(self) -> FloatArray:
        return self.on_hand + self._on_order

    def serve(self, day: int, asked: FloatArray) -> None:
        """Take in what arrives, then sell what is asked for while it lasts."""
        arrived = self._coming[day % len(self._coming)]
        self.on_hand += arrived
        self._on_order -= arrived
        arrived[:] = 0
        self.sold = np.minimum(self.on_hand, asked)
        self.on_hand -= self.sold

    def order(self, day: int, point: FloatArray, level: FloatArray) -> FloatArray:
        """The evening's orders: their units, in packs the supplier accepts."""
        position, pack = self.position, self._supply.pack_size
        missing = np.where(position <= point, level - position, 0.0)
        packs = np.ceil(np.maximum(missing, self._supply.moq) / pack - _ROUNDING)
        units = np.where(missing > _ROUNDING, packs * pack, 0.0)
        self._coming[(day + self._supply.lead_days) % len(self._coming), :, self._row] += units.T
        self._on_order += units
        return units


Evening = Callable[[int, Shelves], tuple[FloatArray, FloatArray]]  # day and shelves to reorder points and order-up-to levels


def simulate(asked: FloatArray, evening: Evening, *, opening: FloatArray, supply: Supply, costs: StockCosts, days: range) -> Ledger:
    """Replay ``days`` of ``asked`` [n_skus, n_days]. ``opening`` [n_policies, n_skus] is on the shelf before the first of them."""
    ledger = Ledger.empty(len(opening), len(asked))
    shelves = Shelves(opening, supply)
    for day in days:
        shelves.serve(day, asked[:, day])
        np.add(ledger.holding, shelves.on_hand * costs.holding, out=ledger.holding)
        np.add(ledger.missed_units, asked[:, day] - shelves.sold, out=ledger.missed_units)
        np.add(ledger.ordering, (shelves.order(day, *evening(day, shelves)) > 0) * costs.line, out=ledger.ordering)
    np.multiply(ledger.missed_units, costs.lost, out=ledger.lost)
    np.add(ledger.asked_units, asked[:, days.start : days.stop].sum(axis=1), out=ledger.asked_units)
    return ledger
