"""Approvals: what was asked, who may answer, and what became of it. Whether an answer counts, ``domain.judging`` says."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any

from pydantic import Field

from domain.actions import Action, OnExpiry, Risk, SendReply
from domain.decisions import Proposal
from domain.event import EventData, Topic, Wake, existing
from domain.model import Moment, Name, Value

_REMEMBERED = 50  # decisions a question knows again


class Verb(StrEnum):
    APPROVE = "approve"
    EDIT = "edit"
    REJECT = "reject"
    SNOOZE = "snooze"
    UNDO = "undo"  # takes back an approval or an edit that is held


class Via(StrEnum):
    """The door a decision came through. Every one of them leads to the same checks and the same record."""

    CLI = "cli"
    CONSOLE = "console"
    API = "api"
    MAIL_LINK = "mail-link"
    MCP = "mcp"
    WEB_UI_SIGNAL = "web-ui-signal"  # the raw signal of the Temporal Web UI, or of a script


class ApprovalStatus(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    EDITED = "edited"  # answered with another action, which is asked or done on its own
    REJECTED = "rejected"
    EXPIRED = "expired"
    STALE = "stale"  # what was shown moved; a new approval replaces it
    WITHDRAWN = "withdrawn"  # the run ended or was cancelled before an answer


_HOLDABLE = (ApprovalStatus.APPROVED, ApprovalStatus.EDITED)


class Decision(Value):
    """An answer. ``digest`` repeats what the decider was shown; ``decision_id`` makes repeating it harmless."""

    decision_id: Name
    approval_id: Name
    verb: Verb
    digest: str
    by: Name
    via: Via | None = None  # None where it was not said
    reason: str = Field(default="", max_length=2_000)
    action: Action | None = None  # with edit
    snooze_until: Moment | None = None  # with snooze
    hold_seconds: int = Field(default=0, ge=0, le=60)  # so long an approval or an edit can be taken back

    @property
    def is_held(self) -> bool:
        """Whether nothing happens for a while, so that it can be taken back."""
        return self.hold_seconds > 0 and self.verb in (Verb.APPROVE, Verb.EDIT)


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
    held_until: Moment | None = None  # until then what was approved is not begun, and can be taken back
    decision_ids: tuple[str, ...] = ()  # of every decision that counted, snoozes and undos too

    def is_held(self, now: Moment) -> bool:
        """Whether it is decided, and can still be taken back."""
        return self.status in _HOLDABLE and self.held_until is not None and now < self.held_until

    def can_end(self, now: Moment) -> bool:
        """Whether it can still end without an answer."""
        return self.status is ApprovalStatus.PENDING or self.is_held(now)


def default_on_expiry(proposal: Proposal, chosen: Mapping[str, OnExpiry], *, anew: str = "") -> OnExpiry:
    """What silence means for ``proposal``: as ``chosen`` for its kind of action, else as its type declares.

    Silence is never a yes to money or stock, to what the auditor holds, to what a planner wants looked at, to a reply
    nobody wrote, or to what is asked again because it could not be done or moved (``anew`` says so).
    """
    action, why = proposal.action, proposal.why
    unwritten = isinstance(action, SendReply) and action.unwritten
    if action.risk >= Risk.R2 or not proposal.verdict.passed or why.force_ask or unwritten or anew:
        return "reject"
    return chosen.get(action.kind, action.spec.on_expiry)


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
        counted = {"decision_ids": (*approval.decision_ids, self.decision.decision_id)[-_REMEMBERED:]}
        if self.decision.verb is Verb.SNOOZE:
            return {**counted, "snoozed_until": self.decision.snooze_until}
        status = {Verb.APPROVE: ApprovalStatus.APPROVED, Verb.EDIT: ApprovalStatus.EDITED, Verb.REJECT: ApprovalStatus.REJECTED}
        return {
            **counted,
            "status": status[self.decision.verb],
            "decided_by": self.decision.by,
            "decided_at": self.at,
            "decision": self.decision,
            "held_until": self.at + timedelta(seconds=self.decision.hold_seconds) if self.decision.is_held else None,
        }


class ApprovalTakenBack(_ApprovalEvent):
    """A held decision was taken back before anything was begun: it waits again, and silence is not a yes to it any more."""

    type = "approval.taken-back"
    decision_id: Name  # of the undo
    undone: Name  # the decision that does not count any more
    by: Name
    via: Via | None = None
    reason: str = ""
    at: Moment

    def change(self, approval: Approval) -> dict[str, Any]:
        counted = {"decision_ids": (*approval.decision_ids, self.decision_id)[-_REMEMBERED:]}
        if approval.status not in _HOLDABLE:  # its run ended meanwhile
            return counted
        nobody = {"decided_by": "", "decided_at": None, "decision": None, "held_until": None}
        return {**counted, **nobody, "status": ApprovalStatus.PENDING, "on_expiry": "reject"}

    def wakes(self, before: Approval | None, after: Approval) -> Wake:
        return Wake(topic=Topic.ATTENTION, key="approval")


def decision_event(decision: Decision, *, undone: str, at: Moment) -> ApprovalDecided | ApprovalTakenBack:
    """The event of a decision that counts; ``undone`` is the id of the one that an undo takes back."""
    if decision.verb is not Verb.UNDO:
        return ApprovalDecided(approval_id=decision.approval_id, decision=decision, at=at)
    return ApprovalTakenBack(
        approval_id=decision.approval_id,
        decision_id=decision.decision_id,
        undone=undone,
        by=decision.by,
        via=decision.via,
        reason=decision.reason,
        at=at,
    )


class ApprovalDecisionRefused(_ApprovalEvent):
    """A decision that did not count, kept for the audit trail."""

    type = "approval.decision-refused"
    by: str
    reason: str
    via: Via | None = None

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
    """It ended without a decision: expired, stale, withdrawn, or approved ``by`` expiry where that is its default.

    What was decided stays decided, unless it is held: then nothing was begun.
    """

    type = "approval.ended"
    status: ApprovalStatus
    at: Moment
    reason: str = ""
    by: str = ""

    def change(self, approval: Approval) -> dict[str, Any]:
        if not approval.can_end(self.at):
            return {}
        return {"status": self.status, "decided_at": self.at, "decided_by": self.by}


def outside_quiet_hours(moment: Moment, *, start_hour: int, end_hour: int) -> Moment:
    """``moment``, or the end of the quiet hours it falls into (hours of the day in ``moment``'s zone; start may exceed end)."""
    hour = moment.hour
    quiet = start_hour <= hour < end_hour if start_hour <= end_hour else hour >= start_hour or hour < end_hour
    if not quiet or start_hour == end_hour:
        return moment
    end = moment.replace(hour=end_hour, minute=0, second=0, microsecond=0)
    return end if end > moment else end + timedelta(days=1)
