"""The replay of a shop's days, checked against days worked out by hand."""

import numpy as np
import pytest

from learning.stock_simulation import Ledger, Shelves, StockCosts, Supply, simulate

ONE = np.ones(1, np.int64)


def replay(asked: list[float], *, point: float, level: float, opening: float, lead_days: int = 2, pack: int = 1) -> Ledger:
    units = np.array([asked])
    return simulate(
        units,
        lambda _day, _shelves: (np.array([[point]]), np.array([[level]])),
        opening=np.array([[opening]]),
        supply=Supply(ONE * lead_days, ONE, ONE * pack),
        costs=StockCosts(np.array([0.1]), np.array([3.0]), 5.0),
        days=range(len(asked)),
    )


def test_a_week_by_hand() -> None:
    """From 4, reorder at 2 up to 6, two days away: 2 left (4 ordered), 0, then 4 come and 2 are left (4 ordered), 1 is missed."""
    ledger = replay([2, 2, 2, 3], point=2, level=6, opening=4)
    assert ledger.holding.sum() == pytest.approx(0.1 * (2 + 0 + 2 + 0))
    assert ledger.lost.sum() == 3.0
    assert ledger.ordering.sum() == 5.0 * 2


def test_what_is_not_on_the_shelf_is_lost() -> None:
    """Ten asked with four in the house are six lost for good: nobody waits."""
    ledger = replay([10, 0, 0], point=-1, level=-1, opening=4)
    assert ledger.lost.sum() == 18.0
    assert ledger.fill_rate[0] == pytest.approx(0.4)


def test_packs_are_whole() -> None:
    """A need of seven in packs of six is twelve ordered."""
    shelves = Shelves(np.zeros((1, 1)), Supply(ONE, ONE, ONE * 6))
    assert shelves.order(0, np.zeros((1, 1)), np.full((1, 1), 7.0)) == 12


def test_stock_is_never_negative_and_no_unit_is_made_up() -> None:
    """What was opened with and what arrived is sold or still there, under every policy."""
    rng = np.random.default_rng(5)
    supply = Supply(np.array([1, 3, 7]), np.ones(3, np.int64), np.ones(3, np.int64))
    shelves, ordered, sold = Shelves(np.full((2, 3), 9.0), supply), np.zeros((2, 3)), np.zeros((2, 3))
    for day in range(60):
        shelves.serve(day, rng.poisson(2, 3).astype(float))
        sold += shelves.sold
        ordered += shelves.order(day, np.full((2, 3), 8.0), np.full((2, 3), 20.0))
        assert (shelves.on_hand >= 0).all()
        np.testing.assert_allclose(shelves.position, 9 + ordered - sold)
