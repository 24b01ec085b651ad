"""Undoing a run whose id is used again and again, as a supplier's is."""

from datetime import UTC, datetime, timedelta

import pytest

import connectors
import memory
from activities.steps import EffectInput, ResultKind, RevertInput
from connectors.fakes import InMemoryAnalytics
from domain.actions import PlacePurchaseOrder, Receipt
from domain.decisions import Diff
from domain.effects import Reservation
from domain.entities import PurchaseOrder, PurchaseOrderLine, Stock
from domain.event import EventData, new_event
from domain.events import PurchaseOrderReceived, StockReceived
from domain.money import Money
from domain.runs import RunStarted
from models import LocalModel
from models.embedding import HashingEmbedder
from staff import Outside, staff

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
RUN = "replenish/north"


class Shop:
    """One supplier's run, in memory."""

    def __init__(self) -> None:
        self.kept = memory.in_memory(embedder=HashingEmbedder())
        model = LocalModel(HashingEmbedder())
        outside = Outside(connectors=connectors.in_memory(), analytics=InMemoryAnalytics({}), model=model, intents=model)
        self.steps = staff(self.kept, outside).action

    async def tell(self, *events: EventData, at: datetime) -> None:
        await self.kept.log.append([new_event(e, at=at, key=(e.stream, at.isoformat())) for e in events])

    async def began(self, at: datetime) -> None:
        await self.tell(RunStarted(run_id=RUN, workflow="replenish", at=at), at=at)

    async def ordered(self, name: str, units: int, *, at: datetime) -> str:
        """An order that went out; the key of its effect."""
        line = PurchaseOrderLine(sku="MUG", title="Mug", units=units, unit_cost=Money.of(1))
        order = PurchaseOrder(purchase_order_id=name, supplier_id="north", lines=(line,), ordered_at=at, expected_at=at)
        action = PlacePurchaseOrder(purchase_order=order, to="orders@north.example", sender="hello@clay.example")
        diff = Diff(record=action.stream, record_version="0", before={}, after={})
        wish = Reservation(key=name, run_id=RUN, workflow="replenish", step=name, action=action, diff=diff, approval_id="a", now=at)
        await self.kept.ledger.reserve(wish, connector="suppliers")
        await self.kept.ledger.begin(name, now=at)
        receipt = Receipt(reference=name, at=at)
        events = [new_event(e, at=at, key=(name, str(n))) for n, e in enumerate(action.events(receipt))]
        await self.kept.ledger.commit(name, receipt, events)
        return name


@pytest.fixture
def shop() -> Shop:
    return Shop()


async def test_an_order_that_has_arrived_stays(shop: Shop) -> None:
    """Fifty units of a later order are on their way, and still are after the attempt."""
    arrived = await shop.ordered("po-1", 100, at=NOW)
    await shop.tell(
        StockReceived(sku="MUG", units=100, purchase_order_id="po-1"),
        PurchaseOrderReceived(purchase_order_id="po-1", at=NOW),
        at=NOW,
    )
    await shop.ordered("po-2", 50, at=NOW)
    result = await shop.steps.undo(EffectInput(key=arrived, now=NOW))
    assert (result.kind, result.detail) == (ResultKind.IMPOSSIBLE, "the order is received already")
    stock = await shop.kept.state.get(Stock, "MUG")
    assert stock is not None
    assert stock.on_order == 50


async def test_what_an_earlier_run_of_the_same_name_did_is_left_alone(shop: Shop) -> None:
    """Unless all of it is asked for."""
    await shop.began(NOW)
    old = await shop.ordered("po-1", 100, at=NOW + timedelta(minutes=1))
    await shop.began(NOW + timedelta(days=30))
    new = await shop.ordered("po-2", 50, at=NOW + timedelta(days=30, minutes=1))
    assert (await shop.steps.effects_to_undo(RevertInput(key=RUN, now=NOW))).keys == (new,)
    assert (await shop.steps.effects_to_undo(RevertInput(key=RUN, everything=True, now=NOW))).keys == (new, old)
