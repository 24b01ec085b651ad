"""Records of what was asked, answered, refused and let lapse."""

from temporalio import activity

from activities.licensing import Licensing
from activities.measuring import Measurer
from activities.steps import DecisionNote, EndNote, RefusedDecisionNote, ReminderNote
from agents.learner import Learner
from domain import gate
from domain.actions import SendReply
from domain.approvals import (
    Approval,
    ApprovalDecisionRefused,
    ApprovalEnded,
    ApprovalReminded,
    ApprovalRequested,
    ApprovalStatus,
    Verb,
    decision_event,
)
from domain.autonomy import class_of
from domain.event import EventData, new_event
from domain.labels import LabelGiven
from domain.model import Moment
from domain.ports import EventLog, State
from domain.runs import Alert, AlertClosed, AlertLevel, AlertRaised, LessonLearned, Run

_SEVERE = "severe"
"""A rejection whose reason begins so says that doing it would have done real harm."""


class ApprovalActivities:
    """Every note is idempotent by its natural key, so that a repeated step writes nothing twice."""

    def __init__(self, *, log: EventLog, state: State, learner: Learner, licensing: Licensing, measurer: Measurer) -> None:
        self._log = log
        self._state = state
        self._learner = learner
        self._licensing = licensing
        self._measurer = measurer

    @activity.defn
    async def request_approval(self, approval: Approval) -> None:
        await self._append(
            ApprovalRequested(approval=approval), approval.requested_at, approval.approval_id, run=approval.proposal.run_id
        )

    @activity.defn
    async def record_decision(self, note: DecisionNote) -> None:
        """The decision or its undoing, and what it teaches; what is held teaches once it stands."""
        data = decision_event(note.decision, undone=note.undone, at=note.now)
        approval = await self._state.get(Approval, note.approval_id)
        run = approval.proposal.run_id if approval else ""
        await self._append(data, note.now, note.approval_id, note.decision.decision_id, actor=note.decision.by, run=run)
        if note.decision.verb not in (Verb.SNOOZE, Verb.UNDO) and not note.decision.is_held:
            await self._conclude(note)

    @activity.defn
    async def conclude_decision(self, note: DecisionNote) -> None:
        """What was held stands now."""
        await self._conclude(note)

    async def _conclude(self, note: DecisionNote) -> None:
        approval = await self._state.get(Approval, note.approval_id)
        if approval is None:
            return
        await self._close_alert(note.approval_id, by=note.decision.by, at=note.now)
        await self._correct(approval, note)
        await self._review(approval, note)
        await self._learn(approval, note)

    @activity.defn
    async def record_refused_decision(self, note: RefusedDecisionNote) -> None:
        data = ApprovalDecisionRefused(approval_id=note.approval_id, by=note.by, reason=note.reason, via=note.via)
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
        """What is answered already stays answered."""
        approval = await self._state.get(Approval, note.approval_id)
        if approval is None or approval.can_end(note.now):
            status = ApprovalStatus(note.status)
            data = ApprovalEnded(approval_id=note.approval_id, status=status, at=note.now, reason=note.reason, by=note.by)
            await self._append(data, note.now, note.approval_id)
        await self._close_alert(note.approval_id, by=note.by or "steward", at=note.now)

    async def _close_alert(self, approval_id: str, *, by: str, at: Moment) -> None:
        """What was escalated is settled with its question."""
        key = f"approval/{approval_id}"
        alert = await self._state.get(Alert, key)
        if alert is not None and alert.open:
            await self._append(AlertClosed(key=key, by=by), at, key, str(alert.at))

    async def _learn(self, approval: Approval, note: DecisionNote) -> None:
        """What the decided approval teaches: a lesson, a corrected intent, a label for triage."""
        if lesson := await self._learner.lesson_from(approval):
            await self._append(LessonLearned(lesson=lesson), note.now, lesson.lesson_id, actor="learner")
        if relabelled := await self._learner.relabel_from(approval):
            await self._append(relabelled, note.now, note.decision.decision_id, actor=note.decision.by)
        if label := await self._learner.label_from(approval):
            await self._append(LabelGiven(label=label), note.now, note.decision.decision_id, actor=note.decision.by)

    async def _correct(self, approval: Approval, note: DecisionNote) -> None:
        """A correction is known as soon as it stands: the run's end may come after a missing result counts as a good one."""
        relabelled = await self._learner.relabel_from(approval) is not None
        run = await self._state.get(Run, approval.proposal.run_id)
        if run is None or run.measured("corrected") or not (note.decision.verb in (Verb.EDIT, Verb.REJECT) or relabelled):
            return
        occurrence = f"corrected/{note.decision.decision_id}"
        await self._measurer.measured(run_id=run.run_id, metric="corrected", value=1.0, now=note.now, occurrence=occurrence)

    async def _review(self, approval: Approval, note: DecisionNote) -> None:
        """The decision counts for the action's class: for what its members would do alone.

        What is asked out of a doubt (for want of confidence, by the planner's wish, held by the auditor) says nothing about
        that, unless it is severe. A reply that the operator was asked to write was no proposal.
        """
        proposal, decision = approval.proposal, note.decision
        if isinstance(proposal.action, SendReply) and proposal.action.unwritten:
            return
        severe = decision.verb is Verb.REJECT and decision.reason.lower().startswith(_SEVERE)
        if gate.doubts(proposal.gate) and not severe:
            return
        await self._licensing.reviewed(
            class_of(proposal.workflow, proposal.action, proposal.why.topic),
            ref=f"{approval.approval_id}/{decision.decision_id}"[:200],
            corrected=decision.verb is not Verb.APPROVE,
            severe=severe,
            now=note.now,
        )

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
