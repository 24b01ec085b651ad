"""The base of every workflow that acts: its record, and the operator's doors.

Decisions come as an update, validated before it is accepted, or as a signal with a raw dict that validates for
itself, because a signal whose payload does not decode is dropped in silence. Both end in ``Questions.check``.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.workflow import ContinueAsNewError

with workflow.unsafe.imports_passed_through():
    from pydantic import ValidationError

    from activities.runs import RunActivities
    from activities.steps import FinishInput, RunInput, SettleInput
    from domain.approvals import Approval, ApprovalStatus, Decision, Via
    from domain.errors import DecisionRefused
    from workflows import options
    from workflows.governed_action import GovernedAction
    from workflows.saying import said_by
    from workflows.shielding import shielded


SETTLERS = ("operator",)


class GovernedWorkflow:
    """Base of every workflow that acts. Subclasses define ``run`` and wrap their work in ``governed``."""

    kind: ClassVar[str]  # the workflow's name in modes, policies and records

    def __init__(self, *, anew: bool = False) -> None:
        """``anew`` where this execution takes over from one that had closed its record."""
        self.out = GovernedAction(self.kind)
        self.continued = bool(workflow.info().continued_run_id) and not anew

    async def governed(self, work: Callable[[], Awaitable[str]]) -> str:
        """Open the run's record, do the business part, and close the record however it ends."""
        await self._open()
        try:
            result = await work()
        except ContinueAsNewError:
            raise
        except (Exception, asyncio.CancelledError) as error:
            cancelled = isinstance(error, asyncio.CancelledError)
            await shielded(self._finish("cancelled" if cancelled else "failed", "" if cancelled else _said(error)))
            raise
        await workflow.wait_condition(workflow.all_handlers_finished)
        await self._finish("done", result)
        return result

    async def _open(self) -> None:
        if self.continued:
            return
        run = RunInput(run_id=workflow.info().workflow_id, workflow=self.kind, now=workflow.now())
        await workflow.execute_activity_method(RunActivities.start_run, run, summary="open the record", **options.RECORD)

    async def _finish(self, status: str, result: str) -> None:
        end = FinishInput(run_id=workflow.info().workflow_id, status=status, result=result, now=workflow.now())
        await workflow.execute_activity_method(RunActivities.finish_run, end, summary="close the record", **options.RECORD)

    @workflow.update
    async def decide(self, decision: Decision) -> str:
        """The operator's decision. Refused with a reason where it does not count."""
        return await self.out.questions.take(decision)

    @decide.validator
    def _check_decision(self, decision: Decision) -> None:
        try:
            self.out.questions.check(decision)
        except DecisionRefused as no:
            raise ApplicationError(str(no), type="DecisionRefused", non_retryable=True) from no

    @workflow.signal(name="decide")
    async def decide_by_signal(self, raw: Any) -> None:
        """The second door, for the Web UI and for scripts: a dict as ``Decision`` has it."""
        given = raw if isinstance(raw, dict) else {}
        try:
            decision = Decision.model_validate({**given, "via": Via.WEB_UI_SIGNAL})
            self.out.questions.check(decision)
        except (ValidationError, DecisionRefused) as no:
            await self.out.questions.refuse(given, str(no))
            return
        try:
            await self.out.questions.take(decision)
        except ActivityError as no:  # it could not be recorded, so it does not count; the question still waits
            await self.out.questions.refuse(given, said_by(no))

    @workflow.update
    async def settle(self, word: SettleInput) -> str:
        """The operator's word on an effect that nobody could find out about, or on an undo that failed."""
        self.out.settled[word.key] = word
        return "noted"

    @settle.validator
    def _check_settle(self, word: SettleInput) -> None:
        if word.key not in self.out.unsettled or word.by not in SETTLERS:
            raise ApplicationError("nobody waits for this word, or not for yours", type="DecisionRefused", non_retryable=True)

    @workflow.query
    def waiting(self) -> list[Approval]:
        asked = [p.approval for p in self.out.questions.pending.values()]
        return [a for a in asked if a.status is ApprovalStatus.PENDING]


def _said(error: BaseException) -> str:
    return said_by(error) if isinstance(error, ActivityError) else str(error)
