"""Breakers as the operator sees them: when each is tried again, and closing one whose system is mended."""

from datetime import datetime, timedelta
from uuid import uuid4

from domain.effects import Breaker, BreakerState
from domain.errors import InvalidInput, NotFound
from domain.event import new_event
from domain.ports import EventLog, Guards
from domain.runs import BreakerReset

MEANS = {
    BreakerState.CLOSED: "effects go through",
    BreakerState.OPEN: "nothing goes through until the trial",
    BreakerState.HALF_OPEN: "one effect is on trial",
}


def next_trial(found: Breaker, pause: timedelta) -> datetime | None:
    """None where it is closed. A moment that is past: with the next effect."""
    return found.opened_at + pause if found.state is not BreakerState.CLOSED and found.opened_at else None


async def reset(log: EventLog, guards: Guards, connector: str, action_kind: str, *, by: str, at: datetime) -> Breaker:
    """Let effects through again at once. Raises NotFound, InvalidInput where it is closed already."""
    known = _known(await guards.breakers(), connector, action_kind)
    if known.state is BreakerState.CLOSED and not known.failures:
        raise InvalidInput(f"the breaker of {connector} for {action_kind} is closed already", hint="nothing has to be done")
    told = BreakerReset(connector=connector, action_kind=action_kind, failures=known.failures, by=by)
    # Told first: repeating the reset is harmless, a reset that nobody can read of is not.
    await log.append([new_event(told, at=at, key=(str(uuid4()),), actor=by)])
    await guards.reset_breaker(connector, action_kind)
    return await guards.breaker(connector, action_kind)


def _known(breakers: list[Breaker], connector: str, action_kind: str) -> Breaker:
    for one in breakers:
        if (one.connector, one.action_kind) == (connector, action_kind):
            return one
    there = ", ".join(f"{b.connector} {b.action_kind}" for b in breakers) or "none so far"
    raise NotFound(f"there is no breaker of {connector} for {action_kind}", hint=f"there are: {there}")
