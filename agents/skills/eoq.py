"""The economic order quantity, after Snyder and Shen, "Fundamentals of Supply Chain Theory" (2nd edition), chapter 3."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from domain.errors import InvalidInput


def eoq(*, fixed_cost: ArrayLike, holding_cost: ArrayLike, demand_rate: ArrayLike) -> Any:
    """Economic order quantity (3.4): sqrt(2 K lambda / h). Broadcasts over arrays; 0 where nothing is demanded."""
    _positive(holding_cost, "holding_cost")
    _not_negative(fixed_cost, "fixed_cost")
    _not_negative(demand_rate, "demand_rate")
    return np.sqrt(2 * np.asarray(fixed_cost, float) * np.asarray(demand_rate, float) / np.asarray(holding_cost, float))


def _positive(value: ArrayLike, name: str) -> None:
    if not (np.asarray(value, float) > 0).all():
        raise InvalidInput(f"{name} must be above zero")


def _not_negative(value: ArrayLike, name: str) -> None:
    if not (np.asarray(value, float) >= 0).all():
        raise InvalidInput(f"{name} must not be negative")
