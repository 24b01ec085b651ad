"""What came in goes on sale in the connected shop: woken by its arrival, asked an article at a time, once."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.client import WorkflowFailureError

import connectors
from activities.receiving import receiving
from connectors.exchanges import Exchanges
from connectors.fakes import InMemoryShop, InMemorySource
from connectors.importers.report import ImportReport
from connectors.modes import DryRunConnector
from connectors.shop_reading import ToldItem, item_events
from demo.rest import all_at_rest
from domain.actions import Action, AdjustStock, Bound, Capability, Receipt
from domain.approvals import Approval, ApprovalStatus, Verb
from domain.connections import Connection, ConnectionDescribed, ConnectionMode, ConnectionModeSet
from domain.decisions import Mode
from domain.deliveries import arrived, restock_run
from domain.entities import Product, PurchaseOrder, PurchaseOrderLine, SalesDay, Stock, Supplier
from domain.errors import InvalidInput
from domain.event import Topic
from domain.events import ProductListed, PurchaseOrderSent, SalesImported, StockCounted, SupplierListed
from domain.knowledge import OutboxItem
from domain.money import Money
from domain.policies import BoundsPolicy, PolicyActivated, PolicyVersion
from domain.ports import Connector
from domain.runs import Alert, Run
from tests.workflow.conftest import World
from tests.workflow.waiting import until
from workflows.restock import RestockWorkflow

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


@pytest.fixture
def max_cached_workflows() -> int:
    """That the run replays is shown by its recorded history."""
    return 500


class ConnectedShop(InMemoryShop):
    """A shop that is in dry-run for as long as it has ``exchanges`` to note what it is shown in."""

    exchanges: Exchanges | None = None

    async def execute(self, action: Action, *, key: str, expected_version: str, now: datetime) -> Receipt:
        if self.exchanges is None:
            return await super().execute(action, key=key, expected_version=expected_version, now=now)
        rehearsing = DryRunConnector(self, self.exchanges, name="shop")
        return await rehearsing.execute(action, key=key, expected_version=expected_version, now=now)


@pytest.fixture
def adapters() -> dict[Capability, Connector]:
    return {**connectors.in_memory(), Capability.SHOP: ConnectedShop()}


def shop_of(world: World) -> ConnectedShop:
    shop = world.connectors[Capability.SHOP]
    assert isinstance(shop, ConnectedShop)
    return shop


async def connect(world: World, mode: ConnectionMode = ConnectionMode.LIVE) -> None:
    connection = Connection(name="shop", kind="woocommerce", mode=mode, serves=(Capability.SHOP,))
    await world.record(ConnectionDescribed(connection=connection, by="operator"))


async def comes(world: World, **units: int) -> str:
    """A purchase order is sent and arrives, of articles of which Steward and the shop have 18 each. The run's id.

    A shop that is connected was read before.
    """
    lines = tuple(PurchaseOrderLine(sku=sku, title="", units=number, unit_cost=Money.of(4)) for sku, number in units.items())
    order = PurchaseOrder(
        purchase_order_id=f"po-{uuid4().hex[:8]}", supplier_id="north", lines=lines, ordered_at=NOW, expected_at=NOW
    )
    for sku in units:
        product = Product(
            sku=sku, title=f"Moss {sku}", price=Money.of(29), unit_cost=Money.of(4), supplier_id="north", description=""
        )
        await world.record(ProductListed(product=product), StockCounted(sku=sku, on_hand=18))
    await shop_of(world).put_stock(dict.fromkeys(units, 18))
    if await world.kept.state.find(Connection):
        await polled(world, **dict.fromkeys(units, 18))
    await world.record(PurchaseOrderSent(purchase_order=order))
    await world.record(*arrived(order, at=NOW, connections=await world.kept.state.find(Connection)))
    return restock_run(order.purchase_order_id)


async def wake(world: World) -> None:
    """As the relay does, and twice, since it delivers at least once."""
    items: list[OutboxItem] = [i for i in await world.kept.outbox.pending() if i.topic == Topic.RESTOCK]
    assert len(items) == 1
    with world.env.with_time_skipping_disabled():
        for item in (*items, *items):
            await world.gateway.wake(item, debounce=timedelta(0))


async def result(world: World, run_id: str) -> str:
    return str(await world.client.get_workflow_handle_for(RestockWorkflow.run, run_id).result())


async def asked(world: World, number: int) -> list[Approval]:
    async def all_of_them() -> list[Approval]:
        found = await world.kept.state.find(Approval, status=ApprovalStatus.PENDING)
        return found if len(found) == number else []

    return await until(all_of_them)


async def on_sale(world: World) -> dict[str, int]:
    return dict((await shop_of(world).snapshot())["stock"])


async def on_hand(world: World, sku: str) -> int:
    stock = await world.kept.state.get(Stock, sku)
    assert stock is not None
    return stock.on_hand


async def not_on_sale(world: World) -> dict[str, int]:
    """What waits to be put on sale, by SKU."""
    return {stock.sku: stock.not_on_sale for stock in await world.kept.state.find(Stock)}


async def polled(world: World, **on_hand: int) -> None:
    """The shop was read, and said how many it has."""
    state = world.kept.state
    for sku, units in on_hand.items():
        item = ToldItem(sku=sku, title=f"Moss {sku}", price=Money.of(29), as_of=NOW, on_hand=units)
        told = item_events(item, await state.get(Product, sku), await state.get(Stock, sku))
        await world.record(*(new.data for new in told))


async def received_again(world: World, purchase_order_id: str) -> None:
    """The operator says once more that it has arrived; the relay takes that to whoever tells the shop."""
    state = world.kept.state
    order = await state.get(PurchaseOrder, purchase_order_id)
    assert order is not None
    came = await receiving(order, by="operator", at=datetime.now(UTC), state=state)
    await world.record(*came.events)
    with world.env.with_time_skipping_disabled():
        await world.gateway.wake((await due(world))[0], debounce=timedelta(0))


async def goes_live(world: World) -> None:
    """The operator switches the shop to live; the relay takes that to the run that reads it."""
    world.sources.by_name["shop"] = InMemorySource("shop", normalise=lambda _raw, _at: ImportReport("records", 0, ()))
    await world.record(ConnectionModeSet(name="shop", mode=ConnectionMode.LIVE, by="operator"))
    with world.env.with_time_skipping_disabled():
        for item in await world.kept.outbox.pending():
            if item.topic == Topic.CONNECTION:
                await world.gateway.wake(item, debounce=timedelta(0))


async def due(world: World) -> list[OutboxItem]:
    """The wake-ups of what waits to be put on sale, once there are some beside that of the arrival."""

    async def some() -> list[OutboxItem]:
        items = [i for i in await world.kept.outbox.pending() if i.topic == Topic.RESTOCK]
        return items[1:]

    return await until(some)


async def test_what_arrives_is_asked_an_article_at_a_time_and_put_on_sale_once(world: World) -> None:
    """Shop and Steward agree afterwards; waking it again once it has ended does nothing."""
    await connect(world)
    run_id = await comes(world, MUG=30, CUP=5)
    await wake(world)
    questions = {a.proposal.action.sku: a for a in await asked(world, 2) if isinstance(a.proposal.action, AdjustStock)}
    assert "30 of Moss MUG (MUG) came with" in questions["MUG"].proposal.why.reason
    assert questions["MUG"].proposal.gate.reasons == ("the mode is ask",)
    await world.decide(questions["MUG"])
    await world.decide(questions["CUP"], Verb.REJECT, reason="they are for the fair")
    assert await result(world, run_id) == "1 on sale, 1 rejected"
    await wake(world)
    assert (await on_sale(world), await on_hand(world, "MUG")) == ({"MUG": 48, "CUP": 18}, 48)
    assert (shop_of(world).executed, await not_on_sale(world)) == (1, {"MUG": 0, "CUP": 0})


async def test_a_sale_while_the_question_waits_is_planned_again(world: World) -> None:
    """The yes was to another number: it is asked anew, from what the shop has by now, and nothing is sold twice.

    Steward has read the shop's number meanwhile, which is no sign that the units are in it already.
    """
    await connect(world)
    run_id = await comes(world, MUG=30)
    await wake(world)
    first = await world.pending(run_id)
    await shop_of(world).put_stock({"MUG": 15})
    await polled(world, MUG=15)
    await world.decide(first)

    async def another() -> Approval | None:
        return next((a for a in await asked(world, 1) if a.approval_id != first.approval_id), None)

    second = await until(another)
    assert "15 of it by now, not 18" in second.proposal.why.reason
    assert not second.proposal.why.force_ask
    await world.decide(second)
    assert await result(world, run_id) == "1 on sale"
    assert (await on_sale(world), await on_hand(world, "MUG")) == ({"MUG": 45}, 45)


async def test_in_auto_mode_nobody_is_asked_unless_somebody_may_have_told_the_shop(world: World) -> None:
    """Then the shop has as many already as are here."""
    await connect(world)
    await world.mode("restock", Mode.AUTO)
    run_id = await comes(world, MUG=30)
    await wake(world)
    assert await result(world, run_id) == "1 on sale"
    again = await comes(world, BOWL=10)
    await shop_of(world).put_stock({"BOWL": 28})
    items = [i for i in await world.kept.outbox.pending() if i.topic == Topic.RESTOCK and i.key in again]
    with world.env.with_time_skipping_disabled():
        await world.gateway.wake(items[0], debounce=timedelta(0))
    question = await world.pending(again)
    assert "may be in it already" in " ".join(question.proposal.gate.reasons)


async def test_without_a_connected_shop_nothing_is_asked_or_recorded(world: World) -> None:
    """The local order book has figures, and nobody buys from it."""
    run_id = await comes(world, MUG=30)
    await wake(world)
    assert await result(world, run_id) == "no shop is connected that counts its own stock"
    assert not await world.kept.state.find(Run)
    assert (await on_sale(world), await on_hand(world, "MUG")) == ({"MUG": 18}, 48)


async def test_what_the_shop_does_not_count_is_said_and_holds_up_nothing(world: World) -> None:
    """The operator hears of it once; the other article is asked all the same. By Steward's own count it is here."""
    await connect(world, ConnectionMode.DRY_RUN)
    run_id = await comes(world, MUG=30, CUP=5)
    shop_of(world)._stock.pop("CUP")
    await wake(world)
    await world.decide(await world.pending(run_id))
    assert await result(world, run_id) == "1 not told, 1 on sale"
    (alert,) = await world.kept.state.find(Alert)
    assert "5 of Moss CUP came with" in alert.text
    assert "nobody has said how many of CUP are there" in alert.text
    assert "here by Steward's own count" in alert.what_to_do
    assert (await on_hand(world, "CUP"), await not_on_sale(world)) == (23, {"MUG": 0, "CUP": 0})


