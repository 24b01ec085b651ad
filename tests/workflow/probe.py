"""A workflow that does nothing but carry out what it is given: the smallest tenant of the governed action."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.decisions import Planned
    from workflows.governed_workflow import GovernedWorkflow


@workflow.defn
class ProbeWorkflow(GovernedWorkflow):
    kind = "support"

    @workflow.run
    async def run(self, planned: tuple[Planned, ...]) -> str:
        return await self.governed(lambda: self._act(planned))

    async def _act(self, planned: tuple[Planned, ...]) -> str:
        results = await self.out.act_all(planned)
        return ",".join(r.kind for r in results)
