"""Records of what was asked, answered, refused and let lapse."""

from temporalio import activity

from activities.steps import DecisionNote, EndNote, RefusedDecisionNote, ReminderNote
from agents.learner import Learner
from domain.approvals import (
    Approval,
    ApprovalDecided,
    ApprovalDecisionRefused,
    ApprovalEnded,
    ApprovalReminded,
    ApprovalRequested,
    ApprovalStatus,
    Verb,
)
from domain.event import EventData, new_event
from domain.model import Moment
from domain.ports import EventLog, State
from domain.runs import Alert, AlertLevel, AlertRaised, LessonLearned


class ApprovalActivities:
    """Every note is idempotent by its natural key, so that a repeated step writes nothing twice."""

    def __init__(self, *, log: EventLog, state: State, learner: Learner) -> None:
        self._log = log
        self._state = state
        self._learner = learner

    @activity.defn
    async def request_approval(self, approval: Approval) -> None:
        await self._append(
            ApprovalRequested(approval=approval), approval.requested_at, approval.approval_id, run=approval.proposal.run_id
        )

    @activity.defn
    async def record_decision(self, note: DecisionNote) -> None:
        """The decision, and what it teaches."""
        data = ApprovalDecided(approval_id=note.approval_id, decision=note.decision, at=note.now)
        await self._append(data, note.now, note.approval_id, note.decision.decision_id, actor=note.decision.by)
        if note.decision.verb in (Verb.EDIT, Verb.REJECT):
            await self._learn(note)

    @activity.defn
    async def record_refused_decision(self, note: RefusedDecisionNote) -> None:
        data = ApprovalDecisionRefused(approval_id=note.approval_id, by=note.by, reason=note.reason)
        await self._append(data, note.now, note.approval_id, note.key)

    @activity.defn
    async def remind(self, note: ReminderNote) -> None:
        """A nudge in the inbox; an escalation is an urgent alert."""
        approval_id = note.approval.approval_id
        data = ApprovalReminded(approval_id=approval_id, escalation=note.escalation)
        await self._append(data, note.now, approval_id, str(note.number))
        if note.escalation:
            await self._append(AlertRaised(alert=_escalation(note)), note.now, approval_id)

    @activity.defn
    async def end_approval(self, note: EndNote) -> None:
        data = ApprovalEnded(approval_id=note.approval_id, status=ApprovalStatus(note.status), at=note.now, reason=note.reason)
        await self._append(data, note.now, note.approval_id)

    async def _learn(self, note: DecisionNote) -> None:
        approval = await self._state.get(Approval, note.approval_id)
        if approval is None:
            return
        if lesson := await self._learner.lesson_from(approval):
            await self._append(LessonLearned(lesson=lesson), note.now, lesson.lesson_id, actor="learner")
        if relabelled := await self._learner.relabel_from(approval):
            await self._append(relabelled, note.now, note.decision.decision_id, actor=note.decision.by)

    async def _append(self, data: EventData, at: Moment, *key: str, actor: str = "steward", run: str = "") -> None:
        await self._log.append([new_event(data, at=at, key=key, actor=actor, correlation_id=run)])


def _escalation(note: ReminderNote) -> Alert:
    approval = note.approval
    lapses = f"without an answer it is taken as {approval.on_expiry!r} on {approval.expires_at:%d %b %H:%M} UTC"
    return Alert(
        key=f"approval/{approval.approval_id}",
        level=AlertLevel.URGENT,
        text=f"waiting since {approval.requested_at:%d %b %H:%M} UTC: {approval.proposal.action.summary()}",
        what_to_do=f"`steward show {approval.approval_id[:8]}`; {lapses}",
        run_id=approval.proposal.run_id,
        at=note.now,
    )
