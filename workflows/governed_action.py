"""The one way out: plan -> preview -> audit -> gate -> ask -> reserve -> execute -> record, or back again.

``GovernedAction`` is a run's door to the outside; questions to the operator are ``Questions``.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, CancelledError

with workflow.unsafe.imports_passed_through():
    from activities.actions import ActionActivities
    from activities.runs import RunActivities
    from activities.steps import (
        ActionResult,
        AlertInput,
        CarryOutInput,
        EffectInput,
        Proposed,
        ProposeInput,
        ResultKind,
        SettleInput,
    )
    from domain.actions import Bound
    from domain.approvals import Approval, ApprovalStatus, Decision
    from domain.decisions import GateOutcome, Planned, Proposal
    from domain.effects import effect_key
    from domain.runs import AlertLevel
    from workflows import options
    from workflows.questions import Answer, Questions
    from workflows.saying import said_by
    from workflows.search_attributes import WAITING
    from workflows.shielding import seen_through, shielded

MAX_ROUNDS = 20
MOST_REFUSALS = 2
"""So often one full bound may refuse an action: asking a third time changes nothing."""


class GovernedAction:
    """Carries out actions for one run, asks where the gate says so, and knows how to undo what was done."""

    def __init__(self, workflow_name: str) -> None:
        self.workflow_name = workflow_name
        self.questions = Questions(self.show)
        self.settled: dict[str, SettleInput] = {}
        self.unsettled: set[str] = set()
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
            await shielded(self.undo(tuple(reversed(self.committed[before:]))))
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
        refusals, asked = _Refusals(), None
        for _ in range(MAX_ROUNDS):
            proposed = await self._proposed(request)
            if isinstance(proposed, ActionResult):
                unedited = _as_before_the_edit(request, asked, proposed)
                if unedited is None:
                    return proposed
                request = unedited
                continue
            match proposed.outcome:
                case GateOutcome.SUGGEST:
                    return _ended(ResultKind.SUGGESTED, proposed.proposal)
                case GateOutcome.ALLOW:
                    approval_id = request.edited
                case GateOutcome.ASK:
                    approval_id = _must_ask(proposed).approval_id
                    answer = await self.questions.ask(_must_ask(proposed), moot=moot)
                    if answer.status is ApprovalStatus.EDITED and answer.decision and answer.decision.action:
                        asked = _Asked(request=request, shown=proposed.proposal)
                        request = self._edited_request(request, answer.decision)
                        continue
                    if answer.status is not ApprovalStatus.APPROVED:
                        return _unapproved(answer, proposed.proposal)
            result = await self._carry_out(proposed.proposal, approval_id)
            if result.kind not in (ResultKind.STALE, ResultKind.REFUSED) or refusals.are_enough_with(result):
                return result
            request = self._request_again(request, proposed, result)
        detail = f"it changed too often to be decided: {refusals.last}".removesuffix(": ")
        return ActionResult(kind=ResultKind.FAILED, summary=planned.action.summary(), detail=detail)

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

    async def _proposed(self, request: ProposeInput) -> Proposed | ActionResult:
        """The action as it was audited and gated, or how it ended where it may not be."""
        try:
            proposed = await self._propose(request)
        except ActivityError as error:
            return _failed(request.planned, error)
        if proposed.outcome is GateOutcome.REFUSE:
            return _ended(ResultKind.REFUSED, proposed.proposal, "; ".join(proposed.proposal.gate.reasons))
        return proposed

    async def _propose(self, request: ProposeInput) -> Proposed:
        return await workflow.execute_activity_method(
            ActionActivities.propose, request, summary=f"audit: {request.planned.action.kind}", **options.EFFECT
        )

    async def _carry_out(self, proposal: Proposal, approval_id: str) -> ActionResult:
        """Once begun, an effect is seen through to a known end, even where the run is cancelled meanwhile."""
        result, cancelled = await seen_through(self._effect(proposal, approval_id))
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
        self.unsettled.add(result.key)  # who reads the alert may answer at once
        await self.alert(
            f"unknown/{result.key}", AlertLevel.URGENT, f"nobody knows whether this happened: {result.summary}", what_to_do
        )
        word = await self._word_on(result.key)
        return await workflow.execute_activity_method(
            ActionActivities.settle_by_operator, word, summary="the operator looked", **options.RECORD
        )

    async def _word_on(self, key: str) -> SettleInput:
        """The operator's next word on ``key``; each word is used once."""
        await workflow.wait_condition(lambda: key in self.settled)
        self.unsettled.discard(key)
        return self.settled.pop(key)

    async def find_out(self, key: str) -> ActionResult:
        """What became of an effect that is on its way or unknown."""
        return await self._reconciled(ActionResult(kind=ResultKind.UNKNOWN, summary=f"effect {key}", key=key))

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
            result = ActionResult(kind=ResultKind.FAILED, summary=f"undo {key}", key=key, detail=said_by(error))
        if result.kind in (ResultKind.COMMITTED, ResultKind.IMPOSSIBLE):
            return result
        return await self._undo_later(key, result)

    async def _undo_later(self, key: str, result: ActionResult) -> ActionResult:
        """A compensation that failed waits in the inbox: ``settle`` with happened=False retries it, True gives it up as done."""
        what_to_do = (
            f"mend the cause, then `steward settle {key} --not-happened` to try again, or `--happened` if you undid it by hand"
        )
        self.unsettled.add(key)  # who reads the alert may answer at once
        await self.alert(f"undo/{key}", AlertLevel.URGENT, f"could not undo: {result.summary}: {result.detail}", what_to_do)
        if (await self._word_on(key)).happened:
            return result.model_copy(update={"kind": ResultKind.COMMITTED, "detail": "undone by hand"})
        return await self._undo(key)

    # -- showing ----------------------------------------------------------------------------------------------------

    async def alert(self, key: str, level: AlertLevel, text: str, what_to_do: str) -> None:
        alert = AlertInput(key=key, level=level, text=text, what_to_do=what_to_do, run_id=_run_id(), now=workflow.now())
        await workflow.execute_activity_method(RunActivities.alert, alert, summary=f"alert: {level}", **options.RECORD)

    def show(self) -> None:
        """What the Web UI says about this run right now; nothing where the worker is letting go of it."""
        if not workflow.in_workflow():
            return
        asked = [p.approval for p in self.questions.pending.values()]
        waits = [f"- **{_state_of(a)}**: {a.proposal.action.summary()}" for a in asked]
        done = [f"- {r.kind}: {r.summary}" for r in self.results]
        workflow.set_current_details("\n".join((*waits, *done)) or "working")
        workflow.upsert_search_attributes([WAITING.value_set(any(a.status is ApprovalStatus.PENDING for a in asked))])


