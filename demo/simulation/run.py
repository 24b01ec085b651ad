"""Both arms side by side: servers of the simulation's own, a database and a namespace an arm."""

import asyncio
import shutil
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

import connectors
import memory
import stack
import worker
from demo.data import load
from demo.simulation.arm import Arm, DayDone
from demo.simulation.clocks import connected
from demo.simulation.figures import ArmFigures
from demo.simulation.report import WITH_LEARNING, WITHOUT_LEARNING, SimulationReport
from demo.simulation.scenario import Scenario
from demo.simulation.server import skipping_server
from domain.entities import Shop
from domain.errors import StewardError
from memory.migrations import migrate
from models.embedding import WordLlamaEmbedder
from settings import Settings

_NAMES = {True: WITH_LEARNING, False: WITHOUT_LEARNING}
_SERVERS = "servers"  # the folder of everything that is gone in the end


@dataclass(frozen=True)
class Servers:
    """Where the simulation's own servers answer. New databases are made from ``database_url``."""

    database_url: str
    chroma_url: str
    temporal_address: str


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
                yield Servers(found.database_url, found.chroma_url, address)
            finally:
                await asyncio.to_thread(stack.stop, own)
    finally:
        await _emptied(settings)


async def run_arm(servers: Servers, folder: Path, plan: Plan, *, learning: bool, done: DayDone) -> ArmFigures:
    """One arm, on the composition of the worker; only the outside world is in memory, and no model key is used."""
    name = namespace(learning)
    database_url = await _fresh_database(servers.database_url, name)
    client = await connected(servers.temporal_address, name)
    keyless = Settings.load({"STEWARD_HOME": str(folder / _SERVERS / name)})
    addresses = {"database_url": database_url, "chroma_url": servers.chroma_url}
    async with memory.open_memory(**addresses, embedder=WordLlamaEmbedder(), home=keyless.home) as kept:
        outside = replace(await worker.outside_of(keyless, kept), connectors=connectors.in_memory())
        arm = Arm(kept, client, outside, scenario=plan.scenario, seed=plan.seed, learning=learning)
        return await arm.live(plan.days, done=done)


def namespace(learning: bool) -> str:
    """The name of an arm's namespace and database."""
    return "learning" if learning else "baseline"


async def _fresh_database(server_url: str, name: str) -> str:
    async with await psycopg.AsyncConnection.connect(server_url, autocommit=True) as admin:
        await admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    url = make_conninfo(server_url, dbname=name)
    await migrate(url)
    return url


async def _emptied(settings: Settings) -> None:
    """Stop what an earlier simulation may have left running here, and remove its files."""
    await asyncio.to_thread(stack.stop, settings)
    await asyncio.to_thread(shutil.rmtree, settings.home, ignore_errors=True)
