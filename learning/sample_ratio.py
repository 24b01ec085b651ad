"""Whether the arms were drawn with the shares that were logged: an e-value against a broken assignment.

Lindon and Malek, "Anytime-valid inference for multinomial count data", for shares that change over time: capital is bet
on the candidate being drawn at odds that are too low or too high by a constant factor, over a small grid of factors.
"""

from collections.abc import Iterable
from math import exp, inf, log

from domain.experiments import Arm

FREEZE_LIMIT = 1000.0
_SHIFTS = (-3.0, -1.5, -0.7, -0.3, 0.3, 0.7, 1.5, 3.0)  # of the log odds


def ratio_evidence(drawn: Iterable[tuple[Arm, float]]) -> float:
    """The e-value of arms with the candidate's logged share, in the order of exposure; inf for what cannot happen."""
    logs = [-log(len(_SHIFTS))] * len(_SHIFTS)
    for arm, share in drawn:
        if not 0.0 < share < 1.0:
            if (arm is Arm.CANDIDATE) != (share >= 1.0):
                return inf
            continue
        for i, shift in enumerate(_SHIFTS):
            odds = share / (1.0 - share) * exp(shift)
            believed = odds / (1.0 + odds)
            logs[i] += log(believed / share) if arm is Arm.CANDIDATE else log((1.0 - believed) / (1.0 - share))
    return sum(exp(min(value, 700.0)) for value in logs)
