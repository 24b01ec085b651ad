"""Experiments: one candidate version of one policy against the version in force, from canary to verdict to holdout."""

from datetime import timedelta
from enum import StrEnum
from typing import Any

from pydantic import Field

from domain.actions import Risk
from domain.errors import InvalidInput
from domain.event import EventData, Topic, Wake, existing
from domain.failures import RootCause
from domain.model import Moment, Name, Value


class Arm(StrEnum):
    CONTROL = "control"
    CANDIDATE = "candidate"


class Stage(StrEnum):
    CANARY = "canary"
    FROZEN = "frozen"  # the assignment is broken; nobody is exposed any more until the operator looked
    HOLDOUT = "holdout"  # promoted; a tenth keeps the old version for comparison
    ENDED = "ended"


class Ending(StrEnum):
    PROMOTED = "promoted"  # and its holdout passed
    SHIPPED = "shipped"  # expired undecided, small posterior expected loss: not covered by the error guarantee
    ROLLED_BACK = "rolled-back"  # harm or a severe event in the canary
    REVERTED = "reverted"  # harm in the holdout
    EXPIRED = "expired"
    STOPPED = "stopped"  # by the operator, or by the learner for a better candidate


class Objective(Value):
    """The first objective of an experiment is what the candidate shall improve; all are guardrails against harm."""

    metric: Name
    margin: float = Field(default=0.0, ge=0, lt=1)  # non-inferiority margin on the reward scale


class Evidence(Value):
    """What a verdict was reached on. E-values: above 1 speaks against the null, 20 is as rare under it as 1 in 20.

    ``win`` and ``harm`` (by metric) are anytime-valid; ``ratio`` is against a fair assignment; ``loss`` is the posterior
    expected loss of shipping, on the reward scale; ``rates`` are mean rewards by arm of the first objective.
    """

    exposed: int = 0
    exposed_candidate: int = 0
    matured: int = 0
    matured_candidate: int = 0
    win: float = 1.0
    harm: dict[str, float] = Field(default_factory=dict)
    ratio: float = 1.0
    detector: float = 0.0  # Shiryaev-Roberts statistic of the holdout
    loss: float | None = None
    rates: dict[str, float] = Field(default_factory=dict)
    severe: tuple[str, ...] = ()  # units of the candidate with a severe miss


class Experiment(Value):
    """``share`` of new units get the candidate; it only grows while the canary goes well.

    ``scope`` names the topics (intents, suppliers, slugs) the candidate can touch; empty is all of them. Units of a
    policy whose decisions interfere (stock) are blocks of ``block_days`` days instead of runs.
    """

    experiment_id: Name
    policy: Name
    control: int
    candidate: int
    risk: Risk
    objectives: tuple[Objective, ...] = Field(min_length=1)
    scope: tuple[str, ...] = ()
    block_days: int = 0
    salt: Name
    level: float = Field(gt=0, lt=1)  # the false discovery level this candidate was given (e-LOND)
    prior: float = Field(default=1.0, ge=0)  # evidence of gain from replays on cases that nothing was made from
    cause: RootCause | None = None
    why: str = ""
    examples: tuple[str, ...] = ()  # runs it was made for: later candidates must not lose them again
    stage: Stage = Stage.CANARY
    share: float = Field(default=0.1, ge=0, le=1)
    exposed: int = 0
    started_at: Moment
    expires_at: Moment
    promoted_at: Moment | None = None
    ended_at: Moment | None = None
    ending: Ending | None = None
    awaits_operator: bool = False  # won, and waits for the operator to ratify
    hard: bool = False  # runs in flight had to leave the candidate at once
    reason: str = ""
    evidence: Evidence = Evidence()
    curve: tuple[tuple[int, float, float], ...] = ()  # (matured, win, worst harm) at each judgement

    @property
    def running(self) -> bool:
        return self.stage is not Stage.ENDED

    @property
    def exposes(self) -> bool:
        return self.stage in (Stage.CANARY, Stage.HOLDOUT)

    def unit(self, run_id: str, at: Moment) -> str:
        """What is assigned to an arm: the run, or the block of days that ``at`` lies in."""
        if not self.block_days:
            return run_id
        return f"block/{at.date().toordinal() // self.block_days}"

    def concerns(self, topic: str) -> bool:
        return not self.scope or topic in self.scope


class _ExperimentEvent(EventData):
    entity = Experiment
    experiment_id: Name

    @property
    def stream(self) -> str:
        return f"experiment/{self.experiment_id}"

    def fold(self, state: Experiment | None) -> Experiment:
        experiment: Experiment = existing(state, self.stream)
        return experiment.model_copy(update=self.change(experiment))

    def change(self, experiment: Experiment) -> dict[str, Any]:
        return {}


