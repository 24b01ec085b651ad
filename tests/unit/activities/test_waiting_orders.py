"""Planning while an order to the same supplier waits for the operator."""

from datetime import timedelta
from typing import Any

import pytest

import connectors
import memory
from activities.steps import PlanStockInput, ProposeInput, StockPlanned
from connectors.fakes import InMemoryAnalytics
from domain.entities import Shop, Supplier
from domain.event import new_event
from domain.events import ShopDescribed, SupplierListed
from domain.runs import RunStarted
from models import LocalModel
from models.embedding import HashingEmbedder
from staff import Outside, Staff
from staff import staff as hired
from tests.workflow.test_stock_replenishment import NOW, goods

RUN = "replenish/north"


@pytest.fixture
async def staff() -> Staff:
    """A shop with one supplier, whose only article runs low."""
    kept, model = memory.in_memory(embedder=HashingEmbedder()), LocalModel(HashingEmbedder())
    shop = Shop(name="Clay", email="hello@clay.example", site_url="https://clay.example", signature="Kim, Clay")
    supplier = Supplier(supplier_id="north", name="north", email="orders@north.example", lead_time_days=5)
    begun = RunStarted(run_id=RUN, workflow="replenish", at=NOW)
    events = [ShopDescribed(shop=shop), SupplierListed(supplier=supplier), *goods("mug", "north", on_hand=2), begun]
    await kept.log.append([new_event(e, at=NOW, key=(e.type,)) for e in events])
    outside = Outside(connectors=connectors.in_memory(), analytics=InMemoryAnalytics({}), model=model, intents=model)
    return hired(kept, outside)


async def plan(staff: Staff, **given: Any) -> StockPlanned:
    return await staff.stock.plan_stock(PlanStockInput(run_id=RUN, suppliers=("north",), now=NOW, **given))


async def test_a_question_that_an_earlier_run_of_the_same_name_left_postpones_nothing(staff: Staff) -> None:
    """This run waits for no answer to it, so that planning again at once, and again, would bring nothing new."""
    (order,) = (await plan(staff)).planned
    asked = await staff.action.propose(ProposeInput(run_id=RUN, workflow="replenish", planned=order, now=NOW + timedelta(hours=1)))
    assert asked.approval is not None
    await staff.approval.request_approval(asked.approval)
    again = await plan(staff)
    assert (again.planned, again.postponed) == ((), False)


async def test_an_order_of_this_run_that_is_on_its_way_postpones_the_next(staff: Staff) -> None:
    """It plans again once that one is decided."""
    again = await plan(staff, deciding=("north",))
    assert (again.planned, again.postponed) == ((), True)
