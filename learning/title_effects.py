"""A hierarchical logistic regression of clicks: what features, templates and pages add, and what is left to each title. Pure.

``logit P(click) = centre + X b + e``: ``b`` are effects of groups of columns (features, templates, pages), each group with
a variance of its own, and ``e`` is one deviation a cell. The effects are found by Newton's steps (Laplace's approximation, ``e``
eliminated exactly), the variances by MacKay's fixed point (1992) with weak priors: empirical Bayes, where the likeness of many
pages says how much a new one may borrow (Gelman and others, Bayesian Data Analysis, chapters 5 and 13).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_ROUNDS = 8  # of steps for the variances, which barely move after that
_STEPS = 2  # of Newton in each round; every round starts where the last one ended
_PRIOR_WEIGHT = 2.0  # a variance is believed as if that many effects had been seen
_SMOOTHING = 20.0  # impressions at the pooled rate that a cell starts from


@dataclass(frozen=True, kw_only=True)
class Clicks:
    """Cells (rows) by effects (columns). ``group`` names each column's variance by its place in ``scales``."""

    design: Floats
    group: NDArray[np.intp]
    shown: Floats
    clicked: Floats


@dataclass(frozen=True, kw_only=True)
class Effects:
    """The posterior, normal on the logit scale, around ``centre``.

    ``mean`` and ``covariance`` are of the columns' effects. A seen cell's logit, given the effects, has mean
    ``kept * (x b) + pulled`` and variance ``own_variance * kept``; for an unseen cell kept is 1 and pulled is 0.
    """

    mean: Floats
    covariance: Floats
    kept: Floats
    pulled: Floats
    own_variance: float
    variances: Floats


def effects_of(clicks: Clicks, *, scales: Floats, own_scale: float) -> Effects:
    """The posterior. ``scales`` are prior guesses of each group's standard deviation, ``own_scale`` of the deviations'."""
    state = _State(clicks, scales=scales, own_scale=own_scale)
    for _ in range(_ROUNDS):
        for _ in range(_STEPS):
            state.newton()
        state.weigh()
    state.newton()
    return state.posterior()


class _State:
    """The running values of one fit; it lives only inside ``effects_of``."""

    def __init__(self, clicks: Clicks, *, scales: Floats, own_scale: float) -> None:
        self._clicks = clicks
        self._prior, self._own_prior = scales**2, own_scale**2
        self._variances, self._own = self._prior.copy(), self._own_prior
        rate = (clicks.clicked.sum() + 0.5) / (clicks.shown.sum() + 1.0)
        self._centre = np.log(rate / (1 - rate))
        smooth = (clicks.clicked + _SMOOTHING * rate) / (clicks.shown + _SMOOTHING)
        self._logit = np.log(smooth / (1 - smooth)) - self._centre

    def newton(self) -> None:
        """One step for the effects and the deviations together, the deviations eliminated."""
        seen, design = self._clicks, self._clicks.design
        chance = 1 / (1 + np.exp(-(self._logit + self._centre)))
        weight = seen.shown * chance * (1 - chance)
        self._kept = 1 / (1 + self._own * weight)
        pull = (weight * self._logit + seen.clicked - seen.shown * chance) * self._kept
        scaled = design * (weight * self._kept)[:, None]
        precision = design.T @ scaled + np.diag(1 / self._variances[seen.group])
        self._covariance = np.linalg.inv(precision)
        self._mean = self._covariance @ (design.T @ pull)
        self._pulled = self._own * pull
        self._logit = self._kept * (design @ self._mean) + self._pulled

    def weigh(self) -> None:
        """One fixed-point step: each variance is the square of its effects over as many of them as the data determine."""
        seen, design, groups = self._clicks, self._clicks.design, len(self._prior)
        determined = 1 - np.diag(self._covariance) / self._variances[seen.group]
        square = np.bincount(seen.group, weights=self._mean**2, minlength=groups)
        number = np.bincount(seen.group, weights=determined, minlength=groups)
        self._variances = (square + _PRIOR_WEIGHT * self._prior) / (number + _PRIOR_WEIGHT)
        spread = ((design @ self._covariance) * design).sum(axis=1)
        deviation = self._logit - design @ self._mean
        unknown = self._own * self._kept + (1 - self._kept) ** 2 * spread
        own_number = len(deviation) - unknown.sum() / self._own
        self._own = float((deviation @ deviation + _PRIOR_WEIGHT * self._own_prior) / (own_number + _PRIOR_WEIGHT))

    def posterior(self) -> Effects:
        return Effects(
            mean=self._mean,
            covariance=self._covariance,
            kept=self._kept,
            pulled=self._pulled,
            own_variance=self._own,
            variances=self._variances,
        )
