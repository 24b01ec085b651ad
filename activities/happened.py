"""What happened in a run, read from the log."""

from domain.event import Event
from domain.ports import EventLog
from domain.runs import RunStarted


async def since_it_began(log: EventLog, run_id: str) -> list[Event]:
    """Every event of the run since it last began under its id, oldest first."""
    starts = [e.seq for e in await of_stream(log, f"run/{run_id}") if e.type == RunStarted.type]
    return await _all(log, after=max(starts, default=1) - 1, correlation_id=run_id)


async def ever(log: EventLog, run_id: str) -> list[Event]:
    """Every event of all runs that had this id, oldest first."""
    return await _all(log, correlation_id=run_id)


async def of_stream(log: EventLog, stream: str) -> list[Event]:
    """Every event of one stream, oldest first."""
    return await _all(log, stream=stream)


async def _all(log: EventLog, *, after: int = 0, stream: str = "", correlation_id: str = "") -> list[Event]:
    """Page by page to the end."""
    events: list[Event] = []
    while page := await log.read(after=events[-1].seq if events else after, stream=stream, correlation_id=correlation_id):
        events += page
    return events
