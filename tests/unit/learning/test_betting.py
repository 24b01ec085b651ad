"""Bets on differences of means, for rewards that are not 0 or 1."""

import numpy as np
import pytest

from learning.betting import DifferenceBets
from learning.evidence import Alternative, EProcess, Unit, better, evidence, worse


def test_the_factor_is_one_plus_stake_times_the_weighted_difference() -> None:
    """By hand: from the middle, at a share of a quarter, a reward of 1 of the candidate is a difference of 0.5 / 0.25."""
    bets = DifferenceBets(better())
    stake = (0.125 / bets.variance**0.5) / (1 / (0.25 * 0.75) + 0.125**2)
    found = bets.factors(Unit(True, 0.25, 1.0))[0]
    assert found.candidate == pytest.approx(1 + stake * 0.5 / 0.25)
    assert found.control == pytest.approx(1 - stake * 0.5 / 0.75)


@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
@pytest.mark.parametrize(
    "alternative", [worse(), better(), worse(0.1), better(0.1)], ids=["harm", "gain", "harm past margin", "gain past margin"]
)
def test_no_unit_can_cost_all_capital(alternative: Alternative, share: float) -> None:
    """At the extremes of arm and reward at least a quarter is left, after any past."""
    for past in (0.0, 0.5, 1.0):
        bets = DifferenceBets(alternative, total=60 * past, squares=60 * past**2, seen=60.0)
        for reward in (0.0, 1.0):
            factors = bets.factors(Unit(True, share, reward))
            assert min(min(f.candidate, f.control) for f in factors) >= 0.25 - 1e-12


@pytest.mark.parametrize(("candidate", "control"), [(0.7, 0.7), (0.65, 0.7), (0.9, 0.9)])
def test_a_win_is_a_supermartingale_where_the_means_are_not_better(candidate: float, control: float) -> None:
    """With different spreads and equal or lower means, the capital for a win averages at most 1."""
    random, runs, process = np.random.default_rng(2), 4_000, EProcess.start(DifferenceBets(better()))
    for _ in range(60):
        arms = (random.random(runs) < 0.25).astype(float)
        rewards = np.where(arms == 1, random.beta(20 * candidate, 20 * (1 - candidate), runs), random.random(runs) < control)
        process = process.after(Unit(arms, 0.25, rewards))
    values = np.asarray(process.value)
    assert values.mean() <= 1 + 4 * values.std() / runs**0.5


def test_small_spreads_are_seen_sooner_than_by_rates() -> None:
    """Rewards of 0.8 against 0.9 that vary little are told apart within 60 units."""
    random = np.random.default_rng(8)
    units = [Unit(i % 2 == 0, 0.5, float(np.clip(random.normal(0.8 if i % 2 == 0 else 0.9, 0.05), 0, 1))) for i in range(60)]
    assert evidence(units, DifferenceBets(worse())) == pytest.approx(5.0)
    assert evidence(units, DifferenceBets(better())) < 0.5


def test_within_the_margin_is_not_harm() -> None:
    """A candidate 3 points worse is not harm beyond a margin of 10 points, and is proved not inferior by it."""
    units = [Unit(i % 2 == 0, 0.5, 0.77 if i % 2 == 0 else 0.8) for i in range(200)]
    assert evidence(units, DifferenceBets(worse(0.1))) < 1
    assert evidence(units, DifferenceBets(better(0.1))) > 100
