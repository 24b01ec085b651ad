"""Evidence from rates: exact against enumeration and by hand, and never more than it may be under the null."""

from itertools import product
from math import exp, fsum, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from learning.betting import DifferenceBets
from learning.evidence import HARM_LIMIT, Alternative, Bets, EProcess, RateBets, Unit, better, evidence, worse

SHARES = (0.1, 0.25, 0.5, 0.9)
ALL_BETS = [RateBets(worse()), RateBets(better()), DifferenceBets(worse()), DifferenceBets(better())]
NAMES = ["harm of rates", "gain of rates", "harm of means", "gain of means"]


def expectation(bets: Bets, results: tuple[float, ...], shares: tuple[float, ...]) -> float:
    """Of the final e-value over all assignments, for results that are the same whichever arm a unit has."""
    total = 0.0
    for arms in product((True, False), repeat=len(results)):
        chance = np.prod([share if arm else 1 - share for arm, share in zip(arms, shares, strict=True)])
        units = [Unit(*unit) for unit in zip(arms, shares, results, strict=True)]
        total += float(chance) * evidence(units, bets)
    return total


def mean_at(bets: Bets, share: float, candidate: float, control: float) -> float:
    """The expectation of the e-value after one unit, over arms and results, for these rates."""
    total = 0.0
    for arm, rate, reward in ((a, r, y) for a, r in ((True, candidate), (False, control)) for y in (0.0, 1.0)):
        chance = (share if arm else 1 - share) * (rate if reward else 1 - rate)
        total += chance * float(EProcess.start(bets).after(Unit(arm, share, reward)).value)
    return total


def test_the_first_factor_is_the_formula_computed_by_hand() -> None:
    """From an even base rate a shift of -1.2 expects 23.1 % of the candidate: its first bad result counts 1.212."""
    alternative = Alternative(better=False, margin=0.0, shifts=(1.2,), weights=(1.0,), target=1e6)
    t_b = exp(-1.2) / (1 + exp(-1.2))
    x = 0.5 * 0.5 + 0.5 * t_b
    cases = {(True, 0.0): (1 - t_b) / (1 - x), (True, 1.0): t_b / x, (False, 0.0): 0.5 / (1 - x), (False, 1.0): 0.5 / x}
    for (arm, reward), expected in cases.items():
        assert evidence([Unit(arm, 0.5, reward)], RateBets(alternative)) == pytest.approx(expected)
    assert (1 - t_b) / (1 - x) == pytest.approx(1.2117, abs=1e-4)


def test_the_mixture_is_the_mean_of_one_product_for_each_shift() -> None:
    """Capital is split at the start; each part grows by its own bets."""
    units = [Unit(i % 3 == 0, 0.25, float(i % 4 > 0)) for i in range(20)]
    mixed = better()
    single = [Alternative(better=True, margin=0.0, shifts=(s,), weights=(1.0,), target=1e6) for s in mixed.shifts]
    assert evidence(units, RateBets(mixed)) == pytest.approx(np.mean([evidence(units, RateBets(one)) for one in single]))


@pytest.mark.parametrize("bets", ALL_BETS, ids=NAMES)
@given(results=st.lists(st.sampled_from([0.0, 0.37, 1.0]), min_size=7, max_size=7), data=st.data())
@settings(max_examples=8)
def test_over_all_assignments_the_expectation_is_one(bets: Bets, results: list[float], data: st.DataObject) -> None:
    """Whatever the results, their order and the shares: to the last digit, also where nothing is staked past the target."""
    shares = data.draw(st.lists(st.sampled_from(SHARES), min_size=7, max_size=7))
    assert expectation(bets, tuple(results), tuple(shares)) == pytest.approx(1.0, abs=1e-9)


def test_no_capital_aims_beyond_the_target() -> None:
    """Harm stops at the limit exactly, stays there, and the expectation is still 1: the overshoot was paid elsewhere."""
    process, stops = EProcess.start(RateBets(worse())), []
    for i in range(40):
        process = process.after(Unit(i % 4 == 0, 0.1, float(i % 4 > 0)))
        stops.append(float(process.value))
    assert max(stops) == pytest.approx(HARM_LIMIT)
    assert float(process.after(Unit(True, 0.1, 1.0)).value) == pytest.approx(HARM_LIMIT)
    assert expectation(RateBets(worse()), (0.0,) * 8, (0.1,) * 8) == pytest.approx(1.0)


