"""Watching a run until it rests: it has ended, or it waits for somebody or something."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic

from temporalio.client import WorkflowExecutionDescription, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from cli.context import now
from cli.output import say
from cli.steering import Steering
from domain.approvals import Approval, ApprovalStatus
from domain.event import Event
from domain.runs import Alert
from domain.story import story
from workflows.search_attributes import STAGE, WAITING

_LOOK_EVERY = 0.25  # seconds
_ENDED = {
    WorkflowExecutionStatus.COMPLETED: "done",
    WorkflowExecutionStatus.FAILED: "failed",
    WorkflowExecutionStatus.CANCELED: "cancelled",
    WorkflowExecutionStatus.TERMINATED: "terminated",
    WorkflowExecutionStatus.TIMED_OUT: "timed out",
}


@dataclass(frozen=True)
class Rest:
    """How a run is. ``status`` is done, failed, … when it ended, else ``waits`` or ``works``; ``stage`` is its own word."""

    status: str
    since: datetime
    stage: str = ""

    @property
    def ended(self) -> bool:
        return self.status in _ENDED.values()


async def how_is(steering: Steering, run_id: str) -> Rest | None:
    """None where there is no such run."""
    try:
        described = await steering.client.get_workflow_handle(run_id).describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise
    if described.status in _ENDED:
        return Rest(_ENDED[described.status], described.start_time)
    stage = described.typed_search_attributes.get(STAGE, "")
    resting = stage.startswith(("waiting", "with")) or await _needs_operator(steering, described)
    return Rest("waits" if resting else "works", described.start_time, stage)


async def follow(
    steering: Steering, run_id: str, *, after: int, patience: float, tell: Callable[[Sequence[Event]], None]
) -> tuple[Rest, list[Event]]:
    """Tell the events of the run after ``after`` (a seq) as they come until it rests, or for ``patience`` seconds."""
    deadline, events, quiet = monotonic() + patience, list[Event](), 0
    while True:
        rest = await how_is(steering, run_id) or Rest("works", now())
        news = await steering.memory.log.read(after=after, correlation_id=run_id)
        tell(news)
        events += news
        after = news[-1].seq if news else after
        quiet = 0 if news or rest.status == "works" else quiet + 1
        # Twice quiet: what a run records as it comes to rest arrives just after it says that it does.
        if quiet == 2 or monotonic() > deadline:
            return rest, events
        await asyncio.sleep(_LOOK_EVERY)


async def asked_by(steering: Steering, run_id: str) -> list[Approval]:
    """The questions of the run that wait for an answer."""
    waiting = await steering.memory.state.find(Approval, status=ApprovalStatus.PENDING)
    return [approval for approval in waiting if approval.proposal.run_id == run_id]


def aloud(events: Sequence[Event]) -> None:
    """For people who watch."""
    for _, line in story(events):
        say(f"  {line}")


def silent(_events: Sequence[Event]) -> None:
    """For programs: the whole answer comes at the end."""


async def _needs_operator(steering: Steering, described: WorkflowExecutionDescription) -> bool:
    if described.typed_search_attributes.get(WAITING, False):
        return True
    return any(alert.open and alert.run_id == described.id for alert in await steering.memory.state.find(Alert))
