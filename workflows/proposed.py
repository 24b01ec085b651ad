"""Actions that programs propose: ``propose/<id>``. One typed action a run, and the operator is always asked first."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from pydantic import Field

    from domain.actions import Action
    from domain.autonomy import PROPOSE
    from domain.decisions import Planned, Why
    from domain.model import Name, Value
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
        return f"{result.kind}: {result.detail or result.summary}"


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
