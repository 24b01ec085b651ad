"""Reverting a run: ``rollback/<run>``. Compensations, newest first, that survive crashes and cancellation."""

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.actions import ActionActivities
    from activities.runs import RunActivities
    from activities.steps import EffectInput, ResultKind, RevertedInput, RevertInput, RevertPlan
    from domain.model import Name, Value
    from domain.runs import AlertLevel
    from workflows import options
    from workflows.governed_workflow import GovernedWorkflow


class RollbackInput(Value):
    """``everything`` that was ever done under the run's id, or only what it did since it last began."""

    run_id: Name
    by: Name
    everything: bool = False


class RollbackResult(Value):
    """What was undone, and what nothing undoes: it was gated before it happened."""

    run_id: Name
    compensated: tuple[str, ...]
    impossible: tuple[str, ...]


@workflow.defn
class RollbackWorkflow(GovernedWorkflow):
    kind = "rollback"

    @workflow.init
    def __init__(self, start: RollbackInput) -> None:
        super().__init__()
        self.result = RollbackResult(run_id=start.run_id, compensated=(), impossible=())

    @workflow.run
    async def run(self, start: RollbackInput) -> RollbackResult:
        await self.governed(lambda: self._revert(start))
        return self.result

    async def _revert(self, start: RollbackInput) -> str:
        await self._stop(start.run_id)
        plan = await self._plan(start)
        if plan.unsettled:
            for key in plan.unsettled:
                await self.out.find_out(key)
            plan = await self._plan(start)
        undone = await self.out.undo(plan.keys)
        self.out.results.extend(undone)
        self.out.show()
        self.result = RollbackResult(
            run_id=start.run_id,
            compensated=tuple(r.summary for r in undone if r.kind is ResultKind.COMMITTED),
            impossible=tuple(r.summary for r in undone if r.kind is ResultKind.IMPOSSIBLE),
        )
        await self._record(start)
        return f"undid {len(self.result.compensated)}, could not undo {len(self.result.impossible)}"

    async def _stop(self, run_id: str) -> None:
        """A run that still goes on would act again: cancel it. One that has ended already is what we want."""
        try:
            await workflow.get_external_workflow_handle(run_id).cancel()
        except ApplicationError:
            return
        try:
            await workflow.execute_activity_method(
                RunActivities.await_end, EffectInput(key=run_id, now=workflow.now()), summary="let it come to rest", **options.REST
            )
        except ActivityError:
            text, what_to_do = (
                f"{run_id} does not come to rest and may act after it was undone",
                f"look at it, then undo {run_id} again",
            )
            await self.out.alert(f"restless/{run_id}", AlertLevel.URGENT, text, what_to_do)

    async def _plan(self, start: RollbackInput) -> RevertPlan:
        request = RevertInput(key=start.run_id, everything=start.everything, now=workflow.now())
        return await workflow.execute_activity_method(
            ActionActivities.effects_to_undo, request, summary="what is to undo", **options.RECORD
        )

    async def _record(self, start: RollbackInput) -> None:
        reverted = RevertedInput(
            run_id=start.run_id,
            by=start.by,
            compensated=self.result.compensated,
            impossible=self.result.impossible,
            everything=start.everything,
            now=workflow.now(),
        )
        await workflow.execute_activity_method(RunActivities.record_reverted, reverted, summary="record it", **options.RECORD)
