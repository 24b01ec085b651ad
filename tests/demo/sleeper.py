"""A workflow that sleeps and says when it woke, and one that starts another."""

from datetime import timedelta

from temporalio import workflow

QUEUE = "sleepers"


@workflow.defn
class SleeperWorkflow:
    """Wakes after each of ``hours``; ``woke`` says when."""

    def __init__(self) -> None:
        self.times: list[str] = []

    @workflow.run
    async def run(self, hours: list[int]) -> list[str]:
        self.times.append(workflow.now().isoformat())
        for rest in hours:
            await workflow.sleep(timedelta(hours=rest))
            self.times.append(workflow.now().isoformat())
        return self.times

    @workflow.query
    def woke(self) -> list[str]:
        return self.times


@workflow.defn
class ParentWorkflow:
    """Starts a sleeper and does not wait for it."""

    @workflow.run
    async def run(self, hours: list[int]) -> None:
        await workflow.start_child_workflow(
            SleeperWorkflow.run, hours, id="child", parent_close_policy=workflow.ParentClosePolicy.ABANDON
        )
