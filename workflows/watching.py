"""How a run is, asked from outside: it has ended, works, or waits for somebody or something."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from domain.ports import State
from domain.runs import Alert
from workflows.search_attributes import STAGE, WAITING

_WITHIN = timedelta(seconds=5)
_ENDED = {
    WorkflowExecutionStatus.COMPLETED: "done",
    WorkflowExecutionStatus.FAILED: "failed",
    WorkflowExecutionStatus.CANCELED: "cancelled",
    WorkflowExecutionStatus.TERMINATED: "terminated",
    WorkflowExecutionStatus.TIMED_OUT: "timed out",
}


@dataclass(frozen=True)
class Rest:
    """How a run is. ``status`` is done, failed, … when it ended, else ``waits`` or ``works``; ``stage`` is its own word.

    ``asks`` is whether it is the operator it waits for.
    """

    status: str
    since: datetime
    stage: str = ""
    asks: bool = False

    @property
    def ended(self) -> bool:
        return self.status in _ENDED.values()


async def how_is(client: Client, state: State, run_id: str) -> Rest | None:
    """None where there is no such run. Raises RPCError where Temporal does not answer."""
    try:
        described = await client.get_workflow_handle(run_id).describe(rpc_timeout=_WITHIN)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise
    if described.status in _ENDED:
        return Rest(_ENDED[described.status], described.start_time)
    stage = described.typed_search_attributes.get(STAGE, "")
    asks = await _needs_operator(state, described)
    resting = asks or stage.startswith(("waiting", "with"))
    return Rest("waits" if resting else "works", described.start_time, stage, asks)


async def _needs_operator(state: State, described: WorkflowExecutionDescription) -> bool:
    if described.typed_search_attributes.get(WAITING, False):
        return True
    return bool(await state.find(Alert, run_id=described.id, open="true"))
