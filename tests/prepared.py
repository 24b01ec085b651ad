"""The sandbox of the workers that tests start, of which there are hundreds."""

from typing import Any, ClassVar

from temporalio import workflow
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

import worker


class PreparedOnce(SandboxedWorkflowRunner):
    """Tries out each workflow once a process: for the workers of each test anew it takes a fifth of a test's time."""

    tried: ClassVar[set[type]] = set()

    def prepare_workflow(self, defn: Any) -> None:
        if defn.cls not in self.tried:
            super().prepare_workflow(defn)
            self.tried.add(defn.cls)


def sandbox() -> PreparedOnce:
    """As in production otherwise."""
    return PreparedOnce(worker.sandbox().restrictions)


async def prepare() -> None:
    """Try out all workflows now, for processes that are forked from this one."""
    for run in worker.WORKFLOWS:
        sandbox().prepare_workflow(workflow._Definition.must_from_class(run))
