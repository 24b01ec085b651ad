"""A workflow as a careless change would leave it."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from workflows.support_triage import SupportInput, SupportTriageWorkflow


@workflow.defn(name="SupportTriageWorkflow")
class ForgetsToOpenItsRecord(SupportTriageWorkflow):
    """Leaves out the first step of every run."""

    @workflow.init
    def __init__(self, start: SupportInput) -> None:
        super().__init__(start)

    @workflow.run
    async def run(self, start: SupportInput) -> str:
        return await super().run(start)

    async def _open(self) -> None:
        """Nothing: this is the change."""