async def test_what_a_bound_refuses_is_said(world: World) -> None:
    """A delivery with more articles than a run may tell the shop of: none is left out in silence, and it waits on."""
    await connect(world)
    await world.mode("restock", Mode.AUTO)
    document = BoundsPolicy(per_run={Bound.STOCK_CHANGES: Decimal(1)}).model_dump(mode="json")
    version = PolicyVersion(version=1, document=document, proposed_by="operator", approved_by="operator", at=NOW)
    await world.record(PolicyActivated(name="bounds", version=version))
    run_id = await comes(world, MUG=30, CUP=5)
    await wake(world)
    await world.decide(await world.pending(run_id))
    assert await result(world, run_id) == "1 not told, 1 on sale"
    (alert,) = await world.kept.state.find(Alert)
    assert "wait to be put on sale, and the shop was not told: stock-changes is limited" in alert.text
    assert sorted((await not_on_sale(world)).values()) in ([0, 5], [0, 30])


async def test_what_nobody_answers_is_said_and_waits_on(world: World) -> None:
    """An article that was rejected is no news to whoever rejected it, and does not wait."""
    await connect(world)
    run_id = await comes(world, MUG=30, CUP=5)
    await wake(world)
    cup = next(a for a in await asked(world, 2) if "CUP" in a.proposal.action.summary())
    await world.decide(cup, Verb.REJECT, reason="they are for the fair")
    await world.env.fast_forward(world.client.get_workflow_handle(run_id), timedelta(days=4))
    assert await result(world, run_id) == "1 not told, 1 rejected"
    (told,) = [a for a in await world.kept.state.find(Alert) if "MUG" in a.text and "not told" in a.text]
    assert told.text.endswith("the shop was not told: nobody answered the question in time")
    assert not [a for a in await world.kept.state.find(Alert) if "CUP" in a.text and "not told" in a.text]
    assert f"`./steward received {run_id.removeprefix('restock/')}` proposes it again" in told.what_to_do
    assert await not_on_sale(world) == {"MUG": 30, "CUP": 0}


