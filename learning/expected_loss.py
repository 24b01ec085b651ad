"""What shipping an undecided change may cost: the posterior expected loss. Bayesian, and not covered by any error guarantee."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc

from learning.evidence import Column

_NODES = (np.arange(1_000) + 0.5) / 1_000
_PRIOR = 2.0  # the prior counts as so many units at the pooled rate


@dataclass(frozen=True)
class Tally:
    """The units of an arm and the sum of their rewards; or arrays of both, for many experiments."""

    units: Column
    reward: Column


def expected_loss(control: Tally, candidate: Tally, margin: float = 0.0) -> NDArray[np.float64]:
    """``E[max(p_control - p_candidate - margin, 0)]``, on the reward scale, shaped like the tallies' fields.

    Beta posteriors from a common prior at the pooled rate; ``E[(A - B)+]`` is the integral of ``P(B < t < A)``, by the
    midpoint rule, which is deterministic and exact to about 1e-6. Rewards between 0 and 1 count as parts of successes.
    """
    pooled = (control.reward + candidate.reward + 1.0) / (control.units + candidate.units + 2.0)
    candidate_below = _below(candidate, pooled, _NODES)
    control_above = 1.0 - _below(control, pooled, np.minimum(_NODES + margin, 1.0))
    return np.asarray((candidate_below * control_above).mean(axis=-1), dtype=np.float64)


def _below(tally: Tally, pooled: Column, at: NDArray[np.float64]) -> NDArray[np.float64]:
    """The posterior probability of a rate under each node, with the nodes as last axis."""
    good = np.asarray(_PRIOR * pooled + tally.reward)[..., None]
    bad = np.asarray(_PRIOR * (1.0 - pooled) + tally.units - tally.reward)[..., None]
    return np.asarray(betainc(good, bad, at), dtype=np.float64)
