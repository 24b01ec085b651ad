"""Watching a change that was promoted: a Shiryaev-Roberts e-detector for harm that may begin at any time.

Shin, Ramdas and Rinaldo, "E-detectors: a nonparametric framework for sequential change detection": with an e-value
factor ``e_n`` for each unit, ``M_n = (M_{n-1} + 1) e_n`` is the sum of the e-processes begun at each unit so far. While
nothing is wrong ``E[M_n] <= n``, so an alarm at ``1 / alpha`` comes after ``1 / alpha`` units on average at the earliest,
and within ``n`` units with a probability of at most ``n * alpha``.
"""

from dataclasses import dataclass

from learning.evidence import Bets, Column, Unit

ALARM_LIMIT = 500.0  # a false alarm within the 100 units of a holdout: in one of five at the very most


@dataclass(frozen=True)
class Detector:
    """The statistic by shift of the alternative. ``bets`` say how each unit is staked, learned from the canary's units."""

    bets: Bets
    parts: tuple[Column, ...]

    @classmethod
    def start(cls, bets: Bets) -> "Detector":
        return cls(bets=bets, parts=(0.0,) * len(bets.alternative.weights))

    @property
    def value(self) -> Column:
        return sum(self.parts)

    def after(self, unit: Unit) -> "Detector":
        candidate, control = unit.candidate, 1 - unit.candidate
        parts = tuple(
            (part + weight) * (candidate * factor.candidate + control * factor.control)
            for part, weight, factor in zip(self.parts, self.bets.alternative.weights, self.bets.factors(unit), strict=True)
        )
        return Detector(bets=self.bets.after(unit), parts=parts)
