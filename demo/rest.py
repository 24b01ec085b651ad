"""Finding out, without sleeping and hoping, that runs have come to rest."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from domain.errors import SetupError
from workflows.search_attributes import STAGE

_POLL_SECONDS = 0.1
_PATIENCE_SECONDS = 60.0
_GATHERING = "gathering"  # a debounce timer runs: there is more to come


async def until(fact: Callable[[], Awaitable[bool]], *, what: str, seconds: float = _PATIENCE_SECONDS) -> None:
    """Wait until ``fact`` holds. Raises SetupError naming ``what`` when it does not within ``seconds``."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not await fact():
        if asyncio.get_running_loop().time() > deadline:
            raise SetupError(f"waited {seconds:.0f} s in vain until {what}", hint="see `./steward logs worker`")
        await asyncio.sleep(_POLL_SECONDS)


async def all_at_rest(client: Client, run_ids: Iterable[str]) -> bool:
    """Whether each run has ended or waits for somebody: nothing of it is being worked on. An unknown run is at rest."""
    return all(await asyncio.gather(*(_at_rest(client, run_id) for run_id in run_ids)))


async def _at_rest(client: Client, run_id: str) -> bool:
    try:
        found = await client.get_workflow_handle(run_id).describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return True
        raise
    return found.status is not WorkflowExecutionStatus.RUNNING or not _is_worked_on(found)


def _is_worked_on(found: WorkflowExecutionDescription) -> bool:
    raw = found.raw_description
    return bool(
        raw.pending_activities
        or raw.pending_children
        or raw.HasField("pending_workflow_task")
        or found.typed_search_attributes.get(STAGE) == _GATHERING
    )
