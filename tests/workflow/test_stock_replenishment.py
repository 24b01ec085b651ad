"""Replenishment by schedule and by a sale that crosses a reorder point."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from connectors.fakes import InMemorySuppliers
from domain.actions import Capability, PlacePurchaseOrder
from domain.approvals import Approval, Verb
from domain.decisions import Mode
from domain.entities import Product, PurchaseOrder, PurchaseOrderStatus, SalesDay, Shop, Stock, Supplier
from domain.event import EventData, Topic
from domain.events import (
    ProductListed,
    PurchaseOrderReceived,
    ReorderPointSet,
    SaleRecorded,
    SalesImported,
    ShopDescribed,
    StockCounted,
    StockOrdered,
    SupplierListed,
)
from domain.knowledge import OutboxItem
from domain.money import Money
from domain.policies import GatePolicy, PolicyActivated, PolicyVersion
from domain.runs import Alert, Run
from tests.workflow.conftest import World
from tests.workflow.waiting import until
from workflows.stock_replenishment import Crossed, StockReplenishmentWorkflow

NOW = datetime.now(UTC)


def goods(sku: str, supplier: str, *, on_hand: int, a_day: int = 3, cost: int = 1) -> list[EventData]:
    product = Product(
        sku=sku, title=sku.title(), price=Money.of(cost * 2), unit_cost=Money.of(cost), supplier_id=supplier, moq=6, pack_size=6
    )
    days = tuple(SalesDay(day=(NOW - timedelta(days=d)).date(), units=a_day + d % 3 - 1, orders=1) for d in range(1, 91))
    return [
        ProductListed(product=product),
        SalesImported(sku=sku, days=days),
        StockCounted(sku=sku, on_hand=on_hand, supplier_id=supplier),
    ]


async def open_shop(world: World, *events: EventData, mode: Mode = Mode.AUTO, limit: int = 2_000) -> InMemorySuppliers:
    """Purchase orders up to ``limit`` euros go out without asking."""
    gate = GatePolicy(money_without_asking={"place-purchase-order": Money.of(limit)}).model_dump(mode="json")
    version = PolicyVersion(version=1, document=gate, proposed_by="operator", approved_by="operator", at=NOW)
    shop = Shop(name="Clay", email="hello@clay.example", site_url="https://clay.example", signature="Kim, Clay")
    suppliers = [
        SupplierListed(supplier=Supplier(supplier_id=s, name=s, email=f"orders@{s}.example", lead_time_days=5))
        for s in ("north", "south")
    ]
    await world.record(ShopDescribed(shop=shop), PolicyActivated(name="gate", version=version), *suppliers, *events)
    await world.mode("replenish", mode)
    outside = world.connectors[Capability.SUPPLIERS]
    assert isinstance(outside, InMemorySuppliers)
    return outside


async def start(world: World) -> str:
    with world.env.with_time_skipping_disabled():
        return await world.gateway.start_replenishment(now=NOW)


async def orders_of(world: World, count: int) -> list[PurchaseOrder]:
    async def enough() -> list[PurchaseOrder] | None:
        found = await world.kept.state.find(PurchaseOrder)
        return found if len(found) >= count else None

    return await until(enough)


async def test_one_order_a_supplier_that_respects_packs_and_explains_itself(world: World) -> None:
    """Two suppliers run low: two mails, and what is on order is known."""
    outside = await open_shop(
        world, *goods("mug", "north", on_hand=2), *goods("bowl", "north", on_hand=1), *goods("rug", "south", on_hand=0)
    )
    await start(world)
    orders = await orders_of(world, 2)
    assert sorted(o.supplier_id for o in orders) == ["north", "south"]
    lines = [line for o in orders for line in o.lines]
    assert all(line.units % 6 == 0 and line.units >= 6 and line.why for line in lines)
    assert outside.executed == 2
    stock = await world.kept.state.get(Stock, "mug")
    assert stock is not None
    assert stock.on_order == next(line.units for line in lines if line.sku == "mug")


async def test_what_is_on_order_is_not_ordered_again(world: World) -> None:
    """A second run on the same day's state finds nothing to do."""
    outside = await open_shop(world, *goods("mug", "north", on_hand=2))
    await start(world)
    await orders_of(world, 1)
    with world.env.with_time_skipping_disabled():
        second = await world.gateway.start_replenishment(now=NOW, suppliers=("north",))
    run = world.client.get_workflow_handle_for(StockReplenishmentWorkflow.run, second)
    assert await run.result() == "0 purchase orders"
    assert outside.executed == 1


