"""The one way out: plan -> preview -> audit -> gate -> ask -> reserve -> execute -> record, or back again.

``GovernedAction`` is a run's door to the outside. Business workflows derive from ``GovernedWorkflow``, which owns
one and exposes the operator's decisions as an update (validated before it is accepted), and as a signal with a raw
dict that validates for itself, because a signal whose payload does not decode is dropped in silence.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, CancelledError
from temporalio.workflow import ContinueAsNewError

with workflow.unsafe.imports_passed_through():
    from pydantic import ValidationError

    from activities.actions import ActionActivities
    from activities.approvals import ApprovalActivities
    from activities.runs import RunActivities
    from activities.steps import (
        ActionResult,
        AlertInput,
        CarryOutInput,
        DecisionNote,
        EffectInput,
        EndNote,
        FinishInput,
        Proposed,
        ProposeInput,
        RefusedDecisionNote,
        ReminderNote,
        ResultKind,
        RunInput,
        SettleInput,
    )
    from domain.approvals import Approval, ApprovalStatus, Decision, Verb, judge
    from domain.decisions import GateOutcome, Planned, Proposal
    from domain.effects import effect_key
    from domain.errors import DecisionRefused
    from domain.model import Value
    from domain.runs import AlertLevel
    from workflows import options
    from workflows.search_attributes import WAITING

MAX_ROUNDS = 20
T = TypeVar("T")


class Answer(Value):
    """How a question ended: a decision, or the lack of one."""

    status: ApprovalStatus
    decision: Decision | None = None


class Pending:
    """A question that waits. ``taking`` is the id of the decision being recorded right now."""

    def __init__(self, approval: Approval) -> None:
        self.approval = approval
        self.taking = ""
        self.answer: Answer | None = None
        self.wake_at: datetime | None = None  # the end of a snooze
        self.nudges = 0
        self.changed = False


class GovernedAction:
    """Carries out actions for one run, asks where the gate says so, and knows how to undo what was done."""

    def __init__(self, workflow_name: str) -> None:
        self.workflow_name = workflow_name
        self.pending: dict[str, Pending] = {}
        self.decided: dict[str, str] = {}
        self.settled: dict[str, SettleInput] = {}
        self.results: list[ActionResult] = []
        self.committed: list[str] = []

    # -- forward ----------------------------------------------------------------------------------------------------

    async def act_all(self, plan: Sequence[Planned], *, moot: Callable[[], bool] = lambda: False) -> list[ActionResult]:
        """A saga: steps in order until one is not done. Cancelled or broken in the middle, what it did is undone, newest first."""
        before = len(self.committed)
        done: list[ActionResult] = []
        try:
            for planned in plan:
                done.append(await self.act(planned, moot=moot))
                if not done[-1].committed:
                    break
        except (Exception, asyncio.CancelledError):
            await _shielded(self.undo(tuple(reversed(self.committed[before:]))))
            raise
        return done

    async def act(self, planned: Planned, *, moot: Callable[[], bool] = lambda: False) -> ActionResult:
        """Take one planned action all the way. ``moot`` withdraws a waiting question when something newer arrived."""
        result = await self._act(planned, moot)
        self.results.append(result)
        self.show()
        return result

    async def _act(self, planned: Planned, moot: Callable[[], bool]) -> ActionResult:
        request = self._first_request(planned)
        for _ in range(MAX_ROUNDS):
            try:
                proposed = await self._propose(request)
            except ActivityError as error:
                return _failed(request.planned, error)
            match proposed.outcome:
                case GateOutcome.REFUSE:
                    return _ended(ResultKind.REFUSED, proposed.proposal, "; ".join(proposed.proposal.gate.reasons))
                case GateOutcome.SUGGEST:
                    return _ended(ResultKind.SUGGESTED, proposed.proposal)
                case GateOutcome.ALLOW:
                    approval_id = request.edited
                case GateOutcome.ASK:
                    answer, approval_id = await self._ask(proposed, moot)
                    if answer.status is ApprovalStatus.EDITED and answer.decision and answer.decision.action:
                        request = self._edited_request(request, answer.decision)
                        continue
                    if answer.status is not ApprovalStatus.APPROVED:
                        return _unapproved(answer, proposed.proposal)
            result = await self._carry_out(proposed.proposal, approval_id)
            if result.kind not in (ResultKind.STALE, ResultKind.REFUSED):
                return result
            request = self._request_again(request, proposed, result)
        return ActionResult(kind=ResultKind.FAILED, summary=planned.action.summary(), detail="it changed too often to be decided")

    def _first_request(self, planned: Planned) -> ProposeInput:
        return ProposeInput(run_id=_run_id(), workflow=self.workflow_name, planned=planned, now=workflow.now())

    def _edited_request(self, request: ProposeInput, decision: Decision) -> ProposeInput:
        planned = request.planned.model_copy(update={"action": decision.action})
        update = {"planned": planned, "edited": decision.approval_id, "anew": "", "replaces": None}
        return request.model_copy(update={**update, "now": workflow.now(), "round": request.round + 1})

    def _request_again(self, request: ProposeInput, proposed: Proposed, result: ActionResult) -> ProposeInput:
        """Stale: shown again with what moved, if a human had decided. Refused: kept as a question, so that it is not lost."""
        asked = proposed.outcome is GateOutcome.ASK or bool(request.edited)
        anew = f"it moved since you saw it: {result.detail}" if asked and result.kind is ResultKind.STALE else ""
        if result.kind is ResultKind.REFUSED:
            anew = f"it could not be done: {result.detail}"
        update = {"anew": anew, "edited": "", "replaces": proposed.proposal, "now": workflow.now(), "round": request.round + 1}
        return request.model_copy(update=update)

    async def _propose(self, request: ProposeInput) -> Proposed:
        return await workflow.execute_activity_method(
            ActionActivities.propose, request, summary=f"audit: {request.planned.action.kind}", **options.EFFECT
        )

    async def _carry_out(self, proposal: Proposal, approval_id: str) -> ActionResult:
        """Once begun, an effect is seen through to a known end, even where the run is cancelled meanwhile."""
        result, cancelled = await _seen_through(self._effect(proposal, approval_id))
        if result.committed:
            self.committed.append(result.key)
        if cancelled:
            raise asyncio.CancelledError
        return result

    async def _effect(self, proposal: Proposal, approval_id: str) -> ActionResult:
        request = CarryOutInput(proposal=proposal, approval_id=approval_id, now=workflow.now())
        try:
            result = await workflow.execute_activity_method(
                ActionActivities.carry_out, request, summary=f"do: {proposal.action.kind}", **options.EFFECT
            )
        except ActivityError:  # given up, which says nothing about whether it happened
            key = effect_key(proposal.run_id, proposal.step, proposal.action)
            result = ActionResult(kind=ResultKind.UNKNOWN, summary=proposal.action.summary(), key=key)
        return await self._reconciled(result)

    async def _reconciled(self, result: ActionResult) -> ActionResult:
        """An unknown effect is looked up until the outside system knows; if it never does, the operator says."""
        if result.kind is not ResultKind.UNKNOWN:
            return result
        request = EffectInput(key=result.key, now=workflow.now())
        try:
            found = await workflow.execute_activity_method(
                ActionActivities.reconcile, request, summary="find out what became of it", **options.RECONCILE
            )
        except ActivityError:
            return await self._settled_by_operator(result)
        return found.model_copy(update={"summary": result.summary})

    async def _settled_by_operator(self, result: ActionResult) -> ActionResult:
        what_to_do = f"look in the outside system, then `steward settle {result.key} --happened` or `--not-happened`"
        await self.alert(
            f"unknown/{result.key}", AlertLevel.URGENT, f"nobody knows whether this happened: {result.summary}", what_to_do
        )
        await workflow.wait_condition(lambda: result.key in self.settled)
        return await workflow.execute_activity_method(
            ActionActivities.settle_by_operator, self.settled[result.key], summary="the operator looked", **options.RECORD
        )

    # -- asking -----------------------------------------------------------------------------------------------------

    async def _ask(self, proposed: Proposed, moot: Callable[[], bool]) -> tuple[Answer, str]:
        approval = proposed.approval
        if approval is None:
            raise ApplicationError("the gate asks but gave no approval", non_retryable=True)
        pending = Pending(approval)
        self.pending[approval.approval_id] = pending
        try:
            await workflow.execute_activity_method(
                ApprovalActivities.request_approval, approval, summary="ask the operator", **options.RECORD
            )
            self.show()
            return await self._answer(pending, moot), approval.approval_id
        except asyncio.CancelledError:
            await _shielded(self._end(pending, ApprovalStatus.WITHDRAWN, "the run was cancelled"))
            raise
        finally:
            del self.pending[approval.approval_id]
            self.show()

    async def _answer(self, pending: Pending, moot: Callable[[], bool]) -> Answer:
        """Wait for a decision, nudging on time, until the approval expires."""
        while True:
            nudge_at = self._next_nudge(pending)
            patience = max(nudge_at - workflow.now(), timedelta(0))
            pending.changed = False
            try:
                await workflow.wait_condition(
                    lambda: pending.answer is not None or pending.changed or (moot() and not pending.taking),
                    timeout=patience,
                    timeout_summary="until the next nudge",
                )
            except TimeoutError:
                if await self._nudge(pending):
                    return await self._end(pending, ApprovalStatus.EXPIRED, "nobody decided in time")
            if pending.answer is not None:
                return pending.answer
            if moot() and not pending.taking:
                return await self._end(pending, ApprovalStatus.WITHDRAWN, "something newer arrived")

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
            return pending.answer is None
        pending.nudges += 1
        note = ReminderNote(approval=pending.approval, number=pending.nudges, escalation=pending.nudges > 1, now=workflow.now())
        await workflow.execute_activity_method(ApprovalActivities.remind, note, summary="remind", **options.RECORD)
        return False

    async def _end(self, pending: Pending, status: ApprovalStatus, reason: str) -> Answer:
        note = EndNote(approval_id=pending.approval.approval_id, status=status, reason=reason, now=workflow.now())
        await workflow.execute_activity_method(
            ApprovalActivities.end_approval, note, summary=f"{status}: {reason}", **options.RECORD
        )
        return Answer(status=status)

    # -- the operator's doors ---------------------------------------------------------------------------------------

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
        note = DecisionNote(approval_id=decision.approval_id, decision=decision, now=workflow.now())
        await workflow.execute_activity_method(
            ApprovalActivities.record_decision, note, summary=f"{decision.verb} by {decision.by}", **options.RECORD
        )
        pending.taking = ""
        self.decided[decision.decision_id] = decision.approval_id
        self._apply(pending, decision)
        return f"recorded: {decision.verb}"

    def _apply(self, pending: Pending, decision: Decision) -> None:
        match decision.verb:
            case Verb.SNOOZE:
                pending.wake_at = decision.snooze_until
                pending.changed = True
            case Verb.APPROVE:
                pending.answer = Answer(status=ApprovalStatus.APPROVED, decision=decision)
            case Verb.EDIT:
                pending.answer = Answer(status=ApprovalStatus.EDITED, decision=decision)
            case Verb.REJECT:
                pending.answer = Answer(status=ApprovalStatus.REJECTED, decision=decision)

    async def refuse(self, raw: dict[str, Any], reason: str) -> None:
        """Keep a decision that did not count."""
        approval_id = str(raw.get("approval_id", ""))
        if approval_id not in self.pending:
            workflow.logger.warning("refused a decision: %s", reason)
            return
        by, key = str(raw.get("by", "unknown"))[:100], str(workflow.uuid4())
        note = RefusedDecisionNote(approval_id=approval_id, by=by, reason=reason[:500], key=key, now=workflow.now())
        await workflow.execute_activity_method(
            ApprovalActivities.record_refused_decision, note, summary="a decision that does not count", **options.RECORD
        )

    # -- back -------------------------------------------------------------------------------------------------------

    async def undo(self, keys: Sequence[str]) -> tuple[ActionResult, ...]:
        """Undo effects in the order given. What fails waits for the operator, until it works or is given up."""
        return tuple([await self._undo(key) for key in keys])

    async def _undo(self, key: str) -> ActionResult:
        request = EffectInput(key=key, now=workflow.now())
        try:
            result = await workflow.execute_activity_method(ActionActivities.undo, request, summary="undo", **options.EFFECT)
            result = await self._reconciled(result)
        except ActivityError as error:
            result = ActionResult(kind=ResultKind.FAILED, summary=f"undo {key}", key=key, detail=str(error.cause or error))
        if result.kind in (ResultKind.COMMITTED, ResultKind.IMPOSSIBLE):
            return result
        return await self._undo_later(key, result)

    async def _undo_later(self, key: str, result: ActionResult) -> ActionResult:
        """A compensation that failed waits in the inbox: ``settle`` with happened=False retries it, True gives it up as done."""
        what_to_do = (
            f"mend the cause, then `steward settle {key} --not-happened` to try again, or `--happened` if you undid it by hand"
        )
        await self.alert(f"undo/{key}", AlertLevel.URGENT, f"could not undo: {result.summary}: {result.detail}", what_to_do)
        await workflow.wait_condition(lambda: key in self.settled)
        if self.settled.pop(key).happened:
            return result.model_copy(update={"kind": ResultKind.COMMITTED, "detail": "undone by hand"})
        return await self._undo(key)

    # -- showing ----------------------------------------------------------------------------------------------------

    async def alert(self, key: str, level: AlertLevel, text: str, what_to_do: str) -> None:
        alert = AlertInput(key=key, level=level, text=text, what_to_do=what_to_do, run_id=_run_id(), now=workflow.now())
        await workflow.execute_activity_method(RunActivities.alert, alert, summary=f"alert: {level}", **options.RECORD)

    def show(self) -> None:
        """What the Web UI says about this run right now."""
        waits = [f"- **waits for you**: {p.approval.proposal.action.summary()}" for p in self.pending.values()]
        done = [f"- {r.kind}: {r.summary}" for r in self.results]
        workflow.set_current_details("\n".join((*waits, *done)) or "working")
        workflow.upsert_search_attributes([WAITING.value_set(bool(self.pending))])


class GovernedWorkflow:
    """Base of every workflow that acts. Subclasses define ``run`` and wrap their work in ``governed``."""

    kind: ClassVar[str]  # the workflow's name in modes, policies and records

    def __init__(self) -> None:
        self.out = GovernedAction(self.kind)

    async def governed(self, work: Callable[[], Awaitable[str]]) -> str:
        """Open the run's record, do the business part, and close the record however it ends."""
        await self._open()
        try:
            result = await work()
        except ContinueAsNewError:
            raise
        except (Exception, asyncio.CancelledError) as error:
            cancelled = isinstance(error, asyncio.CancelledError)
            await _shielded(self._finish("cancelled" if cancelled else "failed", "" if cancelled else str(error)))
            raise
        await workflow.wait_condition(workflow.all_handlers_finished)
        await self._finish("done", result)
        return result

    async def _open(self) -> None:
        if workflow.info().continued_run_id:
            return
        run = RunInput(run_id=_run_id(), workflow=self.kind, now=workflow.now())
        await workflow.execute_activity_method(RunActivities.start_run, run, summary="open the record", **options.RECORD)

    async def _finish(self, status: str, result: str) -> None:
        end = FinishInput(run_id=_run_id(), status=status, result=result, now=workflow.now())
        await workflow.execute_activity_method(RunActivities.finish_run, end, summary="close the record", **options.RECORD)

    @workflow.update
    async def decide(self, decision: Decision) -> str:
        """The operator's decision. Refused with a reason where it does not count."""
        return await self.out.take(decision)

    @decide.validator
    def _check_decision(self, decision: Decision) -> None:
        try:
            self.out.check(decision)
        except DecisionRefused as no:
            raise ApplicationError(str(no), type="DecisionRefused", non_retryable=True) from no

    @workflow.signal(name="decide")
    async def decide_by_signal(self, raw: Any) -> None:
        """The second door, for the Web UI and for scripts: a dict as ``Decision`` has it."""
        given = raw if isinstance(raw, dict) else {}
        try:
            decision = Decision.model_validate(given)
            self.out.check(decision)
        except (ValidationError, DecisionRefused) as no:
            await self.out.refuse(given, str(no))
            return
        await self.out.take(decision)

    @workflow.update
    async def settle(self, word: SettleInput) -> str:
        """The operator's word on an effect that nobody could find out about."""
        self.out.settled[word.key] = word
        return "noted"

    @workflow.query
    def waiting(self) -> list[Approval]:
        return [p.approval for p in self.out.pending.values()]


