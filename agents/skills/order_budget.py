"""Fitting order lines into a budget and over the suppliers' minimum order values. Money is whole micros; nothing is rounded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum


class Outcome(StrEnum):
    FULL = "full"  # at least the quantity wanted
    SHRUNK = "shrunk"  # less than wanted: the budget
    DROPPED = "dropped"  # nothing: the budget
    HELD = "held"  # nothing: the supplier's order would stay under its minimum value


@dataclass(frozen=True)
class Wish:
    """One line. ``steps`` are quantities that grow, each worth reaching on all lines before the next; the last is wanted.

    ``ceiling`` is the most that makes sense, ``priority`` what a unit of money spent on this line is worth.
    """

    index: int
    supplier: str
    steps: tuple[int, ...]
    ceiling: int
    moq: int
    pack: int
    unit_cost: int
    priority: float

    @property
    def full(self) -> int:
        return self.steps[-1]

    @property
    def smallest(self) -> int:
        """The smallest quantity the supplier accepts."""
        return _up(self.moq, self.pack)


@dataclass(frozen=True)
class OrderLimits:
    """``budget`` for all orders together; ``minimum_order`` by supplier, for one order's value."""

    budget: int
    minimum_order: Mapping[str, int]


@dataclass(frozen=True)
class Allocation:
    wish: Wish
    units: int
    outcome: Outcome
    note: str = ""


def allocate(wishes: Sequence[Wish], limits: OrderLimits) -> list[Allocation]:
    """Step by step and within a step the most urgent line first; at the end orders up to their minimum.

    A supplier whose order cannot reach its minimum value is held and its money goes to the others. One entry a wish,
    in the order given.
    """
    held: set[str] = set()
    while True:
        units = _spend([w for w in wishes if w.supplier not in held], limits)
        short = _short_suppliers(wishes, units, limits) - held
        if not short:
            return [_account(w, units.get(w.index, 0), held) for w in wishes]
        held.add(min(short, key=lambda s: (_value(wishes, units, s), s)))


def _spend(wishes: Sequence[Wish], limits: OrderLimits) -> dict[int, int]:
    ranked = sorted(wishes, key=lambda w: (-w.priority, w.index))
    units = {w.index: 0 for w in wishes}
    money = limits.budget
    for step in range(max((len(w.steps) for w in wishes), default=0)):
        for wish in ranked:
            more = _affordable(wish, wish.steps[step] - units[wish.index], money, extra=units[wish.index] > 0)
            units[wish.index] += more
            money -= more * wish.unit_cost
    for supplier, minimum in sorted(limits.minimum_order.items()):
        money -= _top_up([w for w in ranked if w.supplier == supplier and units[w.index]], units, minimum, money)
    return units


def _affordable(wish: Wish, units: int, money: int, *, extra: bool = False) -> int:
    """As many whole packs of ``units`` as ``money`` buys; nothing under the supplier's smallest quantity, unless ``extra``."""
    if units <= 0:
        return 0
    fits = units if wish.unit_cost == 0 else min(units, max(money, 0) // wish.unit_cost)
    fits -= fits % wish.pack
    return fits if extra or fits >= wish.smallest else 0


def _top_up(lines: Sequence[Wish], units: dict[int, int], minimum: int, money: int) -> int:
    """Add packs, the most urgent line first and up to its ceiling, until the order is worth ``minimum``; the money used."""
    missing = minimum - sum(units[w.index] * w.unit_cost for w in lines)
    if not lines or missing <= 0:
        return 0
    added = dict.fromkeys((w.index for w in lines), 0)
    used = 0
    for wish in lines:
        room = wish.ceiling - units[wish.index]
        wanted = _up(-(-(missing - used) // max(wish.unit_cost, 1)), wish.pack)
        added[wish.index] = _affordable(wish, min(wanted, room), money - used, extra=True)
        used += added[wish.index] * wish.unit_cost
        if used >= missing:
            for index, more in added.items():
                units[index] += more
            return used
    return 0


def _short_suppliers(wishes: Sequence[Wish], units: Mapping[int, int], limits: OrderLimits) -> set[str]:
    return {s for s, least in limits.minimum_order.items() if 0 < _value(wishes, units, s) < least}


def _value(wishes: Sequence[Wish], units: Mapping[int, int], supplier: str) -> int:
    return sum(units.get(w.index, 0) * w.unit_cost for w in wishes if w.supplier == supplier)


def _account(wish: Wish, units: int, held: set[str]) -> Allocation:
    plain = Allocation(wish, units, Outcome.FULL)
    if wish.supplier in held:
        return replace(plain, outcome=Outcome.HELD, note="held: the order would stay under the supplier's minimum value")
    if units == 0:
        return replace(plain, outcome=Outcome.DROPPED, note=f"wants {wish.full}; the budget went to more urgent lines")
    if units < wish.full:
        return replace(plain, outcome=Outcome.SHRUNK, note=f"wants {wish.full}; shrunk to the budget")
    if units > wish.full:
        return replace(plain, note=f"wants {wish.full}; raised to reach the supplier's minimum value")
    return plain


def _up(units: int, pack: int) -> int:
    return -(-units // pack) * pack
