"""Virtual time on the real server: it is the simulation's one assumption about it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from temporalio.worker import Worker

from demo.simulation import clocks as module
from demo.simulation.clocks import Clocks, connected
from demo.simulation.server import skipping_server
from tests.demo.sleeper import QUEUE, ParentWorkflow, SleeperWorkflow

START = datetime(2031, 3, 3, 9, tzinfo=UTC)
SOON = timedelta(seconds=30)  # real seconds pass in virtual time, too


@dataclass(frozen=True)
class Server:
    """``unused`` are the namespaces in which nothing has happened yet."""

    address: str
    unused: list[str]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    namespaces = [f"test-{number}" for number in range(8)]
    async with skipping_server(namespaces, folder=tmp_path_factory.mktemp("clocks")) as address:
        yield Server(address, namespaces)


@pytest.fixture
async def clocks(server: Server) -> AsyncIterator[Clocks]:
    client = await connected(server.address, server.unused.pop())
    async with Worker(client, task_queue=QUEUE, workflows=[SleeperWorkflow, ParentWorkflow]):
        yield Clocks(client, now=START)


async def woke(clocks: Clocks, run: str) -> list[datetime]:
    times = await clocks.client.get_workflow_handle(run).query(SleeperWorkflow.woke)
    return [datetime.fromisoformat(time) for time in times]


async def test_a_run_begins_at_the_time_of_the_simulation(clocks: Clocks) -> None:
    """Years ahead, without waiting for it."""
    await clocks.client.start_workflow(SleeperWorkflow.run, [24], id="one", task_queue=QUEUE)
    await clocks.advance(START)
    (began,) = await woke(clocks, "one")
    assert timedelta(0) <= began - START < SOON


async def test_what_is_due_happens_and_nothing_later(clocks: Clocks) -> None:
    """Timers that fall due on the way fire at their own time."""
    await clocks.client.start_workflow(SleeperWorkflow.run, [5, 5, 48], id="one", task_queue=QUEUE)
    await clocks.advance(START + timedelta(hours=24))
    times = await woke(clocks, "one")
    assert [round((time - START) / timedelta(hours=1)) for time in times] == [0, 5, 10]
    await clocks.advance(START + timedelta(hours=72))
    assert len(await clocks.client.get_workflow_handle("one").result()) == 4


async def test_runs_of_different_beginnings_stand_at_the_same_time(clocks: Clocks) -> None:
    """Each began at its own moment; both have lived until the same."""
    for run, hour in (("one", 1), ("two", 7)):
        clocks.now = START + timedelta(hours=hour)
        await clocks.client.start_workflow(SleeperWorkflow.run, [10, 10], id=run, task_queue=QUEUE)
    await clocks.advance(START + timedelta(hours=12))
    assert [len(await woke(clocks, run)) for run in ("one", "two")] == [2, 1]
    await clocks.advance(START + timedelta(hours=18))
    assert [len(await woke(clocks, run)) for run in ("one", "two")] == [2, 2]


async def test_a_run_that_another_one_starts_is_kept_at_the_same_time(clocks: Clocks) -> None:
    """It does not run ahead into a future that nobody else has lived."""
    await clocks.client.start_workflow(ParentWorkflow.run, [6, 24], id="parent", task_queue=QUEUE)
    await clocks.advance(START + timedelta(hours=8))
    times = await woke(clocks, "child")
    assert [round((time - START) / timedelta(hours=1)) for time in times] == [0, 6]


async def test_a_run_that_sleeps_past_the_moment_is_left_behind_and_wakes_when_it_is_due(clocks: Clocks) -> None:
    """Nothing is written into its history meanwhile, and its timer fires at its own time."""
    await clocks.client.start_workflow(SleeperWorkflow.run, [10, 10], id="one", task_queue=QUEUE)
    await clocks.advance(START + timedelta(hours=1))
    lengths = []
    for hour in (3, 6, 9):
        await clocks.advance(START + timedelta(hours=hour))
        lengths.append((await clocks.client.get_workflow_handle("one").describe()).history_length)
    assert len(set(lengths)) == 1
    await clocks.advance(START + timedelta(hours=12))
    assert [round((time - START) / timedelta(hours=1)) for time in await woke(clocks, "one")] == [0, 10]


async def test_a_skip_that_the_server_loses_is_done_again(clocks: Clocks, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first one never ends, and nothing has come of it."""
    await clocks.client.start_workflow(SleeperWorkflow.run, [5], id="one", task_queue=QUEUE)
    await clocks.advance(START)
    skip = clocks._skipper.fast_forward
    lost: list[timedelta] = []

    async def forgetful(handle: Any, duration: timedelta) -> bool:
        if not lost:
            lost.append(duration)
            await asyncio.Event().wait()
        return await skip(handle, duration)

    monkeypatch.setattr(clocks._skipper, "fast_forward", forgetful)
    monkeypatch.setattr(module, "_SKIP_SECONDS", 0.5)
    await clocks.advance(START + timedelta(hours=6))
    assert len(lost) == 1
    times = await clocks.client.get_workflow_handle("one").result()
    assert [round((datetime.fromisoformat(time) - START) / timedelta(hours=1)) for time in times] == [0, 5]
