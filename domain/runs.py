"""What Steward itself does and learns: runs, effects that failed, alerts, outcomes, lessons, controls."""

from enum import StrEnum
from typing import Any

from pydantic import Field

from domain.decisions import Bypass, Mode, Proposal
from domain.event import EventData, Topic, Wake, existing
from domain.model import Moment, Name, Text, Value
from domain.passage import Passage


class Outcome(Value):
    """A measured result: ``metric`` as declared by an action type, ``value`` in the metric's unit."""

    metric: Name
    value: float
    at: Moment
    action_digest: str = ""


class Run(Value):
    """One workflow run as the business sees it."""

    run_id: Name
    workflow: Name
    status: str = "running"
    started_at: Moment
    finished_at: Moment | None = None
    result: str = ""
    suggested: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    reverted: bool = False
    outcomes: tuple[Outcome, ...] = ()

    def measured(self, metric: str) -> bool:
        """Whether ``metric`` has a result since the run last began."""
        return any(o.metric == metric and o.at >= self.started_at for o in self.outcomes)


class RunEvent(EventData):
    entity = Run
    run_id: Name

    @property
    def stream(self) -> str:
        return f"run/{self.run_id}"

    def fold(self, state: Run | None) -> Run:
        run: Run = existing(state, self.stream)
        return run.model_copy(update=self.change(run))

    def change(self, run: Run) -> dict[str, Any]:
        return {}


class RunStarted(RunEvent):
    """A run begins, or begins again under the same business key."""

    type = "run.started"
    workflow: Name
    at: Moment

    def fold(self, state: Run | None) -> Run:
        return Run(run_id=self.run_id, workflow=self.workflow, started_at=self.at, outcomes=state.outcomes if state else ())


class RunFinished(RunEvent):
    type = "run.finished"
    at: Moment
    status: str = "done"
    result: str = ""

    def change(self, run: Run) -> dict[str, Any]:
        return {"status": self.status, "finished_at": self.at, "result": self.result}


class RunReverted(RunEvent):
    type = "run.reverted"
    by: str
    compensated: tuple[str, ...] = ()
    impossible: tuple[str, ...] = ()

    def change(self, run: Run) -> dict[str, Any]:
        return {"reverted": True}


class ActionSuggested(RunEvent):
    """In suggest mode: what would have been done."""

    type = "run.action-suggested"
    proposal: Proposal

    def change(self, run: Run) -> dict[str, Any]:
        return {"suggested": (*run.suggested, self.proposal.action.summary())}


class ActionRehearsed(RunEvent):
    """A connection in dry-run or replay took the action and sent nothing."""

    type = "run.action-rehearsed"
    action_kind: Name
    summary: str
    connection: Name
    reference: str

    def change(self, run: Run) -> dict[str, Any]:
        return {"suggested": (*run.suggested, f"{self.summary} ({self.connection} sent nothing)")}


class ActionRefused(RunEvent):
    """The gate or the reservation said no."""

    type = "run.action-refused"
    action_kind: Name
    summary: str
    reasons: tuple[str, ...]

    def change(self, run: Run) -> dict[str, Any]:
        return {"refused": (*run.refused, f"{self.summary}: {'; '.join(self.reasons)}")}


class ActedAlone(RunEvent):
    """An action went ahead without a question because its class had earned that."""

    type = "run.acted-alone"
    action_kind: Name
    class_key: Name


class ActionFailed(RunEvent):
    """An outside system refused for good, or its answer could not be reconciled."""

    type = "run.action-failed"
    action_kind: Name
    summary: str
    error: str

    def change(self, run: Run) -> dict[str, Any]:
        return {"failed": (*run.failed, f"{self.summary}: {self.error}")}


class OutcomeRecorded(RunEvent):
    type = "run.outcome-recorded"
    outcome: Outcome

    def change(self, run: Run) -> dict[str, Any]:
        return {"outcomes": (*run.outcomes, self.outcome)}


class AlertLevel(StrEnum):
    INFO = "info"
    WARNING = "warning"
    URGENT = "urgent"


class Alert(Value):
    """Something the operator should know. Repeats fold into one by ``key``."""

    key: Name
    level: AlertLevel
    text: str
    what_to_do: str = ""
    run_id: str = ""
    at: Moment
    times: int = 1
    open: bool = True


