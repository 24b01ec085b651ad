"""Virtual time on the real Temporal server: every run has a clock of its own, and this keeps them together.

A run is started with a delay up to the simulation's time and then put forward, so that its own clock says so from its
first task on. A clock that nobody puts forward goes at the real pace; it stands still while an activity works. The
server's interface for this is experimental; nothing outside this module knows it.

Most runs wait for days, and putting a clock forward costs the server several calls. So a run whose next timer is later
than the moment is left behind: nothing can happen in it, and it is brought up before anybody speaks to it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.client import (
    Client,
    Interceptor,
    OutboundInterceptor,
    StartWorkflowInput,
    StartWorkflowUpdateInput,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowUpdateHandle,
)
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import TimeSkipper, TimeSkippingConfig

from demo.simulation.timers import Timers, timers_of
from domain.errors import SetupError

_LOOK_SECONDS = 0.03
_PATIENCE_SECONDS = 120.0
_NUDGE_SECONDS = 3.0
_SKIP_SECONDS, _SKIPS = 20.0, 6  # a clock stands still while an activity works, so that a skip may take its time
_UP_WITHIN_SECONDS = 60.0
_RUNNING = "ExecutionStatus = 'Running'"
_GONE = (RPCStatusCode.NOT_FOUND, RPCStatusCode.FAILED_PRECONDITION)


class Clocks:
    """The clocks of all runs that ``client`` starts. ``now`` is the simulation's time: it never goes back."""

    def __init__(self, client: Client, *, now: datetime) -> None:
        self.now = now
        self._ahead: dict[str, timedelta] = {}  # of the real clock, by run
        self._timers: dict[str, Timers] = {}
        self._resting: set[str] = set()  # runs to which nothing has happened since their timers were read
        # What a run starts keeps the time of its start until it is put forward itself.
        self._skipper = TimeSkipper(client, config=TimeSkippingConfig(disable_propagation=True))
        config = client.config()
        config["interceptors"] = [*config["interceptors"], _InThePresent(self._present)]
        self.client = Client(**config)

    async def advance(self, moment: datetime) -> None:
        """Put every clock that matters forward to ``moment``, and wait until everything that was due by then is done."""
        self.now = max(self.now, moment)
        chosen = [run for run in self._ahead if not self._sleeps_past(run, moment)]
        while chosen:
            await self.put_forward(chosen, moment)
            chosen = await self._adopted()

    def _sleeps_past(self, run: str, moment: datetime) -> bool:
        wakes = self._timers[run].next if run in self._resting else moment
        return wakes is None or wakes > moment

    async def put_forward(self, runs: Iterable[str], moment: datetime) -> None:
        """The clocks of ``runs`` alone."""
        known = [run for run in runs if run in self._ahead]
        await asyncio.gather(*(self._put_forward(run, moment) for run in known))
        await self.rest(known)

    async def rest(self, runs: Iterable[str]) -> None:
        """Wait until each of ``runs`` has ended or waits for somebody. Raises SetupError where one never does."""
        clock = asyncio.get_running_loop().time
        began = nudged = clock()
        busy = list(dict.fromkeys(runs))
        while busy := [run for run, rests in zip(busy, await asyncio.gather(*map(self._rests, busy)), strict=True) if not rests]:
            if clock() > began + _PATIENCE_SECONDS:
                waits_for = await self._worked_on(busy[0])
                raise SetupError(f"{busy[0]} does not come to rest: {waits_for}", hint="this is a fault of the simulation")
            if clock() > nudged + _NUDGE_SECONDS:
                await asyncio.gather(*map(self._nudge, busy))
                nudged = clock()
            await asyncio.sleep(_LOOK_SECONDS)

    async def _nudge(self, run: str) -> None:
        """A busy server can lose the timer with which a run begins: put forward once more, it looks for it again."""
        found = await self.client.get_workflow_handle(run).describe()
        if found.status is WorkflowExecutionStatus.RUNNING and not _is_worked_on(found) and run in self._ahead:
            await self._put_forward(run, _real_now() + self._ahead[run] + timedelta(seconds=1))

    async def _worked_on(self, run: str) -> str:
        """What holds it up, for whoever has to mend it."""
        raw = (await self.client.get_workflow_handle(run).describe()).raw_description
        steps = [
            f"{p.activity_type.name}, attempt {p.attempt}: {p.last_failure.message or 'no failure'}" for p in raw.pending_activities
        ]
        return "; ".join(steps) or (
            "a workflow task" if raw.HasField("pending_workflow_task") else "nothing that the server knows of"
        )

    async def _adopted(self) -> list[str]:
        """Runs that other runs started: from now on their clocks are kept too."""
        found = [run.id async for run in self.client.list_workflows(_RUNNING) if run.id not in self._ahead]
        for run in found:
            current = await self._skipper.get_current_time(self._skipper.client.get_workflow_handle(run))
            self._ahead[run] = current - _real_now()
        return found

    async def _put_forward(self, run: str, moment: datetime) -> None:
        for _ in range(_SKIPS):
            if run not in self._ahead:  # it ended meanwhile
                return
            duration = moment - (_real_now() + self._ahead[run])
            if duration <= timedelta(0) or await self._skipped(run, duration):
                return
        raise SetupError(f"the clock of {run} cannot be put forward", hint="this is a fault of the simulation")

    async def _skipped(self, run: str, duration: timedelta) -> bool:
        """Whether the server did it, or the run is gone. A busy server can lose a skip: then the clock is where that says."""
        handle: WorkflowHandle[Any, Any] = self._skipper.client.get_workflow_handle(run)
        self._resting.discard(run)
        self._ahead[run] += duration
        try:
            if await self._in_time(handle, duration):
                return True
            self._ahead[run] = await self._skipper.get_current_time(handle) - _real_now()
        except RPCError as error:
            if error.status not in _GONE:
                raise
            return True
        return False

    async def _in_time(self, handle: WorkflowHandle[Any, Any], duration: timedelta) -> bool:
        try:
            async with asyncio.timeout(_SKIP_SECONDS):
                await self._skipper.fast_forward(handle, duration)
        except TimeoutError:
            return False
        return True

    async def _rests(self, run: str) -> bool:
        found = await self.client.get_workflow_handle(run).describe()
        if found.status is not WorkflowExecutionStatus.RUNNING:
            self._forget(run)
            return True
        if _is_worked_on(found):
            return False
        known = self._timers.get(run, Timers())
        timers = self._timers[run] = await timers_of(self.client, run, found.run_id, known)
        if not timers.begun:  # for a moment the server knows only that it was started
            return False
        if timers.seen != found.history_length:  # it went on between the two looks, and may be about to set a timer
            return False
        self._resting.add(run)
        return True

    def _forget(self, run: str) -> None:
        self._ahead.pop(run, None)
        self._timers.pop(run, None)
        self._resting.discard(run)

    async def _present(self, run: str) -> timedelta:
        """Bring a run to the simulation's time before it is spoken to; the delay with which it starts where there is none."""
        self._resting.discard(run)
        if run in self._ahead:
            await self._put_forward(run, self.now)
        else:
            self._ahead[run] = timedelta(0)
        return max(self.now - _real_now(), timedelta(0))


