"""A bypass in use: for its time nothing is asked that only the mode asks, and all of it is on record."""

from datetime import UTC, datetime, timedelta

from domain.bypasses import ActedUnderBypass, BypassClosed, BypassOpened
from domain.runs import KillSwitchSet
from tests.workflow import sample
from tests.workflow.conftest import World
from tests.workflow.test_governed_action import furnish


async def bypass(world: World, scope: str, *, ago: timedelta = timedelta(0)) -> None:
    """Open for an hour, from ``ago`` on."""
    at = datetime.now(UTC) - ago
    opened = BypassOpened(scope=scope, until=at + timedelta(hours=1), reason="a rush of mails", by="operator", at=at)
    await world.record(opened)


async def test_a_bypassed_action_is_done_without_a_question_and_says_so(world: World) -> None:
    """The run's record names the bypass and the gate's reasons; once it is closed, the next one is asked."""
    shop = await furnish(world, sample.order(), sample.order("1002"))
    await bypass(world, "support/cancel-order")
    run = await world.probe(sample.cancel())
    assert await run.result() == "committed"
    (said,) = [e for e in await world.kept.log.read(correlation_id=run.id) if e.type == ActedUnderBypass.type]
    assert said.data["bypass"]["reason"] == "a rush of mails"
    assert any("bypassed until" in reason for reason in said.data["reasons"])
    await world.record(BypassClosed(scope="support/cancel-order", by="operator"))
    again = await world.probe(sample.cancel("1002"))
    assert (await world.pending(again.id)).proposal.gate.reasons == ("the mode is ask",)
    assert shop.executed == 1


async def test_a_bypass_that_is_over_spares_nothing(world: World) -> None:
    """It ended a minute ago: the question is asked."""
    shop = await furnish(world)
    await bypass(world, "support", ago=timedelta(minutes=61))
    run = await world.probe(sample.cancel())
    approval = await world.pending(run.id)
    assert shop.executed == 0
    await world.decide(approval)
    assert await run.result() == "committed"


async def test_a_bypass_does_not_pass_the_kill_switch(world: World) -> None:
    """The effect is refused at its reservation, and kept as a question."""
    shop = await furnish(world)
    await bypass(world, "support")
    await world.record(KillSwitchSet(on=True, reason="strange mails", by="operator"))
    run = await world.probe(sample.cancel())
    approval = await world.pending(run.id)
    assert any("kill switch" in reason for reason in approval.proposal.gate.reasons)
    assert shop.executed == 0
