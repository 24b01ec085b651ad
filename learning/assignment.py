"""Which arm a unit belongs to, and how fast the candidate's share grows."""

from domain.actions import Risk
from domain.choice import unit_of
from domain.experiments import Arm

HOLDOUT_SHARE = 0.9
_CAREFUL = ((30, 0.1), (90, 0.25))
_BRISK = ((30, 0.2), (90, 1 / 3))
_FULL = 0.5
BLOCK_SHARE = 0.5
"""Of blocks of time, from the first one on: a tenth of a dozen weeks would be one week, or none."""
BLOCKS = 12
"""After so many, a trial by blocks is over."""


def arm(salt: str, unit: str, share: float) -> Arm:
    """The candidate for a share of the units. What has the candidate keeps it when the share grows."""
    return Arm.CANDIDATE if unit_of(salt, unit) < share else Arm.CONTROL


def ramp(exposed: int, risk: Risk) -> float:
    """The candidate's share after so many exposures of either arm: it depends on their number only, never on results.

    Money and stock (R2) and what cannot be undone (R3) get 10 % to 30 exposures, 25 % to 90, then 50 %. What is internal
    or reviewed text (R0, R1) gets 20 %, 33 %, 50 %: a low share tells more for each unit of the candidate but less for
    each unit that passes. Simulated (``bench.learning_gate`` prints both), the brisk ramp takes harm back 6 to 19 %
    sooner, with 6 to 7 % more candidates exposed until then, 15 instead of 14 of them where 95 % becomes 80 %.
    """
    steps = _CAREFUL if risk >= Risk.R2 else _BRISK
    return next((share for until, share in steps if exposed < until), _FULL)
