"""Rollouts on the real server: woken by every result, asleep between them, unhurt by being asked twice."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from domain.experiments import Arm, Ending, Experiment, Stage
from learning.steering import stopped
from tests.unit.learning.trial import Trial
from tests.workflow.conftest import World
from tests.workflow.waiting import until


@dataclass(frozen=True)
class Rollout:
    """A trial of the support policy with its rollout, and the wake-ups taken to it by hand."""

    world: World
    trial: Trial

    async def deliver(self) -> None:
        """What the relay does: each committed wake-up of a rollout, at least once."""
        items = await self.world.kept.outbox.pending(1_000)
        for item in (i for i in items if i.topic == "rollout"):
            await self.world.gateway.wake(item, debounce=timedelta(0))
        await self.world.kept.outbox.delivered([i.item_id for i in items])

    async def ended(self) -> Experiment:
        async def one() -> Experiment | None:
            experiment = await self.trial.experiment()
            return experiment if experiment.stage is Stage.ENDED else None

        return await until(one)


@pytest.fixture
async def rollout(world: World) -> Rollout:
    """Started, and waiting for results with its clock standing still."""
    made = Rollout(world, Trial(world.kept, now=datetime.now(UTC)))
    await made.trial.start()
    with world.env.with_time_skipping_disabled():
        await made.deliver()
    return made


async def test_harm_is_taken_back_within_seconds_of_the_result_that_shows_it(rollout: Rollout) -> None:
    """From the deciding event to the old version in force: under five seconds."""
    await rollout.trial.results(24, control=0.0, treated=1.0)
    began = time.monotonic()
    await rollout.deliver()
    experiment = await rollout.ended()
    assert (experiment.ending, await rollout.trial.days()) == (Ending.ROLLED_BACK, 4)
    assert time.monotonic() - began < 5


async def test_a_result_that_never_comes_counts_when_its_window_closes(rollout: Rollout) -> None:
    """The rollout sleeps until then; nobody has to wake it."""
    at = datetime.now(UTC)
    await rollout.trial.expose("support/quiet", Arm.CANDIDATE, at=at)
    await rollout.trial.result("support/quiet", "reopened", 0.0, at=at)
    await rollout.deliver()

    async def seen() -> bool | None:
        return (await rollout.trial.experiment()).evidence.exposed == 1 or None

    assert await until(seen)
    run = rollout.world.client.get_workflow_handle("rollout/support/2")
    await rollout.world.env.fast_forward(run, timedelta(days=3, hours=1))

    async def matured() -> bool | None:
        return (await rollout.trial.experiment()).evidence.matured == 1 or None

    assert await until(matured)


async def test_what_the_operator_stops_ends_its_rollout(rollout: Rollout) -> None:
    """The operator's word reaches the sleeping run through the same door as results."""
    trial = rollout.trial
    await trial.tell(
        *stopped(await trial.experiment(), await trial.record(), by="operator", hard=False, why="enough", now=datetime.now(UTC))
    )
    await rollout.deliver()
    result = await rollout.world.client.get_workflow_handle("rollout/support/2", result_type=str).result()
    assert result.startswith("ended")
    assert "enough" in result