class ExperimentStarted(EventData):
    type = "experiment.started"
    entity = Experiment
    experiment: Experiment

    @property
    def stream(self) -> str:
        return f"experiment/{self.experiment.experiment_id}"

    def fold(self, state: Experiment | None) -> Experiment:
        return self.experiment

    def wakes(self, before: Experiment | None, after: Experiment) -> Wake | None:
        return Wake(topic=Topic.ROLLOUT, key=after.experiment_id)


class ExperimentJudged(_ExperimentEvent):
    """A look at the evidence, and what it led to. Unchanged fields say that it goes on."""

    type = "experiment.judged"
    evidence: Evidence
    stage: Stage
    share: float
    at: Moment
    ending: Ending | None = None
    awaits_operator: bool = False
    hard: bool = False
    reason: str = ""
    by: Name = "verdict"

    def change(self, experiment: Experiment) -> dict[str, Any]:
        if not experiment.running:
            raise InvalidInput(f"{self.experiment_id} has ended", hint="a new trial needs a new version")
        point = (self.evidence.matured, self.evidence.win, max(self.evidence.harm.values(), default=1.0))
        promoted = self.stage is Stage.HOLDOUT and experiment.promoted_at is None
        return {
            "evidence": self.evidence,
            "stage": self.stage,
            "share": self.share,
            "ending": self.ending,
            "awaits_operator": self.awaits_operator,
            "hard": self.hard,
            "reason": self.reason or experiment.reason,
            "promoted_at": self.at if promoted else experiment.promoted_at,
            "ended_at": self.at if self.stage is Stage.ENDED else None,
            "curve": (*experiment.curve, point),
        }

    def wakes(self, before: Experiment | None, after: Experiment) -> Wake | None:
        """Its rollout, where somebody else decided."""
        return None if self.by == "verdict" else Wake(topic=Topic.ROLLOUT, key=self.experiment_id)


class Exposure(Value):
    """A run's arm, with the propensity it was drawn with. A run keeps its arm for as long as it goes on."""

    experiment_id: Name
    unit: Name  # what was assigned: the run, or its block of days
    run_id: Name
    arm: Arm
    version: int  # of the policy, that the arm stands for
    share: float  # of the candidate at the moment of assignment
    topic: str = ""
    at: Moment
    rewards: dict[str, float] = Field(default_factory=dict)  # by metric
    matured_at: dict[str, Moment] = Field(default_factory=dict)  # when each reward came in
    censored: tuple[str, ...] = ()
    severe: tuple[str, ...] = ()  # metrics with a severe miss

    def matured(self, metric: str) -> bool:
        return metric in self.rewards or metric in self.censored

    def matures_at(self, window_days: float) -> Moment:
        return self.at + timedelta(days=window_days)


class ExposureRecorded(EventData):
    type = "exposure.recorded"
    entity = Exposure
    exposure: Exposure

    @property
    def stream(self) -> str:
        return f"exposure/{self.exposure.experiment_id}/{self.exposure.run_id}"

    def fold(self, state: Exposure | None) -> Exposure:
        """The first one counts: a unit keeps its arm."""
        return state or self.exposure


class ExposureMatured(EventData):
    """A result of an exposed unit is in, or is known to stay missing. The first result of a metric counts.

    A severe miss counts whenever it comes.
    """

    type = "exposure.matured"
    entity = Exposure
    experiment_id: Name
    run_id: Name
    metric: Name
    reward: float | None = Field(ge=0, le=1)  # None is censored
    severe: bool = False
    at: Moment

    @property
    def stream(self) -> str:
        return f"exposure/{self.experiment_id}/{self.run_id}"

    def fold(self, state: Exposure | None) -> Exposure:
        exposure: Exposure = existing(state, self.stream)
        severe = (*exposure.severe, self.metric) if self.severe and self.metric not in exposure.severe else exposure.severe
        if exposure.matured(self.metric):
            return exposure.model_copy(update={"severe": severe})
        if self.reward is None:
            return exposure.model_copy(update={"censored": (*exposure.censored, self.metric), "severe": severe})
        rewards = {**exposure.rewards, self.metric: self.reward}
        matured_at = {**exposure.matured_at, self.metric: self.at}
        return exposure.model_copy(update={"rewards": rewards, "matured_at": matured_at, "severe": severe})

    def wakes(self, before: Exposure | None, after: Exposure) -> Wake | None:
        """The rollout that judges this experiment, when there is anything new to judge."""
        return Wake(topic=Topic.ROLLOUT, key=self.experiment_id) if after != before else None
