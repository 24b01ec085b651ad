"""Inputs and outputs of activities: one model in, one model out. ``now`` is the workflow's clock."""

from enum import StrEnum

from pydantic import Field

from agents.support_planner import SupportPlan
from domain.approvals import Approval, Decision, Via
from domain.decisions import GateOutcome, Planned, Proposal
from domain.entities import ContentMetrics
from domain.experiments import Ending
from domain.model import Moment, Name, Value
from domain.policies import SupportPolicy
from domain.runs import AlertLevel


class ProposeInput(Value):
    """``edited`` is the approval that the operator answered with another action; ``anew`` asks again and says why."""

    run_id: Name
    workflow: Name
    planned: Planned
    now: Moment
    round: int = 0
    edited: str = ""
    anew: str = ""
    replaces: Proposal | None = None


class Proposed(Value):
    """``approval`` is there when the gate asks."""

    proposal: Proposal
    approval: Approval | None = None

    @property
    def outcome(self) -> GateOutcome:
        return self.proposal.gate.outcome


class DecisionNote(Value):
    """``undone`` is the id of the decision that an undo takes back."""

    approval_id: Name
    decision: Decision
    undone: str = ""
    now: Moment


class RefusedDecisionNote(Value):
    approval_id: Name
    by: str
    reason: str
    via: Via | None = None
    key: str
    now: Moment


class ReminderNote(Value):
    approval: Approval
    number: int
    escalation: bool
    now: Moment


class EndNote(Value):
    approval_id: Name
    status: Name
    reason: str
    by: str = ""
    now: Moment


class CarryOutInput(Value):
    proposal: Proposal
    approval_id: str = ""
    now: Moment


class ResultKind(StrEnum):
    COMMITTED = "committed"
    SUGGESTED = "suggested"
    REFUSED = "refused"  # by the gate, a bound, a breaker or the kill switch
    REJECTED = "rejected"  # by the operator
    EXPIRED = "expired"
    STALE = "stale"
    OUTDATED = "outdated"  # what it was planned from moved: it is to be planned again
    FAILED = "failed"
    UNKNOWN = "unknown"
    IMPOSSIBLE = "impossible"  # nothing undoes it
    INTERRUPTED = "interrupted"  # something newer made the question moot


class ActionResult(Value):
    """How an action ended. ``key`` names its effect, where it came to one."""

    kind: ResultKind
    summary: str
    key: str = ""
    detail: str = ""

    @property
    def committed(self) -> bool:
        return self.kind is ResultKind.COMMITTED


class EffectInput(Value):
    key: Name
    now: Moment


class SettleInput(Value):
    """The operator's word on an effect whose fate the outside system could not tell."""

    key: Name
    happened: bool
    by: Name
    now: Moment


class RevertInput(EffectInput):
    """``key`` is the run; ``everything`` that was ever done under its id, or only what it did since it last began."""

    everything: bool = False


class RevertPlan(Value):
    """Keys of committed effects, newest first; ``unsettled`` are those whose fate has to be found out before."""

    keys: tuple[str, ...]
    unsettled: tuple[str, ...] = ()


class RunInput(Value):
    run_id: Name
    workflow: Name
    now: Moment


class FinishInput(Value):
    run_id: Name
    status: Name
    result: str
    now: Moment


class RevertedInput(Value):
    run_id: Name
    by: Name
    compensated: tuple[str, ...]
    impossible: tuple[str, ...]
    everything: bool = False
    now: Moment


class AlertInput(Value):
    key: Name
    level: AlertLevel
    text: str
    what_to_do: str = ""
    run_id: str = ""
    now: Moment


class OutcomeInput(Value):
    run_id: Name
    metric: Name
    value: float
    now: Moment


class TicketInput(Value):
    run_id: Name
    ticket_id: Name
    now: Moment
    turn: int = 1


class TurnPlan(Value):
    """What to do about the ticket's newest message, and the policy the waiting goes by.

    ``first_message_at`` is when the first one was written, or came in where that is later.
    """

    plan: SupportPlan | None  # None where nothing is unanswered
    policy: SupportPolicy
    first_message_at: Moment
    unanswered: int
    newest: str | None = None  # the id of the newest message it answers, empty where there is none; None: not said


class CloseInput(Value):
    """``newest`` as the plan has it: what came after it is not closed away unanswered."""

    run_id: Name
    ticket_id: Name
    reason: str
    labels: tuple[str, ...] = ()
    newest: str | None = None
    now: Moment


class HandOverInput(Value):
    """``newest`` as the plan has it: what came after it is planned before anything is handed over."""

    run_id: Name
    ticket_id: Name
    reason: str
    newest: str | None = None
    now: Moment


class FollowUp(Value):
    planned: Planned | None


class PlanStockInput(Value):
    run_id: Name
    suppliers: tuple[str, ...] = ()
    deciding: tuple[str, ...] = ()  # suppliers whose order of this run is still on its way out
    now: Moment


class StockPlanned(Value):
    planned: tuple[Planned, ...]
    postponed: bool = False  # an order was left out because an earlier one of this very run still waits for a decision
    notes: tuple[str, ...] = ()


class DeliveryInput(Value):
    run_id: Name
    purchase_order_ids: tuple[str, ...]
    now: Moment


class Deliveries(Value):
    """Which orders are still open, and when to look again."""

    open: tuple[str, ...] = ()
    look_again_at: Moment | None = None


class ContentTopic(Value):
    """A page worth writing; ``payload`` is the content planner's own description of it."""

    slug: Name
    payload: str
    reason: str


class TopicsInput(Value):
    now: Moment


class Topics(Value):
    topics: tuple[ContentTopic, ...]


class WriteInput(Value):
    run_id: Name
    topic: ContentTopic
    now: Moment


class Written(Value):
    """``planned`` is None where the draft did not pass its audits; ``findings`` say why."""

    planned: Planned | None
    findings: tuple[str, ...] = ()
    measure_after_days: float


class MeasureInput(Value):
    run_id: Name
    slug: Name
    now: Moment


class Measured(Value):
    metrics: tuple[ContentMetrics, ...] = ()
    planned: Planned | None = None


class LearnInput(Value):
    """``refused``: what the step before did not propose, and why."""

    day: Name
    run_id: Name
    now: Moment
    refused: tuple[str, ...] = ()


class Learned(Value):
    """How many things a step of the learning cycle brought, and what it says of them."""

    count: int = 0
    text: str = ""
    refused: tuple[str, ...] = ()


class JudgeInput(Value):
    experiment_id: Name
    now: Moment


class Judged(Value):
    """Where a rollout stands. ``look_again_at`` is when something is due even without news."""

    running: bool
    ending: Ending | None = None
    text: str
    look_again_at: Moment | None = None


class DigestInput(Value):
    day: str
    now: Moment


class DigestText(Value):
    text: str = Field(default="")
