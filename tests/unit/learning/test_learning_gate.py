"""The benchmark decides as the product does."""

import numpy as np
import pytest

from bench.canary_replay import differing, live
from bench.canary_simulation import NEVER, Shop, daily_bayes, decide, draw, path, ship_now
from domain.actions import Risk
from learning.assignment import ramp
from learning.evidence import RateBets, Unit, better, evidence, worse


@pytest.mark.parametrize("late_good", [0, 9])
def test_simulated_paths_are_the_products_e_values(late_good: int) -> None:
    """In both orders, at the last unit."""
    canaries = draw(Shop("", 0.9, 0.8, late_good=late_good), Risk.R1, experiments=3, units=50, seed=1)
    order = np.argsort(canaries.known, axis=1, kind="stable")
    harm, win = path(canaries, worse(), order), path(canaries, better())
    for row in range(3):
        drawn = zip(canaries.arms[row], canaries.rewards[row], strict=True)
        units = [Unit(bool(a), ramp(i, Risk.R1), float(y)) for i, (a, y) in enumerate(drawn)]
        assert win[row, -1] == pytest.approx(evidence(units, RateBets(better())))
        assert harm[row, -1] == pytest.approx(evidence([units[i] for i in order[row]], RateBets(worse())))


def test_a_lived_canary_is_judged_alike_from_its_log() -> None:
    """No verdict of an experiment that is rolled back comes out otherwise when the log is read back."""
    log = live(Shop("", 0.95, 0.3), seed=1, units=80)
    verdicts, differ = differing(log)
    assert (verdicts > 5, differ) == (True, 0)
    assert sum('"rolled-back"' in text for _, text in log) == 1


def test_a_changed_log_is_noticed() -> None:
    """The replay can fail: with one result turned round, verdicts differ."""
    log = live(Shop("", 0.9, 0.9), seed=2, units=40)
    turned = [(name, text.replace('"reward":0.0', '"reward":0.5')) for name, text in log]
    assert differing(turned)[1] > 0


def test_every_simulated_experiment_has_one_verdict() -> None:
    """Rolled back, promoted, shipped and undecided exclude each other; harm that is known at the same time comes first."""
    verdicts = decide(draw(Shop("", 0.6, 0.7), Risk.R1, experiments=300, units=150, seed=3), Risk.R1)
    back, kept = verdicts.rolled_back < NEVER, verdicts.promoted < NEVER
    assert not (back & kept).any()
    assert not (verdicts.shipped & (back | kept)).any()
    assert kept.sum() > back.sum() > 0


def test_rules_compared_lose_what_they_must() -> None:
    """Shipping at once loses the whole difference; a daily look at 0.95 decides every second canary without any difference."""
    assert ship_now(Shop("", 0.95, 0.80)).regret == pytest.approx(300)
    looked = daily_bayes(Shop("", 0.5, 0.5), experiments=500, seed=1)
    assert looked.kept + looked.taken_back > 0.4
