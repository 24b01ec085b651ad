"""What happens in a point of the chaos tests: one run of each workflow, small, and with an end that comes by itself."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.actions import Capability, RefundOrder, Risk
from domain.connections import Connection, ConnectionDescribed, ConnectionMode, ConnectionModeSet
from domain.decisions import Mode
from domain.deliveries import arrived
from domain.entities import (
    Address,
    Customer,
    Direction,
    Message,
    Order,
    OrderLine,
    OrderStatus,
    Product,
    PurchaseOrder,
    PurchaseOrderLine,
    SalesDay,
    Shop,
    Supplier,
)
from domain.event import EventData, new_event
from domain.events import (
    CustomerListed,
    MessageReceived,
    OrderPlaced,
    ProductListed,
    PurchaseOrderReceived,
    PurchaseOrderSent,
    ReorderPointSet,
    SaleRecorded,
    SalesImported,
    ShopDescribed,
    StockCounted,
    SupplierListed,
)
from domain.experiments import Arm, Experiment, ExperimentStarted, Exposure, ExposureMatured, ExposureRecorded, Objective
from domain.money import Money
from domain.policies import (
    ApprovalPolicy,
    AttentionPolicy,
    ContentPolicy,
    Policy,
    PolicyActivated,
    PolicyProposed,
    PolicyTrialStarted,
    PolicyVersion,
    StockPolicy,
    SupportPolicy,
)
from domain.runs import Alert, AlertLevel, AlertRaised, ModeSet
from tests.chaos.passages import RELAY
from tests.chaos.world import World
from workflows.proposed import ProposedInput
from workflows.stock_replenishment import Crossed, StockReplenishmentWorkflow

CUSTOMERS = 10
ON_HAND = 4  # of each article, here and in the shop
CAME = 24
ARRIVE = ("MUG", "CUP", "BOWL")  # with one purchase order
SECOND = 1 / 86_400  # in days
DAY = datetime(2026, 3, 2, 9, tzinfo=UTC)  # names runs; their clocks are real
ATTRIBUTES = {
    "material": "stoneware",
    "dimensions": "9 x 9.5 cm",
    "weight": "380 g",
    "care": "dishwasher safe",
    "origin": "Germany",
}


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """``happens`` sets off ``runs`` (workflow ids), which all end. Kills are tried within ``targets``, of the runs or the relay.

    The operator says yes to everything; for ``hold_seconds`` each yes could be taken back. ``articles`` are in the shop.
    """

    name: str
    runs: tuple[str, ...]
    targets: tuple[str, ...] = ()
    happens: Callable[[World], Coroutine[Any, Any, None]]
    history: tuple[EventData, ...] = ()
    hold_seconds: int = 0
    articles: tuple[str, ...] = ("MUG", "CUP")


def order(number: int) -> Order:
    """Delivered three days ago: the customer may still complain."""
    delivered = datetime.now(UTC) - timedelta(days=3)
    return Order(
        order_id=str(1000 + number),
        customer_id=f"ada{number}",
        email=f"ada{number}@post.example",
        lines=(OrderLine(sku="MUG", title="Moss mug", units=1, unit_price=Money.of(29)),),
        total=Money.of(29),
        status=OrderStatus.DELIVERED,
        placed_at=delivered - timedelta(days=5),
        shipped_at=delivered - timedelta(days=2),
        delivered_at=delivered,
        ship_to=Address(name="Ada Berg", line1="Elm Road 3", postcode="10115", city="Berlin", country="DE"),
    )


def business(*orders: Order) -> list[EventData]:
    """A shop of two products from two suppliers, everything in auto mode, whose waiting times are a second."""
    site = "https://clay.example"
    return [
        ShopDescribed(shop=Shop(name="Clay", email="hello@clay.example", site_url=site, signature="Kim, Clay")),
        *_product("MUG", "Moss mug", "S1", sold_daily=3),
        *_product("CUP", "Sand cup", "S2", sold_daily=2),
        *(CustomerListed(customer=Customer(customer_id=o.customer_id, name="Ada Berg", email=o.email)) for o in orders),
        *(OrderPlaced(order=o) for o in orders),
        *(ModeSet(scope=scope, mode=Mode.AUTO, by="operator") for scope in ("support", "replenish", "content")),
        _in_force("support", SupportPolicy(follow_up_after_days=SECOND / 2, close_after_days=SECOND)),
        _in_force("stock", StockPolicy(debounce_minutes=0.005)),
        _in_force("content", ContentPolicy(measure_after_days=SECOND / 2, pages_per_run=1)),
    ]


def complaint(number: int) -> MessageReceived:
    message = Message(
        message_id=f"{number}@post.example",
        direction=Direction.INBOUND,
        sender=f"ada{number}@post.example",
        at=datetime.now(UTC),
        body=f"Hello, the mug from my order {1000 + number} arrived broken, it has a big crack. Ada",
    )
    return MessageReceived(ticket_id=f"mail/{number}", source="mail", subject="Broken mug", message=message)


def _product(sku: str, title: str, supplier: str, *, sold_daily: int) -> list[EventData]:
    """A product of which few are left."""
    product = Product(
        sku=sku, title=title, description=f"{title} with a wide handle.", price=Money.of(29), unit_cost=Money.of(4),
        supplier_id=supplier, attributes=ATTRIBUTES,
    )  # fmt: skip
    today = datetime.now(UTC).date()
    days = tuple(SalesDay(day=today - timedelta(days=n), units=sold_daily, orders=1) for n in range(1, 61))
    return [
        SupplierListed(supplier=Supplier(supplier_id=supplier, name=supplier, email=f"orders@{supplier.lower()}.example")),
        ProductListed(product=product),
        SalesImported(sku=sku, days=days),
        StockCounted(sku=sku, on_hand=ON_HAND, supplier_id=supplier),
    ]


def _in_force(name: str, policy: Policy, *, version: int = 1) -> PolicyActivated:
    activated = PolicyVersion(
        version=version, document=policy.model_dump(mode="json"), proposed_by="operator", approved_by="operator", at=DAY
    )
    return PolicyActivated(name=name, version=activated)


async def _complains(world: World) -> None:
    await world.record(complaint(1))


async def _sells_across_the_reorder_point(world: World) -> None:
    """Then, when the run has come to rest, its order arrives, and another crossing lets it see so."""
    run_id = "replenish/S1"
    await world.record(SaleRecorded(sku="MUG", units=1, day=datetime.now(UTC).date(), order_id="sale-1"))
    (placed,) = await world.eventually(lambda: world.purchase_orders(1))
    await world.eventually(lambda: world.at_rest(run_id))
    await world.record(PurchaseOrderReceived(purchase_order_id=placed.purchase_order_id, at=datetime.now(UTC)))
    handle = world.client.get_workflow_handle_for(StockReplenishmentWorkflow.run, run_id)
    await world.insist(lambda: handle.signal(StockReplenishmentWorkflow.crossed, Crossed(event_id="second")))


async def _starts_content(world: World) -> None:
    await world.gateway.start_content(now=DAY)


async def _orders_and_regrets(world: World) -> None:
    run_id = await world.gateway.start_replenishment(now=DAY)
    await world.eventually(lambda: world.purchase_orders(2))
    await world.eventually(lambda: world.at_rest(run_id))
    await world.gateway.rollback(run_id, by="operator")


async def _asks_for_the_digest(world: World) -> None:
    await world.gateway.start_digest(now=DAY)


async def _asks_for_upkeep(world: World) -> None:
    await world.gateway.start_upkeep(now=DAY)


async def _looks_back(world: World) -> None:
    await world.gateway.start_learning(now=DAY)


async def _raises_an_alarm(world: World) -> None:
    """Of a day that is over, so that its run of attention ends with the first look."""
    alert = Alert(key="log-broken", level=AlertLevel.URGENT, text="the log does not verify", at=DAY)
    event = new_event(AlertRaised(alert=alert), at=DAY, key=("alarm",))
    await world.insist(lambda: world.kept.log.append([event]))


async def _reads_orders(world: World) -> None:
    """Of a connected system, until it is switched off."""
    connection = Connection(name="post", kind="post", mode=ConnectionMode.LIVE, poll_seconds=1)
    await world.record(ConnectionDescribed(connection=connection, by="operator"))
    await world.eventually(lambda: world.kept.state.get(Order, "7003"))
    await world.record(ConnectionModeSet(name="post", mode=ConnectionMode.OFF, by="operator"))


async def _a_program_proposes(world: World) -> None:
    refund = RefundOrder(order_id="1001", amount=Money.of(10), reason="a crack in the glaze")
    proposed = ProposedInput(action=refund, by="bookkeeper", reason="the customer wrote to the bookkeeper")
    await world.insist(lambda: world.gateway.propose("first", proposed))


async def _goods_arrive(world: World) -> None:
    """A connected shop sells them, and has to hear of each; what stands behind it is the local order book."""
    lines = tuple(PurchaseOrderLine(sku=sku, title="", units=CAME, unit_cost=Money.of(4)) for sku in ARRIVE)
    order = PurchaseOrder(purchase_order_id="po-1", supplier_id="S1", lines=lines, ordered_at=DAY, expected_at=DAY)
    await world.record(PurchaseOrderSent(purchase_order=order))
    await world.record(*arrived(order, at=DAY, connections=[CONNECTED.connection]))


async def _refunds_wrongly(world: World) -> None:
    """A severe miss of the version that is tried: it has to be taken back."""
    missed = ExposureMatured(
        experiment_id="support@3", run_id="support/mail/7", metric="refund-wrong", reward=0.0, severe=True, at=datetime.now(UTC)
    )
    await world.record(missed)


def _trial() -> tuple[EventData, ...]:
    """Version 3 of the support policy is tried against version 1, on one run so far."""
    now = datetime.now(UTC)
    document = SupportPolicy(follow_up_after_days=2).model_dump(mode="json")
    version = PolicyVersion(version=3, document=document, proposed_by="learner", at=now, parent=1)
    experiment = Experiment(
        experiment_id="support@3",
        policy="support",
        control=1,
        candidate=3,
        risk=Risk.R1,
        objectives=(Objective(metric="corrected"), Objective(metric="refund-wrong")),
        salt="support@3",
        level=0.1,
        started_at=now,
        expires_at=now + timedelta(days=28),
    )
    exposure = Exposure(
        experiment_id="support@3", unit="support/mail/7", run_id="support/mail/7", arm=Arm.CANDIDATE, version=3, share=0.2, at=now
    )
    return (
        PolicyProposed(name="support", version=version),
        PolicyTrialStarted(name="support", experiment_id="support@3"),
        ExperimentStarted(experiment=experiment),
        ExposureRecorded(exposure=exposure),
    )


async def _is_busy(world: World) -> None:
    await world.record(*(complaint(number) for number in range(1, CUSTOMERS + 1)))
    await _sells_across_the_reorder_point(world)


CONNECTED = ConnectionDescribed(
    connection=Connection(name="shop", kind="shop", mode=ConnectionMode.LIVE, serves=(Capability.SHOP,)), by="operator"
)
LOW_STOCK = (ReorderPointSet(sku="MUG", reorder_point=3, supplier_id="S1"),)
SCENARIOS = (
    Scenario(
        name="support",
        runs=("support/mail/1",),
        targets=(RELAY, "support/mail/1"),
        happens=_complains,
        hold_seconds=1,
    ),
    Scenario(
        name="replenish",
        runs=("replenish/S1",),
        targets=(RELAY, "replenish/S1"),
        happens=_sells_across_the_reorder_point,
        history=LOW_STOCK,
    ),
    Scenario(
        name="content",
        runs=(f"content-plan/{DAY.date()}", "content/moss-mug"),
        targets=(f"content-plan/{DAY.date()}", "content/moss-mug"),
        happens=_starts_content,
    ),
    Scenario(
        name="rollback",
        runs=(f"replenish/{DAY.date()}", f"rollback/replenish/{DAY.date()}"),
        targets=(f"rollback/replenish/{DAY.date()}",),
        happens=_orders_and_regrets,
        history=(
            *(ReorderPointSet(sku=sku, reorder_point=50, supplier_id=s) for sku, s in (("MUG", "S1"), ("CUP", "S2"))),
            _in_force("stock", StockPolicy(), version=2),  # what is cancelled is soon to be ordered again, but not within the test
        ),
    ),
    Scenario(
        name="digest",
        runs=(f"digest/{DAY.date()}",),
        targets=(f"digest/{DAY.date()}",),
        happens=_asks_for_the_digest,
    ),
    Scenario(
        name="memory",
        runs=(f"memory/{DAY.date()}",),
        targets=(f"memory/{DAY.date()}",),
        happens=_asks_for_upkeep,
    ),
    Scenario(
        name="rollout",
        runs=("rollout/support/3",),
        targets=("rollout/support/3",),
        happens=_refunds_wrongly,
        history=_trial(),
    ),
    Scenario(
        name="learn",
        runs=(f"learn/{DAY.date()}",),
        targets=(f"learn/{DAY.date()}",),
        happens=_looks_back,
    ),
    Scenario(
        name="attention",
        runs=(f"attention/{DAY.date()}",),
        targets=(RELAY, f"attention/{DAY.date()}"),
        happens=_raises_an_alarm,
        history=(
            _in_force("approval", ApprovalPolicy(quiet_from_hour=0, quiet_to_hour=0)),
            _in_force("attention", AttentionPolicy(gather_minutes=0.005)),
        ),
    ),
    Scenario(
        name="poll",
        runs=("poll/post",),
        targets=(RELAY, "poll/post"),
        happens=_reads_orders,
    ),
    Scenario(
        name="propose",
        runs=("propose/first",),
        targets=("propose/first",),
        happens=_a_program_proposes,
    ),
    Scenario(
        name="restock",
        runs=("restock/po-1",),
        targets=(RELAY, "restock/po-1"),
        happens=_goods_arrive,
        history=(CONNECTED, *_product("BOWL", "Clay bowl", "S1", sold_daily=1)),
        articles=ARRIVE,
    ),
)
BUSY_DAY = Scenario(
    name="busy day",
    runs=(*(f"support/mail/{number}" for number in range(1, CUSTOMERS + 1)), "replenish/S1"),
    happens=_is_busy,
    history=LOW_STOCK,
)