async def test_what_runs_low_while_the_run_ends_is_ordered(world: World) -> None:
    """The crossing found the run at its last step: it begins again, and its record with it."""
    outside = await open_shop(world, *goods("mug", "north", on_hand=400))
    run_id = "replenish/north"

    async def meanwhile() -> None:
        await world.record(StockCounted(sku="mug", on_hand=1, supplier_id="north"))
        for item in await world.kept.outbox.pending():
            if item.topic == Topic.REPLENISH:
                with world.env.with_time_skipping_disabled():
                    await world.gateway.wake(item, debounce=timedelta(0))

    world.meanwhile.after["finish_run"] = meanwhile
    wake = OutboxItem(item_id=1, topic=Topic.REPLENISH, key="north", event_id=uuid4(), at=NOW)
    with world.env.with_time_skipping_disabled():
        await world.gateway.wake(wake, debounce=timedelta(0))
    await orders_of(world, 1)
    record = await world.kept.state.get(Run, run_id)
    assert record is not None
    assert (record.status, outside.executed) == ("running", 1)


async def test_an_order_over_the_limit_is_asked_and_holds_up_no_other(world: World) -> None:
    """The small one goes out while the large one waits; an edited quantity is what is ordered."""
    outside = await open_shop(world, *goods("mug", "north", on_hand=2), *goods("rug", "south", on_hand=0, cost=60), limit=300)
    run_id = await start(world)
    approval = await world.pending(run_id)
    await orders_of(world, 1)
    action = approval.proposal.action
    assert isinstance(action, PlacePurchaseOrder)
    assert action.purchase_order.supplier_id == "south"
    fewer = action.purchase_order.lines[0].model_copy(update={"units": 6})
    edited = action.model_copy(update={"purchase_order": action.purchase_order.model_copy(update={"lines": (fewer,)})})
    await world.decide(approval, Verb.EDIT, action=edited)
    orders = await orders_of(world, 2)
    assert {o.supplier_id: o.lines[0].units for o in orders}["south"] == 6
    assert outside.executed == 2


async def test_a_sale_that_crosses_the_reorder_point_orders_without_waiting_for_the_schedule(world: World) -> None:
    """Several crossings of one supplier become one order."""
    outside = await open_shop(world, *goods("mug", "north", on_hand=30), *goods("bowl", "north", on_hand=30))
    await world.record(*(ReorderPointSet(sku=s, reorder_point=25, supplier_id="north") for s in ("mug", "bowl")))
    for sku in ("mug", "bowl"):
        await world.record(SaleRecorded(sku=sku, units=25, day=NOW.date()))
    items = await world.kept.outbox.pending()
    assert [(i.topic, i.key) for i in items] == [("replenish", "north")] * 2
    for item in items:
        await world.gateway.wake(item, debounce=timedelta(minutes=10))
    orders = await orders_of(world, 1)
    assert {line.sku for line in orders[0].lines} == {"mug", "bowl"}
    assert outside.executed == 1


