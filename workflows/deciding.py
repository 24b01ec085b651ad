"""The one door to a decision: CLI, console, mail link and programs decide through ``Decider``, and nothing else does.

It makes the decision, takes it to the run that waits, and keeps what did not count. Whether it counts is said by
``domain.judging`` alone, here and once more in the run, where the raw signal of the Web UI ends too. An edit that the
auditor would refuse is refused here already, so that the question stays open.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from pydantic import Field, ValidationError

from agents.auditor import Auditor
from domain.actions import ACTION, Action, RefundOrder
from domain.approvals import Approval, ApprovalDecisionRefused, ApprovalStatus, Decision, Verb, Via
from domain.decisions import Severity
from domain.entities import Order
from domain.errors import DecisionRefused, InvalidFields, InvalidInput, NotFound, Overtaken, StewardError
from domain.event import new_event
from domain.judging import judge
from domain.model import Moment, Name, Value
from domain.ports import EventLog, State
from domain.problems import problems
from workflows.gateway import Gateway

_AT_ONCE = 8  # a run takes at most ten updates at a time


class DecisionRequest(Value):
    """What somebody wants decided. ``digest`` is that of the proposal they saw; the same ``decision_id`` is the same wish."""

    decision_id: Name
    approval_id: Name
    verb: Verb
    digest: str
    by: Name
    via: Via
    reason: str = Field(default="", max_length=2_000)
    edited: dict[str, Any] | None = None  # with edit: the whole action, as JSON has it
    snooze_until: Moment | None = None  # with snooze
    hold_seconds: int = Field(default=0, ge=0, le=60)


class Decided(Value):
    """A decision that counts. Until ``held_until`` the verb undo takes it back."""

    approval_id: Name
    run_id: Name
    verb: Verb
    said: str
    held_until: Moment | None = None


class NotDecided(Value):
    """A row of a batch that did not count, and why. ``kind`` is the error's name; see ``Overtaken`` for the rest."""

    approval_id: Name
    kind: Name
    message: str
    hint: str = ""
    moved: tuple[str, ...] = ()
    asked_anew: str = ""


