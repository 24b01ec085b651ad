"""The economic order quantity, after Snyder and Shen, "Fundamentals of Supply Chain Theory" (2nd edition), chapter 3.

Apart from the other formulas because the planner needs it at every start, and the others pull in much of scipy.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from domain.errors import InvalidInput


def eoq(*, fixed_cost: ArrayLike, holding_cost: ArrayLike, demand_rate: ArrayLike) -> Any:
    """Economic order quantity (3.4): sqrt(2 K lambda / h). Broadcasts over arrays; 0 where nothing is demanded."""
    positive(holding_cost, "holding_cost")
    not_negative(fixed_cost, "fixed_cost")
    not_negative(demand_rate, "demand_rate")
    return np.sqrt(2 * np.asarray(fixed_cost, float) * np.asarray(demand_rate, float) / np.asarray(holding_cost, float))


def eoq_cost(*, quantity: float, fixed_cost: float, holding_cost: float, demand_rate: float) -> float:
    """Ordering and holding cost per unit of time of ordering ``quantity`` at a time (3.3)."""
    positive(quantity, "quantity")
    return fixed_cost * demand_rate / quantity + holding_cost * quantity / 2


def eoq_with_backorders(*, fixed_cost: float, holding_cost: float, stockout_cost: float, demand_rate: float) -> tuple[float, float]:
    """Order quantity and the fraction of demand that is backordered (3.27, 3.28)."""
    positive(stockout_cost, "stockout_cost")
    base = float(eoq(fixed_cost=fixed_cost, holding_cost=holding_cost, demand_rate=demand_rate))
    return base * float(np.sqrt((holding_cost + stockout_cost) / stockout_cost)), holding_cost / (holding_cost + stockout_cost)


def positive(value: ArrayLike, name: str) -> None:
    if not (np.asarray(value, float) > 0).all():
        raise InvalidInput(f"{name} must be above zero")


def not_negative(value: ArrayLike, name: str) -> None:
    if not (np.asarray(value, float) >= 0).all():
        raise InvalidInput(f"{name} must not be negative")
