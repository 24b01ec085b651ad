"""What the operator does at the console, as events of the log."""

from uuid import uuid4

from console.visit import Visit
from domain.errors import Stale, VersionConflict
from domain.event import EventData, new_event
from domain.policies import OPERATOR


async def record(visit: Visit, *events: EventData, expected: dict[str, int] | None = None) -> None:
    """Append all or none; each call is an occurrence of its own. Raises Stale where a stream is not as ``expected`` any more."""
    occurrence = str(uuid4())
    named = [new_event(data, at=visit.now, key=(occurrence, str(n)), actor=OPERATOR) for n, data in enumerate(events)]
    try:
        await visit.house.memory.log.append(named, expected=expected)
    except VersionConflict as moved:
        raise Stale("this changed while you looked at it", hint="load the page again and repeat it") from moved