class AlertRaised(EventData):
    type = "alert.raised"
    entity = Alert
    alert: Alert

    @property
    def stream(self) -> str:
        return f"alert/{self.alert.key}"

    def fold(self, state: Alert | None) -> Alert:
        return self.alert.model_copy(update={"times": state.times + 1 if state and state.open else 1})

    def wakes(self, before: Alert | None, after: Alert) -> Wake | None:
        """A repeat that is no worse than before calls nobody."""
        told = before is not None and before.open and before.level is after.level
        return None if told else Wake(topic=Topic.ATTENTION, key="alert")


class AlertClosed(EventData):
    type = "alert.closed"
    entity = Alert
    key: Name
    by: str

    @property
    def stream(self) -> str:
        return f"alert/{self.key}"

    def fold(self, state: Alert | None) -> Alert:
        alert: Alert = existing(state, self.stream)
        return alert.model_copy(update={"open": False})


class Lesson(Value):
    """What a correction teaches: shown in the context packs of later cases of the same ``topic``."""

    lesson_id: Name
    topic: Name  # an intent, a supplier, a content topic
    text: Text
    source: str  # the approval or ticket it comes from
    at: Moment


class LessonLearned(EventData):
    type = "lesson.learned"
    entity = Lesson
    lesson: Lesson

    @property
    def stream(self) -> str:
        return f"lesson/{self.lesson.lesson_id}"

    def fold(self, state: Lesson | None) -> Lesson:
        return self.lesson

    def passages(self, at: Moment) -> tuple[Passage, ...]:
        return (Passage(passage_id=self.stream, text=self.lesson.text, entities=(self.stream,), kind="lesson", at=at),)


class Digest(Value):
    day: str
    text: Text
    at: Moment
    delivered: tuple[str, ...] = ()  # the services that took it


class DigestWritten(EventData):
    type = "digest.written"
    entity = Digest
    digest: Digest

    @property
    def stream(self) -> str:
        return f"digest/{self.digest.day}"

    def fold(self, state: Digest | None) -> Digest:
        """A second page of a day replaces the first; it is not sent again."""
        return self.digest.model_copy(update={"delivered": state.delivered}) if state else self.digest


class DigestDelivered(EventData):
    type = "digest.delivered"
    entity = Digest
    day: Name
    services: tuple[str, ...] = Field(min_length=1)

    @property
    def stream(self) -> str:
        return f"digest/{self.day}"

    def fold(self, state: Digest | None) -> Digest:
        digest: Digest = existing(state, self.stream)
        return digest.model_copy(update={"delivered": tuple(dict.fromkeys((*digest.delivered, *self.services)))})


class Controls(Value):
    """The operator's switches. ``modes`` is keyed ``workflow`` or ``workflow/action-kind``; the narrower key wins."""

    kill_switch: bool = False
    kill_reason: str = ""
    modes: dict[str, Mode] = Field(default_factory=dict)
    bypasses: tuple[Bypass, ...] = ()  # some of them may be over

    def mode_of(self, workflow: str, action_kind: str) -> Mode:
        """Safe by default: no rule means ask."""
        return self.modes.get(f"{workflow}/{action_kind}") or self.modes.get(workflow) or Mode.ASK

    def bypass_of(self, workflow: str, action_kind: str, now: Moment) -> Bypass | None:
        """The bypass that spares the action the question of its mode at ``now``, if there is one."""
        scopes = (f"{workflow}/{action_kind}", workflow)
        return next((b for b in self.bypasses if b.scope in scopes and now < b.until), None)


class ControlEvent(EventData):
    entity = Controls
    by: Name

    @property
    def stream(self) -> str:
        return "controls/self"

    def fold(self, state: Controls | None) -> Controls:
        return (state or Controls()).model_copy(update=self.change(state or Controls()))

    def change(self, controls: Controls) -> dict[str, Any]:
        return {}


class ModeSet(ControlEvent):
    type = "controls.mode-set"
    scope: Name
    mode: Mode

    def change(self, controls: Controls) -> dict[str, Any]:
        return {"modes": {**controls.modes, self.scope: self.mode}}


class KillSwitchSet(ControlEvent):
    type = "controls.kill-switch-set"
    on: bool
    reason: str = ""

    def change(self, controls: Controls) -> dict[str, Any]:
        return {"kill_switch": self.on, "kill_reason": self.reason}


class BreakerReset(ControlEvent):
    """The operator let effects through again. Breakers live beside the ledger, so that no switch changes by it."""

    type = "controls.breaker-reset"
    connector: Name
    action_kind: Name
    failures: int
