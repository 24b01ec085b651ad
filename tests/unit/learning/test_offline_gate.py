"""The paired gate before any exposure."""

import pytest
from scipy.integrate import quad

from learning.offline_gate import offline_gate, paired_evidence


@pytest.mark.parametrize(("wins", "losses", "e"), [(0, 0, 1.0), (5, 0, 10.5), (7, 0, 31.875)])
def test_known_scores(wins: int, losses: int, e: float) -> None:
    """Five wins in a row just pass; four do not."""
    assert paired_evidence(wins, losses) == pytest.approx(e)


@pytest.mark.parametrize(("wins", "losses"), [(3, 2), (12, 4), (1, 9)])
def test_the_closed_form_is_the_mixture_integral(wins: int, losses: int) -> None:
    """Of likelihood ratios against one half, uniform over better chances."""
    integral, _ = quad(lambda p: 2 * (2 * p) ** wins * (2 * (1 - p)) ** losses, 0.5, 1.0)
    assert paired_evidence(wins, losses) == pytest.approx(integral)


def test_one_golden_regression_is_one_too_many() -> None:
    """However many pairs are won."""
    assert offline_gate(40, 0, 0).passed
    refused = offline_gate(40, 0, 1)
    assert not refused.passed
    assert "1 of the cases that must stay right" in refused.reason


def test_extreme_scores_stay_numbers() -> None:
    """Thousands of pairs, all lost or all won."""
    assert paired_evidence(0, 5_000) == 0.0
    assert 1e300 < paired_evidence(5_000, 0) < float("inf")
