"""A step that breaks again and again, for a reason nobody foresaw, is told to the operator."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog
from temporalio import activity

from domain.errors import DuplicateConflict
from domain.event import EventData, new_event
from domain.ports import EventLog, State
from domain.runs import Alert, AlertClosed, AlertLevel, AlertRaised

AFTER_ATTEMPTS = 5
_PATIENCE_SECONDS = 5.0


class StuckSteps:
    """One alert a run and step, ``stuck/<run>/<step>``, closed when the step goes through. Telling never breaks the step."""

    def __init__(self, *, log: EventLog, state: State) -> None:
        self._log = log
        self._state = state

    async def broke(self, error: Exception) -> None:
        """Raise the alert, from the fifth attempt on, until it is written; it is raised once for each time the step is due."""
        if activity.info().attempt >= AFTER_ATTEMPTS:
            await _unharmed(self._raise(error))

    async def went_through(self) -> None:
        if activity.info().attempt > AFTER_ATTEMPTS:
            await _unharmed(self._close())

    async def _raise(self, error: Exception) -> None:
        info = activity.info()
        alert = Alert(
            key=_key(),
            level=AlertLevel.WARNING,
            text=f"{info.activity_type} broke {AFTER_ATTEMPTS} times and is tried on: {type(error).__name__}",
            what_to_do=f"the worker's log says where; `./steward cancel {info.workflow_id}` gives the run up",
            run_id=info.workflow_id or "",
            at=info.started_time,
        )
        try:
            await self._append(AlertRaised(alert=alert))
        except DuplicateConflict:
            return  # told at an earlier attempt

    async def _close(self) -> None:
        alert = await self._state.get(Alert, _key())
        if alert is not None and alert.open:
            await self._append(AlertClosed(key=alert.key, by="steward"))

    async def _append(self, data: EventData) -> None:
        info = activity.info()
        occurrence = (info.workflow_run_id or "", info.activity_id)
        event = new_event(data, at=info.started_time, key=(_key(), *occurrence), correlation_id=info.workflow_id or "")
        await self._log.append([event])


async def _unharmed(telling: Coroutine[Any, Any, None]) -> None:
    try:
        await asyncio.wait_for(telling, _PATIENCE_SECONDS)
    except Exception as error:  # noqa: BLE001 - the step matters more than what is said of it
        structlog.get_logger().warning("could not tell of a stuck step", error=str(error))


def _key() -> str:
    info = activity.info()
    return f"stuck/{info.workflow_id}/{info.activity_type}"[:200]
