"""Runs scenarios in worlds of their own: once undisturbed, to see what is passed; then again, killed at each passage."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, LiteralString
from uuid import uuid4

import psycopg
from psycopg.conninfo import make_conninfo

from connectors.local_shop import LocalShop
from domain.actions import Capability
from domain.errors import StewardError
from tests.chaos.ending import Ending, ending
from tests.chaos.passages import Passage, written
from tests.chaos.processes import Orders, start_worker
from tests.chaos.scenarios import CUSTOMERS, ON_HAND, Scenario, business, order
from tests.chaos.world import PATIENCE, World, new_namespace, opened
from tests.conftest import TEMPLATE, Servers

AT_ONCE = 10
"""So many worlds are under way side by side; most of them wait."""
LOOKED_AFTER = 0.5
"""Seconds between two looks at a world: more often costs more than the world itself does."""
MOURNED = 0.05
"""Seconds until a dead worker is noticed, which costs nothing."""
ANALYTICS = "slug,day,impressions,clicks\nmoss-mug,2026-03-01,100,20\n"


@dataclass(frozen=True, kw_only=True)
class Report:
    """One world from its beginning to its end, and how many of its workers died on the way."""

    passages: Sequence[Passage]
    kills: int
    ending: Ending


class Arena:
    """Makes worlds on shared servers. ``folder`` holds their homes."""

    def __init__(self, servers: Servers, *, temporal_address: str, folder: Path) -> None:
        self._servers = servers
        self._temporal = temporal_address
        self._folder = folder
        self._places = asyncio.Semaphore(AT_ONCE)

    async def undisturbed(self, scenario: Scenario) -> tuple[Ending, list[Passage]]:
        """How it ends when nothing goes wrong, and every passage of its targets on the way."""
        async with self._places, self.world(scenario) as world:
            journal = world.orders.home / "passages"
            report = await played(scenario, world, journal=journal)
            return report.ending, [p for p in written(journal) if p.run in scenario.targets]

    async def killed_at(self, scenario: Scenario, passages: Sequence[Passage]) -> Report:
        """The same with a worker that dies at one of ``passages``, another one that dies at another, and so on."""
        async with self._places, self.world(scenario) as world:
            return await played(scenario, world, die_at=passages)

    @asynccontextmanager
    async def world(self, scenario: Scenario) -> AsyncIterator[World]:
        """A world in which the scenario's history has happened, and its wake-ups have been taken care of."""
        home = self._folder / f"{scenario.name}-{uuid4().hex[:8]}"
        home.mkdir()
        async with _database(self._servers) as database_url:
            orders = Orders(
                database_url=database_url,
                chroma_url=self._servers.chroma_url,
                temporal_address=self._temporal,
                namespace=await new_namespace(self._temporal),
                home=home,
            )
            async with opened(orders) as world:
                await furnish(world, scenario)
                yield world


async def furnish(world: World, scenario: Scenario) -> None:
    """What was before: a business that has sold to all its customers."""
    bought = [order(number) for number in range(1, CUSTOMERS + 1)]
    await world.record(*business(*bought), *scenario.history)
    await world.kept.outbox.delivered([item.item_id for item in await world.kept.outbox.pending()])
    shop = world.connectors[Capability.SHOP]
    assert isinstance(shop, LocalShop)
    await shop.put_orders(bought)
    await shop.put_stock(dict.fromkeys(scenario.articles, ON_HAND))
    (world.orders.home / "outside" / "analytics.csv").write_text(ANALYTICS)


async def _nothing(_world: World) -> None:
    """No disturbance from outside."""


async def played(
    scenario: Scenario,
    world: World,
    *,
    die_at: Sequence[Passage] = (),
    journal: Path | None = None,
    meanwhile: Callable[[World], Coroutine[Any, Any, None]] = _nothing,
) -> Report:
    """From what happens to the end of all runs, or to the end of patience: then the ending shows runs that go on."""
    workers = _Workers(world.orders, die_at=die_at, journal=journal)
    async with asyncio.TaskGroup() as group:
        happening = [group.create_task(scenario.happens(world)), group.create_task(meanwhile(world))]
        operator = group.create_task(_operator(world, hold_seconds=scenario.hold_seconds))
        deadline = time.monotonic() + PATIENCE
        try:
            while not (all(task.done() for task in happening) and await world.ended(scenario.runs)):
                if time.monotonic() > deadline:
                    break
                await workers.look_after(seconds=LOOKED_AFTER)
            return Report(passages=die_at, kills=workers.kills, ending=await ending(world, scenario.runs))
        finally:
            for task in (operator, *happening):
                task.cancel()
            workers.stop()


class _Workers:
    """One worker at a time; each dies at the first passage that killed none before it, and the last one lives."""

    def __init__(self, orders: Orders, *, die_at: Sequence[Passage], journal: Path | None) -> None:
        self._orders = replace(orders, die_at=tuple(die_at), journal=journal)
        self.kills = 0
        self._worker = start_worker(self._orders)

    async def look_after(self, *, seconds: float) -> None:
        """For so long, put another worker in the place of one that died."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self._worker.exitcode is not None:
                self._replace()
            await asyncio.sleep(MOURNED)

    def _replace(self) -> None:
        if self._worker.exitcode != -signal.SIGKILL:
            raise AssertionError(f"the worker ended by itself: see {self._orders.home}/worker.log")
        self.kills += 1
        self._worker = start_worker(self._orders)

    def stop(self) -> None:
        self._worker.kill()
        self._worker.join()


async def _operator(world: World, *, hold_seconds: int) -> None:
    """Says yes whenever asked; what does not reach its run is said again."""
    while True:
        with suppress(StewardError):
            await world.approve_everything(hold_seconds=hold_seconds)
        await asyncio.sleep(LOOKED_AFTER)


@asynccontextmanager
async def _database(servers: Servers) -> AsyncIterator[str]:
    """Made and dropped in a thread: the server waits for all its clients then, and some of them are in this very loop."""
    name = f"chaos_{uuid4().hex[:12]}"
    await asyncio.to_thread(_run, servers, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY FILE_COPY")
    yield make_conninfo(servers.admin_url, dbname=name)
    await asyncio.to_thread(_run, servers, f"DROP DATABASE {name} WITH (FORCE)")


def _run(servers: Servers, statement: LiteralString) -> None:
    with psycopg.connect(servers.admin_url, autocommit=True) as admin:
        admin.execute(statement)
