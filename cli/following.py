"""Watching a run until it rests: it has ended, or it waits for somebody or something."""

import asyncio
from collections.abc import Callable, Sequence
from time import monotonic

from cli.context import now
from cli.output import say
from cli.steering import Steering
from domain.approvals import Approval, ApprovalStatus
from domain.event import Event
from domain.story import story
from workflows.watching import Rest, how_is

_LOOK_EVERY = 0.25  # seconds


async def follow(
    steering: Steering, run_id: str, *, after: int, patience: float, tell: Callable[[Sequence[Event]], None]
) -> tuple[Rest, list[Event]]:
    """Tell the events of the run after ``after`` (a seq) as they come until it rests, or for ``patience`` seconds."""
    deadline, events, quiet = monotonic() + patience, list[Event](), 0
    while True:
        rest = await how_is(steering.client, steering.memory.state, run_id) or Rest("works", now())
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
