"""A weighted choice that anybody can repeat: the same parts and weights always choose the same. Pure."""

import hashlib
from collections.abc import Sequence
from itertools import accumulate

from domain.ids import canonical_json

_BITS = 53  # what a float can hold exactly


def unit_of(*parts: str) -> float:
    """A number in [0, 1), uniform over different ``parts`` and always the same for equal ones (SHA-256)."""
    hashed = hashlib.sha256(canonical_json(list(parts)).encode("utf-8", "surrogatepass")).digest()
    return float((int.from_bytes(hashed[:8], "big") >> (64 - _BITS)) / (1 << _BITS))


def weighted_choice(weights: Sequence[float], unit: float) -> int:
    """The index whose share of the total weight ``unit`` (in [0, 1)) falls into. Raises ValueError where no weight is positive."""
    bounds = list(accumulate(max(weight, 0.0) for weight in weights))
    if not bounds or bounds[-1] <= 0:
        raise ValueError("nothing to choose from: no weight is positive")
    point = unit * bounds[-1]
    last = max(index for index, weight in enumerate(weights) if weight > 0)
    return next((index for index, bound in enumerate(bounds) if point < bound), last)
