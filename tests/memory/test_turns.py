"""Several workers on one database: one of them takes the wake-ups out, and another one when that dies."""

import asyncio
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg

from memory.turns import in_turn
from settings import CHECKOUT

PROGRAM = """
import asyncio, sys
from memory.turns import in_turn

async def work():
    print("at work", flush=True)
    await asyncio.sleep(600)

asyncio.run(in_turn(sys.argv[1], "relay", work))
"""
SOON = 15.0


class Worker:
    """One that says when it is its turn, and whether it still is."""

    def __init__(self, url: str) -> None:
        self.at_work, self.begun = asyncio.Event(), 0
        self.task = asyncio.create_task(in_turn(url, "relay", self._work))

    async def _work(self) -> None:
        self.begun += 1
        self.at_work.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.at_work.clear()


@asynccontextmanager
async def workers(url: str, number: int) -> AsyncIterator[list[Worker]]:
    found = [Worker(url) for _ in range(number)]
    try:
        yield found
    finally:
        for worker in found:
            worker.task.cancel()
        await asyncio.gather(*(worker.task for worker in found), return_exceptions=True)


async def first_of(waiting: list[Worker]) -> Worker:
    async with asyncio.timeout(SOON):
        while not any(worker.at_work.is_set() for worker in waiting):  # noqa: ASYNC110 - what it waits for is in the database
            await asyncio.sleep(0.02)
    (found,) = (worker for worker in waiting if worker.at_work.is_set())
    return found


async def program(url: str) -> Process:
    """A process that has the turn."""
    command = (sys.executable, "-c", PROGRAM, url)
    process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL, cwd=CHECKOUT)
    assert process.stdout is not None
    await asyncio.wait_for(process.stdout.readuntil(b"at work\n"), SOON)
    return process


async def test_of_three_workers_one_is_at_work_and_another_takes_over(database_url: str) -> None:
    """Nobody else while it goes on; when it stops, the next."""
    async with workers(database_url, 3) as three:
        first = await first_of(three)
        first.task.cancel()
        await asyncio.gather(first.task, return_exceptions=True)
        second = await first_of([worker for worker in three if worker is not first])
        assert sorted(worker.begun for worker in three) == [0, 1, 1]
        assert (first.at_work.is_set(), second.at_work.is_set()) == (False, True)


async def test_who_loses_the_connection_stops_and_gets_in_line_again(database_url: str) -> None:
    """The turn is then another's, at most for a moment both."""
    async with workers(database_url, 1) as (one,):
        await first_of([one])
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as admin:
            await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database = "
                                "(SELECT oid FROM pg_database WHERE datname = current_database())")  # fmt: skip
        async with asyncio.timeout(SOON):
            while one.begun < 2:  # noqa: ASYNC110 - what it waits for is in the database
                await asyncio.sleep(0.02)
        await first_of([one])


async def test_a_worker_that_is_killed_gives_up_its_turn(database_url: str) -> None:
    """Within seconds."""
    killed = await program(database_url)
    try:
        async with workers(database_url, 1) as (other,):
            killed.send_signal(signal.SIGKILL)
            await first_of([other])
    finally:
        await killed.wait()


async def test_a_worker_that_is_frozen_loses_its_turn(database_url: str) -> None:
    """The database ends a session that is silent for long: the wake-ups go out all the same."""
    frozen = await program(database_url)
    try:
        async with workers(database_url, 1) as (other,):
            frozen.send_signal(signal.SIGSTOP)
            await first_of([other])
    finally:
        frozen.send_signal(signal.SIGKILL)
        await frozen.wait()
