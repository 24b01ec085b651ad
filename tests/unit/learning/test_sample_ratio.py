"""A broken assignment is found, a fair one is left alone."""

from itertools import product
from math import inf, prod

import numpy as np
import pytest

from domain.actions import Risk
from domain.experiments import Arm
from learning.assignment import arm, ramp
from learning.sample_ratio import FREEZE_LIMIT, ratio_evidence


def test_over_all_assignments_the_expectation_is_one() -> None:
    """Enumerated, for shares that ramp."""
    shares = (0.1, 0.1, 0.25, 0.25, 0.5, 0.5, 0.9)
    total = 0.0
    for arms in product(Arm, repeat=len(shares)):
        chance = prod(s if a is Arm.CANDIDATE else 1 - s for a, s in zip(arms, shares, strict=True))
        total += chance * ratio_evidence(zip(arms, shares, strict=True))
    assert total == pytest.approx(1.0)


def test_the_real_assignment_is_never_frozen() -> None:
    """Hashing 1,000 runs on the ramp leaves no evidence against the shares that were logged."""
    drawn = [(arm("e", f"run/{i}", ramp(i, Risk.R2)), ramp(i, Risk.R2)) for i in range(1_000)]
    assert ratio_evidence(drawn) < 10


@pytest.mark.parametrize(("factor", "units"), [(0.0, 60), (0.5, 250), (2.0, 60)])
def test_a_share_that_is_not_the_logged_one_is_frozen(factor: float, units: int) -> None:
    """The candidate reaches nobody, half of those due, or twice as many."""
    random = np.random.default_rng(1)
    drawn = [(Arm.CANDIDATE if random.random() < 0.5 * factor else Arm.CONTROL, 0.5) for _ in range(units)]
    assert ratio_evidence(drawn) >= FREEZE_LIMIT


def test_what_cannot_happen_is_certain_evidence() -> None:
    """A candidate at a share of nothing; a share that leaves no choice says nothing else."""
    assert ratio_evidence([(Arm.CANDIDATE, 0.0)]) == inf
    assert ratio_evidence([(Arm.CONTROL, 0.0), (Arm.CANDIDATE, 1.0)]) == pytest.approx(1.0)
