"""Postgres and the Temporal server are killed with SIGKILL in the middle of a busy day, each twice."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

import stack
from domain.effects import EffectStatus
from memory.migrations import migrate
from settings import Settings
from tests.chaos.arena import Arena, Report, furnish, played
from tests.chaos.ending import Ending
from tests.chaos.processes import Orders
from tests.chaos.scenarios import BUSY_DAY
from tests.chaos.world import World, opened
from tests.stack.support import kill

KILLED_AFTER = (5, 15)
"""Committed effects, of some thirty."""


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    given = Settings.load({"STEWARD_HOME": str(tmp_path / "home")})
    yield given
    stack.stop(given)


@pytest.fixture
async def own_world(settings: Settings) -> AsyncIterator[World]:
    """On a stack of its own, whose supervisor restarts what dies."""
    up = stack.start(settings, worker=False)
    await migrate(up.database_url)
    orders = Orders(
        database_url=up.database_url,
        chroma_url=up.chroma_url,
        temporal_address=up.temporal_address,
        namespace=up.temporal_namespace,
        home=settings.home,
        sticky=True,
    )
    async with opened(orders) as world:
        await furnish(world, BUSY_DAY)
        yield world


@pytest.mark.timeout(300)
@pytest.mark.parametrize("server", ["postgres", "temporal"])
async def test_a_busy_day_survives_the_death_of_a_server(
    arena: Arena, own_world: World, settings: Settings, server: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Ten tickets and a replenishment end as in a world in which nothing died, with every effect done once."""
    expected, _ = await arena.undisturbed(BUSY_DAY)

    async def dies(world: World) -> None:
        for number in KILLED_AFTER:
            await world.eventually(lambda: _committed(world, number))
            kill(settings, server)

    report = await played(BUSY_DAY, own_world, meanwhile=dies)
    with capfd.disabled():
        print(f"\n{_counts(server, expected, report)}", flush=True)
    assert stack.status(settings).part(server).restarts == len(KILLED_AFTER)
    assert report.ending == expected


async def _committed(world: World, number: int) -> bool:
    return len(await world.kept.ledger.effects(status=EffectStatus.COMMITTED)) >= number


def _counts(server: str, expected: Ending, report: Report) -> str:
    lost, doubled = report.ending.lost(expected), report.ending.doubled(expected)
    return (
        f"chaos: {server} killed {len(KILLED_AFTER)} times: {report.ending.outside.total()} effects, "
        f"{lost.total()} lost, {doubled.total()} doubled"
    )
