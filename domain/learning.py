"""What a learning cycle found: outcomes, the fix queue, what is proposed, tried, promoted and taken back."""

from typing import Any

from pydantic import Field

from domain.actions import Risk
from domain.event import EventData
from domain.experiments import Objective
from domain.failures import RootCause
from domain.model import Moment, Name, Text, Value


class FixItem(Value):
    """A failure mode in the fix queue. ``score`` is cost per month that a fix would save, for each unit of effort."""

    mode: Name
    cause: RootCause
    cases: int  # in the last 30 days
    severe: int = 0
    cost_per_case: float
    fixable: float = Field(ge=0, le=1)  # P(fixable | cause), learned from past fixes
    recency: float = Field(ge=0, le=1)
    effort: float = Field(gt=0)
    score: float
    ref: str = ""
    topics: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()  # runs, newest first
    why: str = ""  # the ranking in words


class Candidate(Value):
    """A proposed change of one policy, or a question to the operator where data is missing.

    ``document`` is the whole new document; ``scope`` names the topics it can touch; ``expected`` is the hoped-for
    effect on the first objective, on the reward scale.
    """

    policy: Name
    parent: int
    document: dict[str, Any]
    why: Text
    cause: RootCause
    risk: Risk
    scope: tuple[str, ...] = ()
    objectives: tuple[Objective, ...]
    expected: float = 0.0
    examples: tuple[str, ...] = ()
    block_days: int = 0
    ratify: bool = False  # asked instead of tried: the operator decides once
    checked: str = ""  # how the offline gate judged it
    evidence: float = 1.0  # what the replay adds to the trial's own evidence, where it was on cases nothing was made from


class MetricSummary(Value):
    metric: Name
    count: int
    mean: float  # in the metric's own unit
    bad: int


class LearningReport(Value):
    day: Name
    at: Moment
    since: Moment | None = None
    outcomes: tuple[MetricSummary, ...] = ()
    queue: tuple[FixItem, ...] = ()
    questions: tuple[str, ...] = ()  # asked of the operator, once each
    proposed: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()  # candidates that did not pass, and why
    trying: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()
    autonomy: tuple[str, ...] = ()
    text: Text = ""


class LearningReported(EventData):
    """A later report of the same day replaces the earlier one."""

    type = "learning.reported"
    entity = LearningReport
    report: LearningReport

    @property
    def stream(self) -> str:
        return f"learning/{self.report.day}"

    def fold(self, state: LearningReport | None) -> LearningReport:
        return self.report
