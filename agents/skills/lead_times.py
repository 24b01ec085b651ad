"""How long a supplier really takes: what it states, corrected by the deliveries seen."""

from collections.abc import Sequence
from typing import NamedTuple

_STATED_DELIVERIES = 3.0  # what a supplier states counts as much as this many deliveries


class LeadTime(NamedTuple):
    """Days from order to delivery: mean and standard deviation."""

    days: float
    sd: float


def learned_lead_time(deliveries: Sequence[float], prior: LeadTime) -> LeadTime:
    """``deliveries`` in days each; ``prior`` is what is believed without any.

    The posterior means of a normal with unknown mean and variance (normal-inverse-gamma): few deliveries move the prior
    little, and deliveries far from it widen the spread, because then one of the two is wrong.
    """
    n = len(deliveries)
    if n == 0:
        return prior
    seen = sum(deliveries) / n
    weight = _STATED_DELIVERIES + n
    squares = _STATED_DELIVERIES * prior.sd**2 + sum((d - seen) ** 2 for d in deliveries)
    apart = _STATED_DELIVERIES * n / weight * (seen - prior.days) ** 2
    return LeadTime((_STATED_DELIVERIES * prior.days + n * seen) / weight, ((squares + apart) / weight) ** 0.5)
