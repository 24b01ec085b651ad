"""The run's own record: started, finished, reverted, alerts, outcomes."""

import asyncio

from temporalio import activity

from activities.happened import ever, since_it_began
from activities.licensing import Licensing
from activities.measuring import Measurer
from activities.steps import AlertInput, EffectInput, FinishInput, OutcomeInput, RevertedInput, RunInput
from agents.skills.hand import hand_of_the_operator
from domain.errors import Retryable
from domain.event import EventData, new_event
from domain.events import OrderRefunded
from domain.model import Moment
from domain.ports import EventLog, State
from domain.runs import (
    ActedAlone,
    Alert,
    AlertRaised,
    Run,
    RunFinished,
    RunReverted,
    RunStarted,
)

_LOOKS, _LOOK_SECONDS = 100, 0.05


class RunActivities:
    def __init__(self, *, log: EventLog, state: State, measurer: Measurer, licensing: Licensing) -> None:
        self._log = log
        self._measurer = measurer
        self._licensing = licensing
        self._state = state

    @activity.defn
    async def start_run(self, run: RunInput) -> None:
        data = RunStarted(run_id=run.run_id, workflow=run.workflow, at=run.now)
        await self._append(data, run.now, run.run_id, run.run_id, run.now.isoformat())

    @activity.defn
    async def finish_run(self, end: FinishInput) -> None:
        """Close the record; a run that ended by itself says whether the operator had to help and whether they corrected it."""
        if end.status == "done":
            run = await self._state.get(Run, end.run_id)
            for metric, value in hand_of_the_operator(await since_it_began(self._log, end.run_id)).items():
                if run is None or not run.measured(metric):  # a correction is told when it is made
                    await self._measured(end.run_id, metric, value, end.now)
        data = RunFinished(run_id=end.run_id, at=end.now, status=end.status, result=end.result)
        await self._append(data, end.now, end.run_id, end.run_id, end.now.isoformat())

    @activity.defn
    async def await_end(self, request: EffectInput) -> None:
        """Wait until the run named by ``key`` has ended. Raises Retryable where that takes long."""
        for _ in range(_LOOKS):
            run = await self._state.get(Run, request.key)
            if run is None or run.status != "running":
                return
            await asyncio.sleep(_LOOK_SECONDS)
        raise Retryable(f"{request.key} still goes on")

    @activity.defn
    async def record_reverted(self, reverted: RevertedInput) -> None:
        """A run that left no record of its own (an imported one) is not invented here."""
        if await self._state.get(Run, reverted.run_id) is None:
            return
        await self._review(reverted)
        data = RunReverted(run_id=reverted.run_id, by=reverted.by, compensated=reverted.compensated, impossible=reverted.impossible)
        await self._append(data, reverted.now, reverted.run_id, reverted.run_id, reverted.now.isoformat())

    @activity.defn
    async def alert(self, alert: AlertInput) -> None:
        raised = Alert(
            key=alert.key, level=alert.level, text=alert.text, what_to_do=alert.what_to_do, run_id=alert.run_id, at=alert.now
        )
        await self._append(AlertRaised(alert=raised), alert.now, alert.run_id, alert.key, alert.now.isoformat())

    @activity.defn
    async def record_outcome(self, outcome: OutcomeInput) -> None:
        await self._measured(outcome.run_id, outcome.metric, outcome.value, outcome.now)

    async def _measured(self, run_id: str, metric: str, value: float, now: Moment) -> None:
        await self._measurer.measured(run_id=run_id, metric=metric, value=value, now=now, occurrence=f"{metric}/{now.isoformat()}")

    async def _review(self, reverted: RevertedInput) -> None:
        """What is taken back was not right: it counts against its class, and money that was paid was paid wrongly."""
        read = ever if reverted.everything else since_it_began
        for event in await read(self._log, reverted.run_id):
            if event.type == ActedAlone.type:
                key = str(event.data["class_key"])
                await self._licensing.reviewed(key, ref=f"reverted/{event.event_id}", corrected=True, now=reverted.now)
            if event.type == OrderRefunded.type:
                await self._measured(reverted.run_id, "refund-wrong", 1.0, reverted.now)

    async def _append(self, data: EventData, at: Moment, run: str, *key: str) -> None:
        await self._log.append([new_event(data, at=at, key=key, correlation_id=run)])
