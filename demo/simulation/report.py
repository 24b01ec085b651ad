"""What the simulated days came to, both arms side by side. Every figure was read from the arms' logs."""

from functools import cached_property
from typing import Any

from demo.simulation.figures import ArmFigures, Week, over
from domain.model import Moment, Value

_DAYS_A_WEEK = 7
WITH_LEARNING, WITHOUT_LEARNING = "with learning", "without learning"


class SimulationReport(Value):
    """``scenario`` is the scenario as JSON. ``arms`` are one or two, the one that learns first."""

    shop: str
    currency: str
    days: int
    seed: int
    scenario: dict[str, Any]
    started_at: Moment
    finished_at: Moment
    arms: tuple[ArmFigures, ...]

    @property
    def seconds(self) -> float:
        return (self.finished_at - self.started_at).total_seconds()

    @cached_property
    def weeks(self) -> dict[str, tuple[Week, ...]]:
        """By arm, the weeks in order; the last one may be shorter."""
        return {name_of(arm): _weeks(arm) for arm in self.arms}

    @cached_property
    def totals(self) -> dict[str, Week]:
        """By arm, all days taken together."""
        return {name_of(arm): over(arm.days, "all days") for arm in self.arms}

    @cached_property
    def fewer_decisions(self) -> dict[str, float | None]:
        """By arm, the share of the operator's decisions a day that the last whole week saves against the first."""
        return {name: _saved(whole) for name, whole in self._whole_weeks().items()}

    def _whole_weeks(self) -> dict[str, list[Week]]:
        count = self.days // _DAYS_A_WEEK
        return {name: list(weeks[:count]) for name, weeks in self.weeks.items()}

    def as_json(self) -> dict[str, Any]:
        """The report with its sums, for programs."""
        sums = {
            "totals": {name: week.model_dump(mode="json") for name, week in self.totals.items()},
            "weeks": {name: [week.model_dump(mode="json") for week in weeks] for name, weeks in self.weeks.items()},
            "fewer_decisions": self.fewer_decisions,
        }
        return {**self.model_dump(mode="json"), "seconds": self.seconds, **sums}


def name_of(arm: ArmFigures) -> str:
    return WITH_LEARNING if arm.learning else WITHOUT_LEARNING


def _weeks(arm: ArmFigures) -> tuple[Week, ...]:
    days = arm.days
    starts = range(0, len(days), _DAYS_A_WEEK)
    return tuple(over(days[n : n + _DAYS_A_WEEK], f"week {n // _DAYS_A_WEEK + 1}") for n in starts)


def _saved(weeks: list[Week]) -> float | None:
    if len(weeks) < 2 or not weeks[0].decisions:
        return None
    return 1 - weeks[-1].decisions / weeks[0].decisions