async def _seen_through(work: Coroutine[Any, Any, T]) -> tuple[T, bool]:
    """The result of ``work``, and whether the run was cancelled while it went on."""
    try:
        task = asyncio.ensure_future(work)
    except BaseException:
        work.close()  # the worker is letting go of this run; another one goes on with it
        raise
    cancelled = False
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            cancelled = True
    return task.result(), cancelled


async def _shielded(work: Coroutine[Any, Any, T]) -> T:
    """Finish ``work`` even if the run is cancelled (again) meanwhile; the caller is on its way out already."""
    result, _ = await _seen_through(work)
    return result


def _run_id() -> str:
    return workflow.info().workflow_id


def _ended(kind: ResultKind, proposal: Proposal, detail: str = "") -> ActionResult:
    return ActionResult(kind=kind, summary=proposal.action.summary(), detail=detail)


def _failed(step: Planned | Proposal, error: ActivityError) -> ActionResult:
    """A step that was given up. A cancelled run is not a failed step: that goes on up."""
    if isinstance(error.cause, CancelledError):
        raise error
    return ActionResult(kind=ResultKind.FAILED, summary=step.action.summary(), detail=str(error.cause or error))


def _unapproved(answer: Answer, proposal: Proposal) -> ActionResult:
    kinds = {ApprovalStatus.REJECTED: ResultKind.REJECTED, ApprovalStatus.EXPIRED: ResultKind.EXPIRED}
    detail = answer.decision.reason if answer.decision else ""
    return _ended(kinds.get(answer.status, ResultKind.INTERRUPTED), proposal, detail)
