"""A workflow that does nothing but carry out what it is given: the smallest tenant of the governed action."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.decisions import Planned
    from domain.model import Value
    from workflows.governed_workflow import GovernedWorkflow


class ProbeInput(Value):
    planned: tuple[Planned, ...]


@workflow.defn
class ProbeWorkflow(GovernedWorkflow):
    kind = "support"

    @workflow.run
    async def run(self, start: ProbeInput) -> str:
        return await self.governed(lambda: self._act(start))

    async def _act(self, start: ProbeInput) -> str:
        results = await self.out.act_all(start.planned)
        return ",".join(r.kind for r in results)
