"""How many false promotions a company's life may hold: the online false-discovery rule e-LOND.

Xu and Ramdas, "Online multiple testing with e-values": candidate ``k`` is promoted at an e-value of ``1 / level``. The
expected share of false ones among all promotions stays below ``alpha`` at any time, whatever depends on whatever.
"""

from collections.abc import Sequence

from domain.errors import InvalidInput
from domain.experiments import Ending, Experiment

_ALPHA = 0.2  # of all promotions in the life of the company, the share that may be false


def level(k: int, alpha: float, discoveries: int) -> float:
    """The level of the ``k``-th candidate (from 1) after so many promotions on evidence; shrinks with tries, grows with finds.

    ``alpha * gamma_k * (discoveries + 1)`` with ``gamma_k = 1 / (k (k + 1))``, which sums to 1.
    """
    if k < 1 or not 0 <= discoveries < k:
        raise InvalidInput(f"candidate {k} cannot come after {discoveries} promotions; count candidates from 1")
    return alpha * (discoveries + 1) / (k * (k + 1))


def next_level(tried: Sequence[Experiment]) -> float:
    """The level of the next candidate. Promotions on evidence are discoveries; what was shipped undecided is none."""
    found = sum(e.promoted_at is not None and e.ending is not Ending.SHIPPED for e in tried)
    return level(len(tried) + 1, _ALPHA, found)