async def test_a_late_delivery_is_said_and_a_received_one_ends_the_run(world: World) -> None:
    """Lead time plus grace passes: late, alerted; then it comes, and the lateness is an outcome."""
    await open_shop(world, *goods("mug", "north", on_hand=2))
    run_id = await start(world)
    order = (await orders_of(world, 1))[0]
    run = world.client.get_workflow_handle_for(StockReplenishmentWorkflow.run, run_id)
    await world.env.fast_forward(run, timedelta(days=9))

    async def late() -> PurchaseOrder | None:
        found = await world.kept.state.get(PurchaseOrder, order.purchase_order_id)
        return found if found and found.status is PurchaseOrderStatus.LATE else None

    await until(late)
    assert [a.key for a in await world.kept.state.find(Alert)] == [f"late/{order.purchase_order_id}"]
    came = order.expected_at + timedelta(days=4)
    await world.record(PurchaseOrderReceived(purchase_order_id=order.purchase_order_id, at=came), at=came)
    await world.env.fast_forward(run, timedelta(days=3))
    assert await run.result() == "1 purchase orders"
    kept = await world.kept.state.get(Run, run_id)
    assert kept is not None
    assert [o.value for o in kept.outcomes if o.metric == "supplier-lateness"] == [pytest.approx(4)]


async def test_a_supplier_with_a_waiting_question_is_not_asked_about_twice(world: World) -> None:
    """Yesterday's order still waits for the operator: today's plan leaves that supplier alone."""
    await open_shop(world, *goods("mug", "north", on_hand=2), mode=Mode.ASK)
    run_id = await start(world)
    await world.pending(run_id)
    with world.env.with_time_skipping_disabled():
        second = await world.gateway.start_replenishment(now=NOW, suppliers=("north",))
    run = world.client.get_workflow_handle_for(StockReplenishmentWorkflow.run, second)
    assert await run.result() == "0 purchase orders"
    assert len(await world.kept.state.find(Approval)) == 1


async def test_a_crossing_while_an_order_waits_orders_nothing_twice(world: World) -> None:
    """The second SKU is planned once the waiting order is decided, and the first is not ordered again."""
    await open_shop(world, *goods("mug", "north", on_hand=2), *goods("bowl", "north", on_hand=400), limit=1)
    with world.env.with_time_skipping_disabled():
        run_id = await world.gateway.start_replenishment(now=NOW, suppliers=("north",))
    first = await world.pending(run_id)
    await world.record(SaleRecorded(sku="bowl", units=399, day=NOW.date()))
    run = world.client.get_workflow_handle_for(StockReplenishmentWorkflow.run, run_id)
    await run.signal(StockReplenishmentWorkflow.crossed, Crossed(event_id="crossing-1"))
    await world.decide(first)
    second = await until(lambda: _another(world, first))
    action = second.proposal.action
    assert isinstance(action, PlacePurchaseOrder)
    assert {line.sku for line in action.purchase_order.lines} == {"bowl"}


async def test_two_runs_at_the_same_moment_order_once(world: World) -> None:
    """By schedule and by a crossing: whoever comes second plans again and finds the goods on order."""
    outside = await open_shop(world, *goods("mug", "north", on_hand=2), *goods("bowl", "north", on_hand=1))
    with world.env.with_time_skipping_disabled():
        started = [world.gateway.start_replenishment(now=NOW, suppliers=s) for s in ((), ("north",))]
        runs = [world.client.get_workflow_handle(run_id) for run_id in await asyncio.gather(*started)]
    await orders_of(world, 1)
    for run in runs:
        await world.env.fast_forward(run, timedelta(minutes=10))
    assert outside.executed == 1
    assert len(await world.kept.state.find(PurchaseOrder)) == 1


async def test_what_was_ordered_elsewhere_while_the_question_waited_is_not_ordered_again(world: World) -> None:
    """The yes was to an order for a shelf that is taken care of: the plan is made anew, and finds nothing missing."""
    outside = await open_shop(world, *goods("mug", "north", on_hand=2), mode=Mode.ASK)
    run_id = await start(world)
    approval = await world.pending(run_id)
    await world.record(StockOrdered(sku="mug", units=600, purchase_order_id="by-phone"))
    await world.decide(approval)
    run = world.client.get_workflow_handle_for(StockReplenishmentWorkflow.run, run_id)
    await world.env.fast_forward(run, timedelta(minutes=5))
    assert await run.result() == "0 purchase orders"
    assert outside.executed == 0


async def _another(world: World, old: Approval) -> Approval | None:
    found = await world.kept.state.find(Approval, status="pending")
    return next((a for a in found if a.approval_id != old.approval_id), None)
