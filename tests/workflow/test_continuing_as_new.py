"""Long runs continue as new: on a server that finds every history long, nothing is lost and nothing happens twice."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowHandle

from domain.approvals import Approval, Verb
from domain.decisions import Mode
from domain.entities import Direction, PurchaseOrder
from domain.events import PurchaseOrderReceived, StockCounted
from domain.runs import Run
from tests.workflow import sample
from tests.workflow.conftest import World
from tests.workflow.test_stock_replenishment import goods, open_shop, orders_of
from tests.workflow.test_support_triage import SHIPPED, WHERE, Desk
from tests.workflow.timeskipping import started_server
from tests.workflow.waiting import until
from workflows.stock_replenishment import Crossed, StockReplenishmentWorkflow

INVOICE = "Could you send me the invoice for order 1001?"
RETURN = "How do I send the mug from order 1001 back? I would like to return it."


@pytest.fixture(scope="module")
def skipping_server() -> Iterator[str]:
    """It suggests to continue as new after some dozen events, where others do after thousands."""
    with started_server("limit.historyCount.suggestContinueAsNew=12") as address:
        yield address


async def continued(run: WorkflowHandle[Any, Any], first: str) -> str:
    """The id of the execution that took over from ``first``, once one has."""

    async def another() -> str | None:
        now = (await run.describe()).run_id
        return now if now != first else None

    return await until(another)


async def execution(run: WorkflowHandle[Any, Any]) -> str:
    return (await run.describe()).run_id


async def test_a_long_conversation_is_answered_once_a_message(world: World) -> None:
    """Three letters, three answers, over several executions of one run, which opens its record once."""
    desk = Desk(world)
    await desk.open(sample.order(**SHIPPED))
    run = await desk.mail(WHERE)
    await desk.sent(1)
    for number, letter in ((2, INVOICE), (3, RETURN)):
        before = await execution(run)
        await desk.mail(letter, number=number)
        await desk.sent(number)
        await continued(run, before)
    await world.env.fast_forward(run, timedelta(days=10))
    assert (await run.result()).startswith("closed")
    answered = [m.in_reply_to for m in (await desk.kept_ticket()).messages if m.direction is Direction.OUTBOUND]
    assert answered[:3] == ["m1@example.org", "m2@example.org", "m3@example.org"]
    assert len(answered) == 4  # and one follow-up
    outcomes = [o.metric for o in (await record_of(world, run.id)).outcomes]
    assert outcomes.count("first-response-minutes") == 1


async def test_a_question_of_the_new_execution_is_decided_as_ever(world: World) -> None:
    """The question belongs to the run, not to one of its executions."""
    desk = Desk(world)
    await desk.open(sample.order(**SHIPPED), mode=Mode.ASK)
    run = await desk.mail(WHERE)
    await world.decide(await world.pending(run.id))
    await desk.sent(1)
    before = await execution(run)
    await desk.mail(INVOICE, number=2)
    await continued(run, before)
    question = await world.pending(run.id)
    assert await world.decide(question, Verb.APPROVE) == "recorded: approve"
    assert len(await desk.sent(2)) == 2
    assert {a.status for a in await world.kept.state.find(Approval)} == {"approved"}


async def test_a_run_that_watches_deliveries_goes_on_watching(world: World) -> None:
    """It continues as new between two looks, neither orders again nor forgets what it ordered."""
    outside = await open_shop(world, *goods("mug", "north", on_hand=2))
    run = await started(world)
    (order,) = await orders_of(world, 1)
    before = await execution(run)
    await world.env.fast_forward(run, timedelta(days=9))
    await continued(run, before)
    came = order.expected_at + timedelta(days=4)
    await world.record(PurchaseOrderReceived(purchase_order_id=order.purchase_order_id, at=came), at=came)
    await world.env.fast_forward(run, timedelta(days=3))
    assert await run.result() == "1 purchase orders"
    assert outside.executed == 1
    assert [o.metric for o in (await record_of(world, run.id)).outcomes].count("supplier-lateness") == 1


async def test_a_waiting_order_is_not_left_behind(world: World) -> None:
    """Days of crossings and looks go by: the question stays where it is, and its answer counts."""
    outside = await open_shop(world, *goods("mug", "north", on_hand=2), mode=Mode.ASK)
    run = await started(world)
    question = await world.pending(run.id)
    before = await execution(run)
    for number in range(5):
        await run.signal(StockReplenishmentWorkflow.crossed, Crossed(event_id=f"crossing-{number}"))
    await world.env.fast_forward(run, timedelta(days=2))
    assert await execution(run) == before
    await world.decide(question)
    assert len(await orders_of(world, 1)) == 1
    await world.env.fast_forward(run, timedelta(days=9))
    await continued(run, before)
    assert outside.executed == 1


async def test_a_crossing_reaches_the_new_execution(world: World) -> None:
    """What runs low after continuing as new is ordered by the same run."""
    outside = await open_shop(world, *goods("mug", "north", on_hand=2), *goods("bowl", "north", on_hand=400))
    run = await started(world)
    await orders_of(world, 1)
    await world.env.fast_forward(run, timedelta(days=9))
    before = await execution(run)
    await world.record(StockCounted(sku="bowl", on_hand=1, supplier_id="north"))
    await run.signal(StockReplenishmentWorkflow.crossed, Crossed(event_id="crossing"))
    orders: list[PurchaseOrder] = await orders_of(world, 2)
    assert sorted(line.sku for o in orders for line in o.lines) == ["bowl", "mug"]
    await continued(run, before)
    assert outside.executed == 2


async def started(world: World) -> WorkflowHandle[Any, str]:
    with world.env.with_time_skipping_disabled():
        run_id = await world.gateway.start_replenishment(now=datetime.now(UTC), suppliers=("north",))
    return world.client.get_workflow_handle_for(StockReplenishmentWorkflow.run, run_id)


async def record_of(world: World, run_id: str) -> Run:
    found = await world.kept.state.get(Run, run_id)
    assert found is not None
    return found
