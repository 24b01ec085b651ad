"""Actions that programs propose: ``propose/<id>``. One typed action a run, and the operator is always asked first."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from pydantic import Field

    from activities.steps import ActionResult, ResultKind
    from domain.actions import Action
    from domain.autonomy import PROPOSE
    from domain.decisions import Planned, Why
    from domain.model import Name, Value
    from domain.runs import AlertLevel
    from workflows.governed_workflow import GovernedWorkflow


class ProposedInput(Value):
    """``by`` names the program, ``reason`` is its own word. ``ticket_id`` is the conversation that asks for the action, if any."""

    action: Action
    by: Name
    reason: str = Field(min_length=1, max_length=2_000)
    ticket_id: str = Field(default="", max_length=200)


@workflow.defn
class ProposedWorkflow(GovernedWorkflow):
    kind = PROPOSE

    @workflow.run
    async def run(self, start: ProposedInput) -> str:
        return await self.governed(lambda: self._take_out(start))

    async def _take_out(self, start: ProposedInput) -> str:
        result = await self.out.act(_planned(start))
        if result.kind is ResultKind.FAILED and self.out.questions.decided and workflow.patched("tell-of-what-failed"):
            await self._tell(result)
        return f"{result.kind}: {result.detail or result.summary}"

    async def _tell(self, result: ActionResult) -> None:
        """Who said yes and hears nothing takes it for done."""
        text = f"it was not done: {result.summary}: {result.detail}"
        what_to_do = "nothing happened outside; propose it anew if it is still wanted"
        await self.out.alert(f"not-done/{workflow.info().workflow_id}", AlertLevel.WARNING, text, what_to_do)


def _planned(start: ProposedInput) -> Planned:
    """What a program says speaks for nothing: whatever mode, grant or limit there is, the operator decides."""
    why = Why(
        reason=start.reason,
        engine=start.by,
        facts={"ticket": start.ticket_id} if start.ticket_id else {},
        topic="proposed",
        force_ask=f"{start.by} proposes it",
    )
    return Planned(step="proposed", action=start.action, why=why)
