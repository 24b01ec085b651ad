"""Questions to the operator: asked, nudged, answered through one rule, or ended without an answer."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.approvals import ApprovalActivities
    from activities.steps import DecisionNote, EndNote, RefusedDecisionNote, ReminderNote
    from domain.approvals import Approval, ApprovalStatus, Decision, Verb, Via, decision_event
    from domain.errors import DecisionRefused
    from domain.judging import judge
    from domain.model import Value
    from workflows import options
    from workflows.shielding import shielded


EXPIRY = "expiry"
"""Who decided where nobody did."""
_DECIDED = {
    Verb.APPROVE: ApprovalStatus.APPROVED,
    Verb.EDIT: ApprovalStatus.EDITED,
    Verb.REJECT: ApprovalStatus.REJECTED,
}


class Answer(Value):
    """How a question ended: a decision, or the lack of one."""

    status: ApprovalStatus
    decision: Decision | None = None


class Pending:
    """A question that waits, or whose answer is held.

    ``taking`` says what is being recorded right now: a decision's id, or how it ends. ``held`` is an answer that can
    still be taken back; it becomes the answer when the time for that is over.
    """

    def __init__(self, approval: Approval) -> None:
        self.approval = approval
        self.taking = ""
        self.answer: Answer | None = None
        self.held: Answer | None = None
        self.wake_at: datetime | None = None  # the end of a snooze
        self.nudges = 0
        self.changed = False

    @property
    def answered(self) -> bool:
        return self.answer is not None or self.held is not None


class Questions:
    """The questions of one run. ``changed`` is told when one opens or closes."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self.pending: dict[str, Pending] = {}
        self.decided: dict[str, str] = {}

    async def ask(self, approval: Approval, *, moot: Callable[[], bool]) -> Answer:
        """Ask, and wait for the answer or the end of it. ``moot`` withdraws the question when something newer arrived.

        No ``finally`` here: a run that the worker lets go of is collected as garbage, maybe while another run is at
        work in this thread, and what a ``finally`` shows then would become a command of that other run.
        """
        pending = Pending(approval)
        self.pending[approval.approval_id] = pending
        try:
            await workflow.execute_activity_method(
                ApprovalActivities.request_approval, approval, summary="ask the operator", **options.RECORD
            )
            self._changed()
            answer = await self._answer(pending, moot)
        except (Exception, asyncio.CancelledError):
            await shielded(self._end(pending, ApprovalStatus.WITHDRAWN, "the run ended"))
            self._close(approval)
            raise
        self._close(approval)
        return answer

    def _close(self, approval: Approval) -> None:
        del self.pending[approval.approval_id]
        self._changed()

    async def _answer(self, pending: Pending, moot: Callable[[], bool]) -> Answer:
        """Wait for a decision, nudging on time, until the approval expires."""
        while True:
            nudge_at = self._next_nudge(pending)
            patience = max(nudge_at - workflow.now(), timedelta(0))
            pending.changed = False
            try:
                await workflow.wait_condition(
                    lambda: pending.answered or pending.changed or (moot() and not pending.taking),
                    timeout=patience,
                    timeout_summary="until the next nudge",
                )
            except TimeoutError:
                if await self._nudge(pending):
                    return await self._lapse(pending)
            if pending.held is not None:
                await self._hold(pending)
            if pending.answer is not None:
                return pending.answer
            if moot() and not pending.taking:
                return await self._end(pending, ApprovalStatus.WITHDRAWN, "something newer arrived")

    async def _hold(self, pending: Pending) -> None:
        """Wait until the held answer is taken back, or the time for that is over: then it counts, and teaches."""
        self._changed()
        until = pending.approval.held_until or workflow.now()
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: pending.held is None,
                timeout=max(until - workflow.now(), timedelta(0)),
                timeout_summary="until it cannot be taken back any more",
            )
        await workflow.wait_condition(lambda: not pending.taking)
        if pending.held is None:
            self._changed()
            return
        pending.answer, pending.held = pending.held, None
        if pending.answer.decision is not None:
            note = DecisionNote(approval_id=pending.approval.approval_id, decision=pending.answer.decision, now=workflow.now())
            await workflow.execute_activity_method(
                ApprovalActivities.conclude_decision, note, summary="it stands", **options.RECORD
            )

    def _next_nudge(self, pending: Pending) -> datetime:
        """Reminder, escalation, expiry, in this order; a snooze puts the nudges off, never the expiry."""
        approval = pending.approval
        moments = (approval.remind_at, approval.escalate_at, approval.expires_at)
        moment = moments[min(pending.nudges, 2)]
        if pending.wake_at is not None:
            moment = max(moment, pending.wake_at)
        return min(moment, approval.expires_at)

    async def _nudge(self, pending: Pending) -> bool:
        """True where the approval has expired."""
        if workflow.now() >= pending.approval.expires_at:
            await workflow.wait_condition(lambda: not pending.taking)
            return not pending.answered
        pending.nudges += 1
        note = ReminderNote(approval=pending.approval, number=pending.nudges, escalation=pending.nudges > 1, now=workflow.now())
        await workflow.execute_activity_method(ApprovalActivities.remind, note, summary="remind", **options.RECORD)
        return False

    async def _lapse(self, pending: Pending) -> Answer:
        """Nobody decided in time: what its default says."""
        if pending.approval.on_expiry == "approve":
            return await self._end(pending, ApprovalStatus.APPROVED, "nobody objected in time", by=EXPIRY)
        return await self._end(pending, ApprovalStatus.EXPIRED, "nobody decided in time")

    async def _end(self, pending: Pending, status: ApprovalStatus, reason: str, *, by: str = "") -> Answer:
        pending.taking = f"{status}: {reason}"
        note = EndNote(approval_id=pending.approval.approval_id, status=status, reason=reason, by=by, now=workflow.now())
        await workflow.execute_activity_method(
            ApprovalActivities.end_approval, note, summary=f"{status}: {reason}", **options.RECORD
        )
        return Answer(status=status)

    def check(self, decision: Decision) -> None:
        """Whether the decision counts now. Raises DecisionRefused."""
        if self.decided.get(decision.decision_id) == decision.approval_id:
            return
        pending = self.pending.get(decision.approval_id)
        if pending is None:
            raise DecisionRefused("nothing waits under this id", hint="see `steward inbox`")
        if pending.taking and pending.taking != decision.decision_id:
            raise DecisionRefused("another decision is being recorded", hint="look again in a moment")
        judge(pending.approval, decision, workflow.now())

    async def take(self, decision: Decision) -> str:
        """Record a decision that counts and let the run go on. Repeating it changes nothing."""
        if self.decided.get(decision.decision_id) == decision.approval_id:
            return f"already recorded: {decision.verb}"
        pending = self.pending[decision.approval_id]
        pending.taking = decision.decision_id
        undone = pending.held.decision.decision_id if pending.held and pending.held.decision else ""
        note = DecisionNote(approval_id=decision.approval_id, decision=decision, undone=undone, now=workflow.now())
        try:
            await workflow.execute_activity_method(
                ApprovalActivities.record_decision, note, summary=f"{decision.verb} by {decision.by}", **options.RECORD
            )
        finally:
            pending.taking = ""
        self.decided[decision.decision_id] = decision.approval_id
        return self._apply(pending, note)

    def _apply(self, pending: Pending, note: DecisionNote) -> str:
        """What is recorded, as the run goes on with it."""
        decision = note.decision
        pending.approval = decision_event(decision, undone=note.undone, at=note.now).fold(pending.approval)
        match decision.verb:
            case Verb.SNOOZE:
                pending.wake_at = decision.snooze_until
                pending.changed = True
            case Verb.UNDO:
                pending.held = None
            case verb if decision.is_held:
                pending.held = Answer(status=_DECIDED[verb], decision=decision)
                return f"recorded: {verb}; it can be taken back for {decision.hold_seconds} s"
            case verb:
                pending.answer = Answer(status=_DECIDED[verb], decision=decision)
        return f"recorded: {decision.verb}"

    async def refuse(self, raw: dict[str, Any], reason: str) -> None:
        """Keep a signal that did not count: nobody waits for an answer to it."""
        approval_id = str(raw.get("approval_id", ""))
        if approval_id not in self.pending:
            workflow.logger.warning("refused a decision: %s", reason)
            return
        by, why = _printable(raw.get("by", "unknown"))[:100], _printable(reason)[:500]
        key = str(workflow.uuid4())
        note = RefusedDecisionNote(approval_id=approval_id, by=by, reason=why, via=Via.WEB_UI_SIGNAL, key=key, now=workflow.now())
        await workflow.execute_activity_method(
            ApprovalActivities.record_refused_decision, note, summary="a decision that does not count", **options.RECORD
        )


def _printable(text: Any) -> str:
    """What strangers sent, without what cannot be stored or shown."""
    return "".join(c if c.isprintable() else " " for c in str(text))