Present = Callable[[str], Awaitable[timedelta]]


class _InThePresent(Interceptor):
    """Whoever is started, signalled or decided stands at the simulation's time."""

    def __init__(self, present: Present) -> None:
        self._present = present

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002 - the base names it
        return _Outbound(next, self._present)


class _Outbound(OutboundInterceptor):
    def __init__(self, inner: OutboundInterceptor, present: Present) -> None:
        super().__init__(inner)
        self._present = present

    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:  # noqa: A002 - the base names it
        input.start_delay = await self._present(input.id)
        return await super().start_workflow(input)

    async def start_workflow_update(self, input: StartWorkflowUpdateInput) -> WorkflowUpdateHandle[Any]:  # noqa: A002 - the base names it
        await self._present(input.id)
        return await super().start_workflow_update(input)


def _is_worked_on(found: WorkflowExecutionDescription) -> bool:
    raw = found.raw_description
    return bool(raw.pending_activities or raw.HasField("pending_workflow_task"))


def _real_now() -> datetime:
    return datetime.now(UTC)


async def connected(address: str, namespace: str) -> Client:
    """A client of the skipping server, once it answers there. Raises SetupError."""
    deadline = asyncio.get_running_loop().time() + _UP_WITHIN_SECONDS
    while True:
        try:
            return await Client.connect(address, namespace=namespace, data_converter=pydantic_data_converter)
        except RuntimeError as error:
            if asyncio.get_running_loop().time() > deadline:
                raise SetupError(f"the simulation's Temporal server does not answer: {error}", hint="see temporal.log") from error
            await asyncio.sleep(_LOOK_SECONDS)
