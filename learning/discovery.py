"""How many false promotions a company's life may hold: the online false-discovery rule e-LOND.

Xu and Ramdas, "Online multiple testing with e-values": candidate ``k`` is promoted at an e-value of ``1 / level``. The
expected share of false ones among all promotions stays below ``alpha`` at any time, whatever depends on whatever.
"""

from domain.errors import InvalidInput


def level(k: int, alpha: float, discoveries: int) -> float:
    """The level of the ``k``-th candidate (from 1) after so many promotions on evidence; shrinks with tries, grows with finds.

    ``alpha * gamma_k * (discoveries + 1)`` with ``gamma_k = 1 / (k (k + 1))``, which sums to 1.
    """
    if k < 1 or not 0 <= discoveries < k:
        raise InvalidInput(f"candidate {k} cannot come after {discoveries} promotions; count candidates from 1")
    return alpha * (discoveries + 1) / (k * (k + 1))