class Decider:
    """Takes decisions to the runs that wait for them."""

    def __init__(self, *, gateway: Gateway, auditor: Auditor, state: State, log: EventLog, clock: Callable[[], datetime]) -> None:
        self._gateway = gateway
        self._auditor = auditor
        self._state = state
        self._log = log
        self._clock = clock

    async def decide(self, request: DecisionRequest) -> Decided:
        """Decide, once: a request whose id counted before is answered as it was then.

        Raises NotFound, InvalidInput (InvalidFields for an edited action), DecisionRefused (Overtaken where what was
        shown moved, saying what did), and Retryable where no worker answers: then the same request may be sent again.
        """
        approval = await self._approval(request.approval_id)
        if request.decision_id in approval.decision_ids:
            return _decided(request, approval, f"already recorded: {request.verb}")
        decision = _decision(request, approval)
        try:
            await self._check_not_overtaken(approval, request)
            judge(approval, decision, self._clock())
            await self._check_possible(decision)
            await self._check_audit(approval, decision)
            said = await self._gateway.decide(approval, decision, now=self._clock())
        except DecisionRefused as no:
            await self._keep_refusal(request, str(no))
            raise
        return _decided(request, await self._approval(request.approval_id), said)

    async def decide_all(self, requests: Sequence[DecisionRequest]) -> list[Decided | NotDecided]:
        """Each for itself, in the order given: one that does not count keeps no other from counting."""
        places = asyncio.Semaphore(_AT_ONCE)

        async def one(request: DecisionRequest) -> Decided | NotDecided:
            async with places:
                try:
                    return await self.decide(request)
                except StewardError as error:
                    return _not_decided(request, error)

        return list(await asyncio.gather(*map(one, requests)))

    async def _approval(self, approval_id: str) -> Approval:
        approval = await self._state.get(Approval, approval_id)
        if approval is None:
            raise NotFound(f"there is no question {approval_id}", hint="see `steward inbox`")
        return approval

    async def _check_not_overtaken(self, approval: Approval, request: DecisionRequest) -> None:
        """Raises Overtaken where the question that was shown is asked anew by now."""
        if approval.status is ApprovalStatus.PENDING and approval.proposal.digest == request.digest:
            return
        asked = await self._state.find(Approval, replaces=request.digest, status=ApprovalStatus.PENDING)
        shown = approval.proposal
        for anew in asked:
            if (anew.proposal.run_id, anew.proposal.step) == (shown.run_id, shown.step):
                raise Overtaken(moved=anew.moved, asked_anew=anew.approval_id)

    async def _check_possible(self, decision: Decision) -> None:
        """Raises DecisionRefused for an edit that is known to fail: later nobody would be asked about it again."""
        refund = decision.action
        order = await self._state.get(Order, refund.order_id) if isinstance(refund, RefundOrder) else None
        if isinstance(refund, RefundOrder) and order is not None and not _can_be_refunded(refund, order):
            raise DecisionRefused(
                f"of order {order.order_id} {order.refundable} can be paid back, not {refund.amount}",
                hint="edit it to that or less",
            )

    async def _check_audit(self, approval: Approval, decision: Decision) -> None:
        """Raises DecisionRefused for an edit that must not happen as it is. What only wants a look is asked again later.

        What speaks against the question as it stands moved since it was asked: that is for the run to say.
        """
        if decision.action is None:
            return
        of_its_own = await self._blocked(approval, decision.action) - await self._blocked(approval, approval.proposal.action)
        if of_its_own:
            hint = "mend that and send it again, or reject it: the question still waits"
            raise DecisionRefused("; ".join(sorted(of_its_own)), hint=hint)

    async def _blocked(self, approval: Approval, action: Action) -> set[str]:
        shown = approval.proposal
        verdict = await self._auditor.before(action=action, diff=shown.diff, why=shown.why, now=self._clock(), run_id=shown.run_id)
        return {finding.text for finding in verdict.findings if finding.severity is Severity.BLOCK}

    async def _keep_refusal(self, request: DecisionRequest, reason: str) -> None:
        """For the audit trail; the same refusal of the same wish is kept once."""
        refused = ApprovalDecisionRefused(approval_id=request.approval_id, by=request.by, reason=reason[:500], via=request.via)
        key = (request.approval_id, request.decision_id, reason)
        await self._log.append([new_event(refused, at=self._clock(), key=key, actor=request.by)])


def edited_action(document: Any, *, like: Action) -> Action:
    """The action that ``document`` says, of the kind of ``like`` where it names none. Raises InvalidFields."""
    if not isinstance(document, dict):
        raise InvalidInput("an edited action is a JSON object", hint="`steward show ID --json` shows its fields")
    try:
        return ACTION.validate_python({"kind": like.kind, **document})
    except ValidationError as error:
        raise InvalidFields("the edited action", problems(error, within=1)) from error


def _can_be_refunded(refund: RefundOrder, order: Order) -> bool:
    return refund.amount.currency == order.refundable.currency and refund.amount <= order.refundable


def _decision(request: DecisionRequest, approval: Approval) -> Decision:
    given = request.model_dump(exclude={"edited"})
    action = edited_action(request.edited, like=approval.proposal.action) if request.edited is not None else None
    return Decision(**given, action=action)


def _decided(request: DecisionRequest, approval: Approval, said: str) -> Decided:
    return Decided(
        approval_id=approval.approval_id,
        run_id=approval.proposal.run_id,
        verb=request.verb,
        said=said,
        held_until=approval.held_until if request.verb in (Verb.APPROVE, Verb.EDIT) else None,
    )


def _not_decided(request: DecisionRequest, error: StewardError) -> NotDecided:
    overtaken = {"moved": error.moved, "asked_anew": error.asked_anew} if isinstance(error, Overtaken) else {}
    return NotDecided(
        approval_id=request.approval_id, kind=type(error).__name__, message=error.message, hint=error.hint, **overtaken
    )
