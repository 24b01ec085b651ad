"""The online false-discovery rule."""

import pytest

from domain.errors import InvalidInput
from learning.discovery import level


def test_without_finds_all_levels_together_are_alpha() -> None:
    """The levels of a lifetime of fruitless tries sum to alpha and no more."""
    assert sum(level(k, 0.2, 0) for k in range(1, 20_000)) == pytest.approx(0.2, rel=1e-3)


def test_a_find_makes_the_next_try_easier() -> None:
    """Linearly in the finds so far; the first candidate at alpha 0.2 needs an e-value of 10."""
    assert 1 / level(1, 0.2, 0) == pytest.approx(10.0)
    assert level(4, 0.2, 3) == pytest.approx(4 * level(4, 0.2, 0))


@pytest.mark.parametrize(("k", "discoveries"), [(0, 0), (2, 2), (3, -1)])
def test_more_finds_than_tries_are_refused(k: int, discoveries: int) -> None:
    """Candidates count from 1, and each is found at most once."""
    with pytest.raises(InvalidInput):
        level(k, 0.2, discoveries)