async def test_what_waits_on_is_proposed_again_when_it_is_said_to_be_here_again(world: World) -> None:
    """It is always asked then, even in auto mode and of the same number; its alert is closed."""
    await connect(world)
    run_id = await comes(world, MUG=30)
    await wake(world)
    await world.pending(run_id)
    await world.env.fast_forward(world.client.get_workflow_handle(run_id), timedelta(days=4))
    assert await result(world, run_id) == "1 not told"
    await world.mode("restock", Mode.AUTO)
    await received_again(world, run_id.removeprefix("restock/"))
    question = await world.pending(run_id)
    assert "proposed before and not done" in " ".join(question.proposal.gate.reasons)
    assert not [a for a in await world.kept.state.find(Alert) if a.open and "not told" in a.text]
    await world.decide(question)
    assert await result(world, run_id) == "1 on sale"
    assert (await on_sale(world), await on_hand(world, "MUG"), await not_on_sale(world)) == ({"MUG": 48}, 48, {"MUG": 0})


async def test_what_waits_is_not_proposed_twice_at_once(world: World) -> None:
    """Nor before the shop is live; an order of which nothing waits is over."""
    await connect(world, ConnectionMode.DRY_RUN)
    run_id = await comes(world, MUG=30)
    await wake(world)
    question = await world.pending(run_id)
    with pytest.raises(InvalidInput, match="cannot be proposed again now") as at_it:
        await received_again(world, run_id.removeprefix("restock/"))
    await world.env.fast_forward(world.client.get_workflow_handle(run_id), timedelta(days=4))
    assert await result(world, run_id) == "1 not told"
    with pytest.raises(InvalidInput, match="cannot be proposed again now") as rehearsing:
        await received_again(world, run_id.removeprefix("restock/"))
    assert ("is at it" in at_it.value.hint, "has to be live" in rehearsing.value.hint) == (True, True)
    await polled(world, MUG=48)
    with pytest.raises(InvalidInput, match="already received"):
        await received_again(world, question.proposal.run_id.removeprefix("restock/"))


