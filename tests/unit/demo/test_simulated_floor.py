from decimal import Decimal
from pathlib import Path

import pytest

import connectors
import demo.simulation
from connectors.fakes import InMemoryShop
from demo.simulation.evening import Evening
from demo.simulation.figures import Tally
from demo.simulation.floor import Floor, laid_over
from demo.simulation.scenario import Scenario, ShockKind, read_scenario
from domain.actions import Capability
from domain.decisions import Mode
from domain.entities import Order, OrderStatus, Stock
from domain.errors import InvalidInput
from domain.events import OrderCancelled, StockCounted
from domain.experiments import Experiment
from domain.policies import AutonomyPolicy, ContentPolicy, PolicyProposed, PolicyVersion, SupportPolicy
from domain.runs import Alert, AlertLevel, AlertRaised, Controls
from memory import Memory, in_memory
from models.embedding import HashingEmbedder
from tests.unit.demo.simulated import SEED

SCENARIO = Scenario(orders=4)
MORNING = SCENARIO.midnight(1)
TROUBLES = Path(demo.simulation.__file__).parent / "scenarios" / "troubles.yaml"


class Opened:
    """A shop in memory on its first morning."""

    def __init__(self) -> None:
        self.kept: Memory = in_memory(embedder=HashingEmbedder())
        outside = connectors.in_memory()
        shop = outside[Capability.SHOP]
        assert isinstance(shop, InMemoryShop)
        self.shop = shop
        self.tally = Tally()
        self.tally.begin(1, "2030-01-07")
        self.floor = Floor(self.kept, outside, scenario=SCENARIO, seed=SEED, tally=self.tally)


@pytest.fixture
async def opened() -> Opened:
    found = Opened()
    await found.floor.open()
    return found


async def test_a_careful_newcomer_is_asked_everything(opened: Opened) -> None:
    """And the scenario's policies are in force over the shop's own."""
    controls = await opened.kept.state.get(Controls, "self")
    assert controls is not None
    assert {controls.mode_of(workflow, "any") for workflow in ("support", "replenish", "content")} == {Mode.ASK}
    content = (await opened.kept.policies.in_force(ContentPolicy)).document
    assert (content.pages_per_run, content.minimum_words) == (1, 180)


async def test_a_cancelled_order_stays_where_it_is(opened: Opened) -> None:
    """Its parcel was about to leave."""
    parcel = next(p for p in opened.floor.parcels if p.ships_at > MORNING)
    await opened.floor.tell(MORNING, OrderCancelled(order_id=parcel.order.order_id, reason="asked"))
    await opened.floor.ship(parcel)
    order = await opened.kept.state.get(Order, parcel.order.order_id)
    assert order is not None
    assert order.status is OrderStatus.CANCELLED


async def test_a_parcel_goes_on_in_the_shop_as_in_the_log(opened: Opened) -> None:
    """Both tell the same order."""
    parcel = next(p for p in opened.floor.parcels if p.ships_at > MORNING)
    await opened.floor.ship(parcel)
    order = await opened.kept.state.get(Order, parcel.order.order_id)
    assert order is not None
    assert order.tracking == parcel.tracking
    assert (await opened.shop.snapshot())["orders"][order.order_id] == order.model_dump(mode="json")


async def test_what_is_not_there_is_not_sold(opened: Opened) -> None:
    """What was wanted counts all the same, and the day is one without stock."""
    await opened.floor.tell(MORNING, *(StockCounted(sku=sku, on_hand=0) for sku in opened.floor.products))
    await opened.floor.sell(1, MORNING)
    (day,) = opened.tally.days()
    assert (day.sold, day.holding) == (0, Decimal(0))
    assert day.wanted > 0
    assert day.stock_outs > 0
    assert {s.on_hand for s in await opened.kept.state.find(Stock)} == {0}


async def test_in_the_evening_proposals_are_ratified_and_alerts_seen(opened: Opened) -> None:
    """One decision a proposal."""
    document = AutonomyPolicy(limit=0.2).model_dump(mode="json")
    version = PolicyVersion(version=1, document=document, proposed_by="learner", at=MORNING, why="earned")
    alert = Alert(key="ratify/autonomy@1", level=AlertLevel.INFO, text="Steward proposes", at=MORNING)
    await opened.floor.tell(MORNING, PolicyProposed(name="autonomy", version=version), AlertRaised(alert=alert))
    assert await Evening(opened.kept).go_through(MORNING) == 1
    found = await opened.kept.policies.in_force(AutonomyPolicy)
    assert (found.version, found.document.limit) == (1, 0.2)
    assert not any(a.open for a in await opened.kept.state.find(Alert))
    assert await Evening(opened.kept).go_through(MORNING) == 0


async def test_a_bad_idea_is_tried_and_not_in_force(opened: Opened) -> None:
    """As the learning cycle tries its own; one trial a policy at a time, and the operator leaves it alone."""
    change = read_scenario(TROUBLES).shocks[0].change
    await opened.floor.try_out("support", change, at=MORNING)
    (experiment,) = await opened.kept.state.find(Experiment)
    assert experiment.running
    assert (await opened.kept.policies.in_force(SupportPolicy)).version != experiment.candidate
    assert await Evening(opened.kept).go_through(MORNING) == 0
    with pytest.raises(InvalidInput):
        await opened.floor.try_out("support", change, at=MORNING)


def test_a_change_is_laid_over_a_policy_however_deep() -> None:
    """What it does not name stays."""
    assert laid_over({"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"b": 9}}) == {"a": {"b": 9, "c": 2}, "d": 3}


def test_the_troubles_are_a_scenario() -> None:
    """A bad idea, a new question and a slow supplier."""
    kinds = [shock.kind for shock in read_scenario(TROUBLES).shocks]
    assert kinds == [ShockKind.CANDIDATE, ShockKind.NEW_QUESTION, ShockKind.SLOW_SUPPLIER]
