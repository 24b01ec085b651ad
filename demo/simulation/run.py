"""Both arms side by side: servers of the simulation's own; a process, a database and a namespace an arm."""

import asyncio
import os
import shutil
import signal
import sys
from asyncio.subprocess import PIPE
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

import stack
from demo.data import load
from demo.simulation.arm import DayDone
from demo.simulation.figures import ArmFigures
from demo.simulation.living import Servers, Task, Told
from demo.simulation.report import WITH_LEARNING, WITHOUT_LEARNING, SimulationReport
from demo.simulation.scenario import Scenario
from demo.simulation.server import skipping_server
from domain.entities import Shop
from domain.errors import SetupError, StewardError
from settings import CHECKOUT, Settings
from stack.part import Launch, send, spawn
from stack.worker_part import ONE_THREAD

_NAMES = {True: WITH_LEARNING, False: WITHOUT_LEARNING}
_SERVERS = "servers"  # the folder of everything that is gone in the end
_COMPLAINTS = 8  # lines of what a process said before it broke down


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to be simulated; ``arms`` says of each whether it learns."""

    days: int
    seed: int
    scenario: Scenario
    arms: tuple[bool, ...] = (True, False)


def simulate(folder: Path, plan: Plan, *, console: Console) -> SimulationReport:
    """Live through the days in every arm at the same time, then stop everything. All of it lies in ``folder``.

    Raises StewardError, and KeyboardInterrupt where the process is told to stop.
    """
    stop = _Stop()
    try:
        return asyncio.run(_simulated(folder, plan, console, stop))
    except (asyncio.CancelledError, StewardError) as error:
        if stop.told:  # whatever was under way failed for want of what was being stopped
            raise KeyboardInterrupt from error
        raise


class _Stop:
    """Ctrl-C and SIGTERM: the simulation is cancelled once, and then stops everything it started."""

    told = False

    def listen(self) -> None:
        for name in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(name, self._cancel, asyncio.current_task())

    def _cancel(self, task: "asyncio.Task[Any] | None") -> None:
        if task is not None and not self.told:
            self.told = True
            task.cancel()


async def _simulated(folder: Path, plan: Plan, console: Console, stop: _Stop) -> SimulationReport:
    stop.listen()
    began = datetime.now(UTC)
    async with AsyncExitStack() as open_things:
        with console.status("starting PostgreSQL, Temporal and Chroma for the simulation"):
            servers = await open_things.enter_async_context(servers_in(folder / _SERVERS, plan.arms))
        figures = await _all_arms(servers, folder, plan, console)
    shop = Shop.model_validate(load("shop")["shop"])
    return SimulationReport(
        shop=shop.name,
        currency=shop.currency,
        days=plan.days,
        seed=plan.seed,
        scenario=plan.scenario.model_dump(mode="json"),
        started_at=began,
        finished_at=datetime.now(UTC),
        arms=tuple(figures),
    )


async def _all_arms(servers: Servers, folder: Path, plan: Plan, console: Console) -> list[ArmFigures]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        bars = {learning: progress.add_task(f"days {_NAMES[learning]}", total=plan.days) for learning in plan.arms}

        def done_of(learning: bool) -> DayDone:
            return lambda day: progress.update(bars[learning], completed=day)

        arms = [asyncio.create_task(run_arm(servers, folder, plan, learning=a, done=done_of(a))) for a in plan.arms]
        try:
            return list(await asyncio.gather(*arms))
        finally:
            for arm in arms:
                arm.cancel()
            await asyncio.gather(*arms, return_exceptions=True)


@asynccontextmanager
async def servers_in(home: Path, arms: Sequence[bool]) -> AsyncIterator[Servers]:
    """Servers with nothing in them, until the end; then their files are gone too. Raises SetupError."""
    settings = Settings.load({"STEWARD_HOME": str(home)})
    await _emptied(settings)
    await asyncio.to_thread(home.mkdir, parents=True)
    try:
        async with skipping_server(map(namespace, arms), folder=home.parent) as address:
            own = settings.model_copy(update={"temporal_address": address})
            try:
                found = await asyncio.to_thread(stack.start, own, worker=False)
                yield Servers(database_url=found.database_url, chroma_url=found.chroma_url, temporal_address=address)
            finally:
                await asyncio.to_thread(stack.stop, own)
    finally:
        await _emptied(settings)


async def run_arm(servers: Servers, folder: Path, plan: Plan, *, learning: bool, done: DayDone) -> ArmFigures:
    """One arm, in a process of its own. Raises StewardError where that has no figures to tell."""
    name = namespace(learning)
    task = Task(
        name=name,
        learning=learning,
        days=plan.days,
        seed=plan.seed,
        scenario=plan.scenario,
        servers=servers,
        home=folder / _SERVERS / name,
    )
    complaints = deque[str](maxlen=_COMPLAINTS)
    async with _told(task) as lines:
        async for line in _whole(lines):
            try:
                told = Told.model_validate_json(line)
            except ValidationError:
                complaints.append(line.decode(errors="replace").rstrip())
                continue
            if told.error:
                raise SetupError(told.error, hint=told.hint)
            done(told.day)
    if not task.figures.exists():
        raise SetupError(f"the days {_NAMES[learning]} ended before their time", hint="\n  ".join(["it said:", *complaints]))
    return ArmFigures.model_validate_json(task.figures.read_text())


async def _whole(lines: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """Line by line, without those that are too long to be ours (64 KiB)."""
    while True:
        try:
            line = await lines.readline()
        except ValueError:  # and what was read of it is gone
            continue
        if not line:
            return
        yield line


@asynccontextmanager
async def _told(task: Task) -> AsyncIterator[asyncio.StreamReader]:
    """What the process of an arm says; it is over when this is left."""
    command = (sys.executable, "-m", "demo.simulation.living")
    environ = {**os.environ, **ONE_THREAD}
    arm = await spawn(Launch(command, environ, folder=CHECKOUT), death_signal=signal.SIGTERM, out=PIPE, stdin=PIPE)
    assert arm.stdin
    assert arm.stdout
    try:
        arm.stdin.write(task.model_dump_json().encode() + b"\n")
        yield arm.stdout
    finally:
        send(arm, signal.SIGTERM)
        await arm.wait()


def namespace(learning: bool) -> str:
    """The name of an arm's namespace and database."""
    return "learning" if learning else "baseline"


async def _emptied(settings: Settings) -> None:
    """Stop what an earlier simulation may have left running here, and remove its files."""
    await asyncio.to_thread(stack.stop, settings)
    await asyncio.to_thread(shutil.rmtree, settings.home, ignore_errors=True)