async def test_what_was_only_suggested_waits_on(world: World) -> None:
    """The suggestion is what the operator sees. Whoever follows it by hand is heard when the shop is read next."""
    await connect(world)
    await world.mode("restock", Mode.SUGGEST)
    run_id = await comes(world, MUG=30)
    await wake(world)
    assert await result(world, run_id) == "1 suggested"
    assert (await not_on_sale(world), await world.kept.state.find(Alert)) == ({"MUG": 30}, [])
    await polled(world, MUG=46)
    assert (await not_on_sale(world), await on_hand(world, "MUG")) == ({"MUG": 0}, 46)


async def test_what_waits_for_the_yes_is_not_ordered_again(world: World) -> None:
    """The shop is read meanwhile, with its own lower figure; replenishment in auto mode knows what is here all the same."""
    now = datetime.now(UTC)
    days = tuple(SalesDay(day=(now - timedelta(days=d)).date(), units=2, orders=1) for d in range(1, 91))
    supplier = Supplier(supplier_id="north", name="north", email="orders@north.example", lead_time_days=5)
    await world.mode("replenish", Mode.AUTO)
    await connect(world)
    run_id = await comes(world, MUG=120)
    await world.record(SupplierListed(supplier=supplier), SalesImported(sku="MUG", days=days))
    await wake(world)
    question = await world.pending(run_id)
    await polled(world, MUG=3)
    await shop_of(world).put_stock({"MUG": 2})
    assert await replenished(world) == "0 purchase orders"
    await polled(world, MUG=2)
    assert not [i for i in await world.kept.outbox.pending() if i.topic == Topic.REPLENISH]
    await world.decide(question)
    await world.decide(await asked_anew(world, question))
    assert await result(world, run_id) == "1 on sale"
    await polled(world, MUG=122)
    assert await replenished(world) == "0 purchase orders"
    assert (await not_on_sale(world), len(await world.kept.state.find(PurchaseOrder))) == ({"MUG": 0}, 1)


