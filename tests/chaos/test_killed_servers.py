"""Postgres and the Temporal server are killed with SIGKILL in the middle of a busy day, each twice."""

import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path

import pytest
from temporalio.client import WorkflowExecutionStatus

import stack
from domain.effects import EffectStatus
from memory.migrations import migrate
from settings import Settings
from tests.chaos.arena import furnish, played
from tests.chaos.ending import Ending
from tests.chaos.processes import Orders
from tests.chaos.scenarios import BUSY_DAY, CUSTOMERS
from tests.chaos.world import World, opened
from tests.stack.support import kill

KILLED_AFTER = (5, 15)
"""Committed effects, of thirty-one."""
EFFECTS = Counter({"refund-order": CUSTOMERS, "send-reply": 2 * CUSTOMERS, "place-purchase-order": 1})
RECORDED = {
    "order.refunded": CUSTOMERS,
    "ticket.reply-sent": 2 * CUSTOMERS,
    "purchase-order.sent": 1,
    "run.finished": CUSTOMERS + 1,
}


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
    own_world: World, settings: Settings, server: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Ten tickets with a refund and two mails each, and a purchase order, come to their ends with every effect done once."""

    async def dies(world: World) -> None:
        for number in KILLED_AFTER:
            await world.eventually(partial(_committed, world, number))
            kill(settings, server)

    ending = (await played(BUSY_DAY, own_world, meanwhile=dies)).ending
    with capfd.disabled():
        print(f"\n{_counts(server, ending)}", file=sys.stderr, flush=True)
    assert stack.status(settings).part(server).restarts == len(KILLED_AFTER)
    assert ending.outside == ending.ledger == EFFECTS
    assert {name: ending.events[name] for name in RECORDED} == RECORDED
    assert set(ending.runs.values()) == {WorkflowExecutionStatus.COMPLETED}
    assert not ending.broken


async def _committed(world: World, number: int) -> bool:
    return len(await world.kept.ledger.effects(status=EffectStatus.COMMITTED)) >= number


def _counts(server: str, ending: Ending) -> str:
    lost, doubled = EFFECTS - ending.outside, ending.outside - EFFECTS
    return (
        f"chaos: {server}: {len(KILLED_AFTER)} kills, {ending.outside.total()} effects, "
        f"{lost.total()} lost, {doubled.total()} doubled"
    )
