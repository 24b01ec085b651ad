"""Approvals: what was asked, who may answer, and the one rule that says whether an answer counts."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any

from pydantic import Field

from domain.actions import Action, OnExpiry, Risk, SendReply
from domain.decisions import Proposal
from domain.errors import DecisionRefused
from domain.event import EventData, Topic, Wake, existing
from domain.model import Moment, Name, Value


class Verb(StrEnum):
    APPROVE = "approve"
    EDIT = "edit"
    REJECT = "reject"
    SNOOZE = "snooze"


class ApprovalStatus(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    EDITED = "edited"  # answered with another action, which is asked or done on its own
    REJECTED = "rejected"
    EXPIRED = "expired"
    STALE = "stale"  # what was shown moved; a new approval replaces it
    WITHDRAWN = "withdrawn"  # the run ended or was cancelled before an answer


class Decision(Value):
    """An answer. ``digest`` repeats what the decider was shown; ``decision_id`` makes repeating it harmless."""

    decision_id: Name
    approval_id: Name
    verb: Verb
    digest: str
    by: Name
    reason: str = Field(default="", max_length=2_000)
    action: Action | None = None  # with edit
    snooze_until: Moment | None = None  # with snooze


class Approval(Value):
    approval_id: Name
    proposal: Proposal
    deciders: tuple[str, ...]
    requested_at: Moment
    remind_at: Moment
    escalate_at: Moment
    expires_at: Moment
    on_expiry: OnExpiry = "reject"
    replaces: str = ""  # the approval this one was asked anew for, and what moved
    moved: tuple[str, ...] = ()
    status: ApprovalStatus = ApprovalStatus.PENDING
    snoozed_until: Moment | None = None
    reminders: int = 0
    escalated: bool = False
    refused: tuple[str, ...] = ()
    decided_by: str = ""
    decided_at: Moment | None = None
    decision: Decision | None = None


def default_on_expiry(proposal: Proposal, chosen: Mapping[str, OnExpiry], *, anew: str = "") -> OnExpiry:
    """What silence means for ``proposal``: as ``chosen`` for its kind of action, else as its type declares.

    Silence is never a yes to money or stock, to what the auditor holds, to what a planner wants looked at, to a reply
    nobody wrote, or to what is asked again because it could not be done or moved (``anew`` says so).
    """
    action, why = proposal.action, proposal.why
    unwritten = isinstance(action, SendReply) and not action.body.strip()
    if action.spec.risk >= Risk.R2 or not proposal.verdict.passed or why.force_ask or unwritten or anew:
        return "reject"
    return chosen.get(action.kind, action.spec.on_expiry)


def judge(approval: Approval, decision: Decision, now: Moment) -> None:
    """Whether ``decision`` counts for ``approval`` at ``now``.

    Raises DecisionRefused with the reason. Every door (update, signal, CLI, console) ends here.
    """
    pending = approval.proposal
    if approval.status is not ApprovalStatus.PENDING:
        raise DecisionRefused(f"approval {approval.approval_id} is already {approval.status}", hint="see `steward inbox`")
    if decision.by not in approval.deciders:
        raise DecisionRefused(f"{decision.by} may not decide this", hint=f"it is for {', '.join(approval.deciders)}")
    if decision.digest != pending.digest:
        raise DecisionRefused("the proposal changed since it was shown", hint="look at it again, then decide")
    if now >= approval.expires_at:
        raise DecisionRefused(f"approval {approval.approval_id} expired", hint=f"its default, {approval.on_expiry}, was taken")
    _judge_verb(approval, decision, now)


def _judge_verb(approval: Approval, decision: Decision, now: Moment) -> None:
    action = approval.proposal.action
    match decision.verb:
        case Verb.APPROVE if isinstance(action, SendReply) and not action.body.strip():
            raise DecisionRefused("this reply has no text yet", hint="use edit and write it")
        case Verb.EDIT if decision.action is None:
            raise DecisionRefused("an edit needs the edited action", hint="see `steward show` for its fields")
        case Verb.EDIT if decision.action is not None and (decision.action.kind, decision.action.stream) != (
            action.kind,
            action.stream,
        ):
            raise DecisionRefused("an edit cannot turn an action into another one", hint="reject it and propose the other action")
        case Verb.REJECT if not decision.reason.strip():
            raise DecisionRefused("a rejection needs a reason", hint="it is what Steward learns from")
        case Verb.SNOOZE if decision.snooze_until is None or decision.snooze_until <= now:
            raise DecisionRefused("a snooze needs a time in the future", hint="for example --for 2h")
        case Verb.SNOOZE if decision.snooze_until is not None and decision.snooze_until >= approval.expires_at:
            raise DecisionRefused(
                "a snooze must end before the approval expires", hint=f"it expires {approval.expires_at:%Y-%m-%d %H:%M}"
            )
        case _:
            return


class ApprovalRequested(EventData):
    type = "approval.requested"
    entity = Approval
    approval: Approval

    @property
    def stream(self) -> str:
        return f"approval/{self.approval.approval_id}"

    def fold(self, state: Approval | None) -> Approval:
        return self.approval

    def wakes(self, before: Approval | None, after: Approval) -> Wake:
        return Wake(topic=Topic.ATTENTION, key="approval")


class _ApprovalEvent(EventData):
    entity = Approval
    approval_id: Name

    @property
    def stream(self) -> str:
        return f"approval/{self.approval_id}"

    def fold(self, state: Approval | None) -> Approval:
        approval: Approval = existing(state, self.stream)
        return approval.model_copy(update=self.change(approval))

    def change(self, approval: Approval) -> dict[str, Any]:
        return {}


class ApprovalDecided(_ApprovalEvent):
    type = "approval.decided"
    decision: Decision
    at: Moment

    def change(self, approval: Approval) -> dict[str, Any]:
        if self.decision.verb is Verb.SNOOZE:
            return {"snoozed_until": self.decision.snooze_until}
        status = {Verb.APPROVE: ApprovalStatus.APPROVED, Verb.EDIT: ApprovalStatus.EDITED, Verb.REJECT: ApprovalStatus.REJECTED}
        return {
            "status": status[self.decision.verb],
            "decided_by": self.decision.by,
            "decided_at": self.at,
            "decision": self.decision,
        }


class ApprovalDecisionRefused(_ApprovalEvent):
    """A decision that did not count, kept for the audit trail."""

    type = "approval.decision-refused"
    by: str
    reason: str

    def change(self, approval: Approval) -> dict[str, Any]:
        return {"refused": (*approval.refused, f"{self.by}: {self.reason}")[-20:]}


class ApprovalReminded(_ApprovalEvent):
    type = "approval.reminded"
    escalation: bool = False

    def change(self, approval: Approval) -> dict[str, Any]:
        return {"reminders": approval.reminders + 1, "escalated": approval.escalated or self.escalation}

    def wakes(self, before: Approval | None, after: Approval) -> Wake:
        return Wake(topic=Topic.ATTENTION, key="approval")


class ApprovalEnded(_ApprovalEvent):
    """It ended without a decision: expired, stale, withdrawn, or approved ``by`` expiry where that is its default."""

    type = "approval.ended"
    status: ApprovalStatus
    at: Moment
    reason: str = ""
    by: str = ""

    def change(self, approval: Approval) -> dict[str, Any]:
        return {"status": self.status, "decided_at": self.at, "decided_by": self.by}


def outside_quiet_hours(moment: Moment, *, start_hour: int, end_hour: int) -> Moment:
    """``moment``, or the end of the quiet hours it falls into (hours of the day in ``moment``'s zone; start may exceed end)."""
    hour = moment.hour
    quiet = start_hour <= hour < end_hour if start_hour <= end_hour else hour >= start_hour or hour < end_hour
    if not quiet or start_hour == end_hour:
        return moment
    end = moment.replace(hour=end_hour, minute=0, second=0, microsecond=0)
    return end if end > moment else end + timedelta(days=1)
