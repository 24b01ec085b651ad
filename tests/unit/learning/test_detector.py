"""The detector that watches what was promoted."""

import numpy as np
import pytest

from learning.detector import ALARM_LIMIT, Detector
from learning.evidence import EProcess, RateBets, Unit, worse

UNITS = [Unit(i % 3 != 0, 0.9, float(i % 5 > 0)) for i in range(12)]


def test_it_is_the_sum_of_the_e_processes_begun_at_each_unit() -> None:
    """Brute force: one product of factors from each start, weighted as the alternative says."""
    detector, learned, factors = Detector.start(RateBets(worse())), RateBets(worse()), []
    for unit in UNITS:
        factors.append([float(f.candidate if unit.candidate else f.control) for f in learned.factors(unit)])
        learned, detector = learned.after(unit), detector.after(unit)
    begun = [np.prod(factors[start:], axis=0) @ np.array(worse().weights) for start in range(len(UNITS))]
    assert float(detector.value) == pytest.approx(sum(begun))


def test_without_a_change_its_mean_is_the_number_of_units() -> None:
    """So a false alarm within n units has a chance of at most n in 500; far fewer were seen."""
    random, runs, n = np.random.default_rng(9), 4_000, 100
    detector, highest = Detector.start(RateBets(worse(), good=90.0, seen=100.0)), np.zeros(runs)
    for _ in range(n):
        arms, rewards = (random.random((2, runs)) < 0.9).astype(float)
        detector = detector.after(Unit(arms, 0.9, rewards))
        highest = np.maximum(highest, detector.value)
    values = np.asarray(detector.value)
    assert abs(values.mean() - n) < 4 * values.std() / runs**0.5
    assert (highest >= ALARM_LIMIT).mean() <= n / ALARM_LIMIT


def test_a_collapse_after_a_good_while_is_noticed_in_spite_of_it() -> None:
    """Where the canary's capital is gone after 200 good units, the detector alarms within 100 bad ones."""
    detector, process = Detector.start(RateBets(worse())), EProcess.start(RateBets(worse()))
    for i in range(300):
        control = i % 10 == 0
        unit = Unit(not control, 0.9, 1.0 if control or (i < 200 and i % 20) else 0.0)
        detector, process = detector.after(unit), process.after(unit)
        if detector.value >= ALARM_LIMIT:
            break
    assert 200 < i < 299
