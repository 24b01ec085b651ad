"""The times at which runs start by themselves, as the operator sees and steers them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from temporalio.client import Client, ScheduleHandle
from temporalio.service import RPCError, RPCStatusCode

from domain.errors import NotFound, Retryable, StewardError

_WITHIN = timedelta(seconds=5)


class Change(StrEnum):
    PAUSE = "pause"
    RESUME = "resume"
    TRIGGER = "trigger"  # once, now, whether it rests or not


@dataclass(frozen=True, kw_only=True)
class Timed:
    """A schedule. ``next`` is None where it never starts anything."""

    schedule_id: str
    paused: bool
    note: str
    next: datetime | None


async def schedules(client: Client) -> list[Timed]:
    """In the order of their ids. Raises Retryable where Temporal does not answer."""
    try:
        found = [one.id async for one in await client.list_schedules(rpc_timeout=_WITHIN)]
        return [await _described(client.get_schedule_handle(schedule_id)) for schedule_id in sorted(found)]
    except RPCError as error:
        raise _error(error, "") from error


async def change(client: Client, schedule_id: str, what: Change, *, note: str = "") -> Timed:
    """The schedule after it. Raises NotFound; Retryable where Temporal does not answer."""
    handle = client.get_schedule_handle(schedule_id)
    try:
        await _change(handle, what, note or f"{what} by the operator")()
        return await _described(handle)
    except RPCError as error:
        raise _error(error, schedule_id) from error


def _change(handle: ScheduleHandle, what: Change, note: str) -> Callable[[], Awaitable[None]]:
    match what:
        case Change.PAUSE:
            return lambda: handle.pause(note=note, rpc_timeout=_WITHIN)
        case Change.RESUME:
            return lambda: handle.unpause(note=note, rpc_timeout=_WITHIN)
        case Change.TRIGGER:
            return lambda: handle.trigger(rpc_timeout=_WITHIN)


async def _described(handle: ScheduleHandle) -> Timed:
    described = await handle.describe(rpc_timeout=_WITHIN)
    state, coming = described.schedule.state, described.info.next_action_times
    return Timed(schedule_id=described.id, paused=state.paused, note=state.note or "", next=coming[0] if coming else None)


def _error(error: RPCError, schedule_id: str) -> StewardError:
    if error.status is RPCStatusCode.NOT_FOUND:
        return NotFound(f"there is no schedule {schedule_id!r}", hint="`./steward schedule list` shows them")
    return Retryable(f"Temporal did not answer: {error.message}", hint="`./steward status`")