@pytest.mark.parametrize(
    "alternative", [worse(), worse(0.05), better(), better(0.05)], ids=["harm", "harm past margin", "gain", "gain past margin"]
)
@pytest.mark.parametrize("share", SHARES)
def test_no_pair_of_rates_in_the_null_grows_capital(alternative: Alternative, share: float) -> None:
    """For any rates on the null's side of the margin, the expectation over arms and results is at most 1."""
    bets: Bets = RateBets(alternative, good=45.0, seen=50.0)
    for control, apart in product(np.linspace(0.05, 0.95, 10), np.linspace(0.0, 0.5, 6)):
        candidate = control - alternative.margin + (-apart if alternative.better else apart)
        if 0.0 <= candidate <= 1.0:
            assert mean_at(bets, share, candidate, control) <= 1 + 1e-9


def test_the_null_pair_beyond_a_margin_is_the_nearest_one() -> None:
    """The reverse information projection, found by bisection, is the minimum of the divergence that an optimiser finds."""
    margin, share, bets = 0.05, 0.25, RateBets(Alternative(False, 0.05, (1.2,), (1.0,), 1e6), good=45.0, seen=50.0)
    t_a = float(bets.base)
    odds = (t_a - margin) / (1 - t_a + margin) * exp(-1.2)
    t_b = odds / (1 + odds)

    def divergence(n_a: float) -> float:
        pairs = ((1 - share, t_a, n_a), (share, t_b, n_a - margin))
        return fsum(w * (t * log(t / n) + (1 - t) * log((1 - t) / (1 - n))) for w, t, n in pairs)

    nearest = minimize_scalar(divergence, bounds=(margin + 1e-9, 1 - 1e-9), method="bounded", options={"xatol": 1e-12}).x
    factor = bets.factors(Unit(True, share, 1.0))[0]
    assert factor.control == pytest.approx(t_a / nearest, rel=1e-5)
    assert factor.candidate == pytest.approx(t_b / (nearest - margin), rel=1e-5)


@pytest.mark.parametrize("bets", ALL_BETS, ids=NAMES)
def test_under_drift_and_ramp_the_null_averages_one(bets: Bets) -> None:
    """Mean 1 within Monte-Carlo error, and capital reaches 1/alpha in at most alpha of the runs (Ville)."""
    random, runs = np.random.default_rng(4), 4_000
    process, highest = EProcess.start(bets), np.ones(runs)
    for i in range(90):
        share, rate = 0.1 if i < 30 else 0.25, 0.8 + 0.15 * np.sin(i / 9)
        arms, rewards = (random.random((2, runs)) < [[share], [rate]]).astype(float)
        process = process.after(Unit(arms, share, rewards))
        highest = np.maximum(highest, process.value)
    values = np.asarray(process.value)
    assert abs(values.mean() - 1) < 4 * values.std() / runs**0.5
    assert (highest >= HARM_LIMIT - 1e-9).mean() <= 0.2


def test_arrays_of_experiments_are_the_single_experiments() -> None:
    """What the benchmark does to thousands of experiments at once is what the product does to one."""
    random = np.random.default_rng(3)
    arms, rewards = (random.random((2, 4, 60)) < 0.5).astype(float)
    process = EProcess.start(RateBets(worse()))
    for i in range(60):
        process = process.after(Unit(arms[:, i], 0.5, rewards[:, i]))
    rows = ([Unit(bool(a), 0.5, float(y)) for a, y in zip(*row, strict=True)] for row in zip(arms, rewards, strict=True))
    single = [evidence(row, RateBets(worse())) for row in rows]
    assert np.asarray(process.value) == pytest.approx(single)


def test_capital_survives_thousands_of_units() -> None:
    """Neither overwhelming nor hopeless evidence turns into something that is not a number."""
    units = [Unit(i % 2 == 0, 0.5, float(i % 2 == 0)) for i in range(3_000)]
    assert evidence(units, RateBets(better())) == pytest.approx(1e6)
    assert 0.0 <= evidence(units, RateBets(worse())) < 1e-9