async def replenished(world: World) -> str:
    """What became of a plan of everything; empty where it goes on, with orders that are on their way."""
    with world.env.with_time_skipping_disabled():
        run_id = await world.gateway.start_replenishment(now=datetime.now(UTC))
        await until(lambda: all_at_rest(world.client, [run_id]))
    run = await world.kept.state.get(Run, run_id)
    return run.result if run else ""


async def asked_anew(world: World, first: Approval) -> Approval:
    async def another() -> Approval | None:
        return next((a for a in await asked(world, 1) if a.approval_id != first.approval_id), None)

    return await until(another)


async def test_what_came_in_dry_run_is_proposed_once_the_shop_is_live(world: World, tmp_path: Path) -> None:
    """It is always asked then, even in auto mode, and told once; what somebody told the shop by hand meanwhile is not."""
    shop = shop_of(world)
    await connect(world, ConnectionMode.DRY_RUN)
    run_id = await comes(world, MUG=30, CUP=5)
    shop.exchanges = Exchanges(tmp_path / "exchanges.jsonl")
    await wake(world)
    for question in await asked(world, 2):
        await world.decide(question)
    assert await result(world, run_id) == "2 suggested"
    await wake(world)
    assert (await result(world, run_id), await not_on_sale(world)) == ("it was told before", {"MUG": 30, "CUP": 5})

    shop.exchanges = None
    await world.mode("restock", Mode.AUTO)
    await shop.put_stock({"MUG": 16, "CUP": 23})
    await polled(world, MUG=16, CUP=18)
    await polled(world, CUP=23)
    await goes_live(world)
    (again,) = await due(world)
    with world.env.with_time_skipping_disabled():
        await world.gateway.wake(again, debounce=timedelta(0))
    question = await world.pending(run_id)
    assert "proposed before and not done" in " ".join(question.proposal.gate.reasons)
    await world.decide(question)
    assert await result(world, run_id) == "1 on sale"
    assert (await on_sale(world), await not_on_sale(world)) == ({"MUG": 46, "CUP": 23}, {"MUG": 0, "CUP": 0})
    assert (shop.executed, await on_hand(world, "MUG"), await on_hand(world, "CUP")) == (1, 46, 23)


async def test_a_no_is_a_no_in_dry_run_too(world: World) -> None:
    """It is not proposed once the shop is live. What counts is its own figure, though the catalogue had said the same."""
    await connect(world, ConnectionMode.DRY_RUN)
    run_id = await comes(world, MUG=30)
    await wake(world)
    await world.decide(await world.pending(run_id), Verb.REJECT, reason="they are for the fair")
    assert await result(world, run_id) == "1 rejected"
    assert (await not_on_sale(world), await on_hand(world, "MUG")) == ({"MUG": 0}, 18)


async def test_what_a_stopped_run_was_at_waits_on(world: World) -> None:
    """Stopping it is no word on the goods: they are here, and are not ordered again."""
    await connect(world)
    run_id = await comes(world, MUG=30, CUP=5)
    await wake(world)
    await asked(world, 2)
    await world.gateway.cancel(run_id)
    with pytest.raises(WorkflowFailureError):
        await result(world, run_id)
    assert await not_on_sale(world) == {"MUG": 30, "CUP": 5}


async def test_undoing_it_is_a_late_no(world: World) -> None:
    """The shop has what it had; nothing waits, and nobody is asked again."""
    await connect(world)
    await world.mode("restock", Mode.AUTO)
    run_id = await comes(world, MUG=30)
    await wake(world)
    assert await result(world, run_id) == "1 on sale"
    await world.gateway.rollback(run_id, by="operator")
    await wake(world)
    assert await result(world, run_id) == "it was told before"
    assert (await on_sale(world), await on_hand(world, "MUG"), await not_on_sale(world)) == ({"MUG": 18}, 18, {"MUG": 0})
