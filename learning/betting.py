"""Bets on a difference of means: evidence for rewards anywhere in [0, 1], such as minutes, fill rates, click rates.

For a unit with the reward ``y``, drawn for the candidate (``g = 1``) with the share ``pi``, the inverse-propensity
difference ``d = (g - pi) / (pi (1 - pi)) * (y - m)`` has the expectation ``mean of candidate - mean of control`` for any
``m`` fixed before; the running mean as ``m`` makes it steady. Capital is multiplied by ``1 + stake * d`` (or ``- stake``
to bet on harm), with stakes fixed before the unit and too small to lose everything: a supermartingale under the null
(Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting"). Of each stake, where the reward is
given, the expectation over the assignment is 1, so order by maturity is as safe as for rates (see ``evidence``).
"""

from dataclasses import dataclass

from learning.evidence import Alternative, Column, Factor, Unit, larger

_FORGET = 0.99
_BOLDEST = 0.75  # of the capital can be lost on one unit at most
_LEAST_VARIANCE = 1e-4


@dataclass(frozen=True, slots=True)
class DifferenceBets:
    """One bet for each shift of the alternative, sized to be best for a difference of half as many standard deviations,

    which is what a shift on the logit scale comes to at an even rate.
    """

    alternative: Alternative
    total: Column = 0.0
    squares: Column = 0.0
    seen: float = 0.0

    @property
    def mean(self) -> Column:
        return (self.total + 0.5) / (self.seen + 1.0)

    @property
    def variance(self) -> Column:
        """Of the reward, shrunken to that of an even spread around the middle."""
        return larger((self.squares + 1.0 / 3.0) / (self.seen + 1.0) - self.mean * self.mean, _LEAST_VARIANCE)

    def factors(self, unit: Unit) -> tuple[Factor, ...]:
        sign = 1.0 if self.alternative.better else -1.0
        off = unit.reward - self.mean
        if_candidate = sign * (off / unit.share + self.alternative.margin)
        if_control = sign * (self.alternative.margin - off / (1.0 - unit.share))
        stakes = (self._stake(shift / 2.0, unit.share) for shift in self.alternative.shifts)
        return tuple(Factor(candidate=1.0 + stake * if_candidate, control=1.0 + stake * if_control) for stake in stakes)

    def after(self, unit: Unit) -> "DifferenceBets":
        return DifferenceBets(
            self.alternative,
            total=_FORGET * self.total + unit.reward,
            squares=_FORGET * self.squares + unit.reward * unit.reward,
            seen=_FORGET * self.seen + 1.0,
        )

    def _stake(self, deviations: float, share: Column) -> Column:
        """The best stake for a difference of so many standard deviations, of what can be lost at most ``_BOLDEST``."""
        best = deviations / self.variance**0.5 / (1.0 / (share * (1.0 - share)) + deviations * deviations)
        highest, lowest = (self.mean, 1.0 - self.mean) if self.alternative.better else (1.0 - self.mean, self.mean)
        boldest = _BOLDEST / (larger(highest / share, lowest / (1.0 - share)) + self.alternative.margin)
        return -larger(-best, -boldest)
