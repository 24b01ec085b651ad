"""The posterior expected loss of shipping what is undecided."""

import numpy as np
import pytest

from learning.expected_loss import Tally, expected_loss


def test_it_is_what_simulation_from_the_posteriors_gives() -> None:
    """90 of 100 against 85 of 100, from a common prior at the pooled rate."""
    random, pooled = np.random.default_rng(1), 176 / 202
    control, candidate = (random.beta(2 * pooled + g, 2 * (1 - pooled) + 100 - g, 400_000) for g in (90, 85))
    simulated = np.maximum(control - candidate, 0).mean()
    assert float(expected_loss(Tally(100.0, 90.0), Tally(100.0, 85.0))) == pytest.approx(simulated, rel=0.01)


def test_better_results_more_of_them_and_a_margin_all_make_it_smaller() -> None:
    """Each by itself."""
    base = float(expected_loss(Tally(50.0, 45.0), Tally(50.0, 45.0)))
    assert float(expected_loss(Tally(50.0, 45.0), Tally(50.0, 48.0))) < base
    assert float(expected_loss(Tally(500.0, 450.0), Tally(500.0, 450.0))) < base
    assert float(expected_loss(Tally(50.0, 45.0), Tally(50.0, 45.0), 0.05)) < base


def test_perfect_and_hopeless_results_stay_numbers() -> None:
    """All good, all bad, and none at all, also as arrays."""
    units = np.array([0.0, 300.0, 300.0])
    found = expected_loss(Tally(units, np.array([0.0, 300.0, 0.0])), Tally(units, np.array([0.0, 300.0, 0.0])))
    assert np.isfinite(found).all()
    assert found[0] > found[1] > 0