def _must_ask(proposed: Proposed) -> Approval:
    if proposed.approval is None:
        raise ApplicationError("the gate asks but gave no approval", non_retryable=True)
    return proposed.approval


def _state_of(approval: Approval) -> str:
    held = approval.held_until is not None and approval.status is not ApprovalStatus.PENDING
    return f"held until {approval.held_until:%H:%M:%S} UTC" if held else "waits for you"


def _run_id() -> str:
    return workflow.info().workflow_id


def _ended(kind: ResultKind, proposal: Proposal, detail: str = "") -> ActionResult:
    return ActionResult(kind=kind, summary=proposal.action.summary(), detail=detail)


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What the operator answered with an edit: how it was proposed, and what was shown."""

    request: ProposeInput
    shown: Proposal


def _as_before_the_edit(edited: ProposeInput, asked: _Asked | None, ended: ActionResult) -> ProposeInput | None:
    """The question as it was, with what is said against the edit; None where it ended without one."""
    if asked is None or not edited.edited or not workflow.patched("ask-again-after-a-refused-edit"):
        return None
    anew = f"your edit was refused: {ended.detail}"
    update = {"anew": anew, "edited": "", "replaces": asked.shown, "now": workflow.now(), "round": edited.round + 1}
    return asked.request.model_copy(update=update)


class _Refusals:
    """What kept one action from being done so far."""

    def __init__(self) -> None:
        self.last = ""
        self._bounds: list[str] = []

    def are_enough_with(self, result: ActionResult) -> bool:
        """Whether the same full bound refused it again: asking once more changes nothing."""
        self.last = result.detail
        bound = _bound_that_refused(result)
        self._bounds.append(bound)
        return bool(bound) and self._bounds.count(bound) >= MOST_REFUSALS and workflow.patched("end-at-a-full-bound")


def _bound_that_refused(result: ActionResult) -> str:
    """Which bound it did not fit into, as the refusal says it; empty where it was refused for another reason."""
    bound, full, _ = result.detail.partition(": ")
    return bound if full and result.kind is ResultKind.REFUSED and bound.startswith(tuple(f"{b} is limited" for b in Bound)) else ""


def _failed(step: Planned | Proposal, error: ActivityError) -> ActionResult:
    """A step that was given up. A cancelled run is not a failed step: that goes on up."""
    if isinstance(error.cause, CancelledError):
        raise error
    return ActionResult(kind=ResultKind.FAILED, summary=step.action.summary(), detail=said_by(error))


def _unapproved(answer: Answer, proposal: Proposal) -> ActionResult:
    kinds = {ApprovalStatus.REJECTED: ResultKind.REJECTED, ApprovalStatus.EXPIRED: ResultKind.EXPIRED}
    detail = answer.decision.reason if answer.decision else ""
    return _ended(kinds.get(answer.status, ResultKind.INTERRUPTED), proposal, detail)
