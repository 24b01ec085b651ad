"""A real shop's catalogue and year of sales, from the files to purchase orders at the supplier."""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from time import monotonic

import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

import connectors
import memory
import worker
from cli.importing import Origin, import_report
from connectors.fakes import InMemoryAnalytics, InMemorySuppliers
from connectors.importers.catalog import CatalogOptions, read_catalog
from connectors.importers.report import ImportReport
from connectors.importers.sales import read_sales
from connectors.importers.table import TableOptions
from domain.actions import Capability, PlacePurchaseOrder
from domain.approvals import Approval, ApprovalStatus, Decision, Verb
from domain.entities import Product, PurchaseOrder, Stock
from domain.money import Money
from domain.policies import StockPolicy
from models.embedding import HashingEmbedder
from models.local import LocalModel
from models.scripted import ScriptedModel
from staff import Outside
from tests.conftest import Servers
from tests.workflow.waiting import until
from workflows.gateway import Gateway

DATA = Path(os.environ.get("STEWARD_TEST_DATA", Path(__file__).resolve().parents[3] / "shared" / "data")) / "online_retail"
NOW = datetime(2012, 1, 2, 9, tzinfo=UTC)

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"no evaluation data at {DATA}; say STEWARD_TEST_DATA=<folder>")


@cache
def read_shop() -> tuple[ImportReport, ImportReport]:
    """The two files, read once: what reading them says does not depend on what is known."""
    listed = read_catalog(
        (DATA / "sku_catalog.csv").read_bytes(),
        table=TableOptions(mapping={"sku": "StockCode", "title": "description", "price": "median_price"}),
        catalog=CatalogOptions(supplier="giftware", supplier_email="orders@giftware.example"),
        at=NOW,
    )
    sold = read_sales(
        (DATA / "daily_sku_sales.csv.gz").read_bytes(),
        table=TableOptions(mapping={"sku": "StockCode", "unit_price": "price"}),
        today=NOW.date(),
        opening_stock_days=14,
    )
    assert not listed.rejected
    assert not sold.rejected
    return listed, sold


async def import_shop(kept: memory.Memory) -> tuple[int, int]:
    """How many events the two files brought."""
    nameless = Origin("")
    both = [await import_report(report, origin=nameless, log=kept.log, state=kept.state, at=NOW) for report in read_shop()]
    listed, sold = [len(changes.fresh) for changes in both]
    return listed, sold


@pytest.fixture
async def client(servers: Servers) -> Client:
    return await Client.connect(servers.temporal_address, data_converter=pydantic_data_converter)


@pytest.fixture
async def gateway(client: Client, kept: memory.Memory, suppliers: InMemorySuppliers) -> AsyncIterator[Gateway]:
    """The running system: every worker, outside systems in memory."""
    adapters = {**connectors.in_memory(), Capability.SUPPLIERS: suppliers}
    outside = Outside(
        connectors=adapters, analytics=InMemoryAnalytics({}), model=ScriptedModel({}), intents=LocalModel(HashingEmbedder())
    )
    async with AsyncExitStack() as running:
        for one in worker.workers(client, kept, outside):
            await running.enter_async_context(one)
        yield Gateway(client)


@pytest.fixture
def suppliers() -> InMemorySuppliers:
    return InMemorySuppliers()


@pytest.mark.timeout(180)
async def test_a_real_shop_is_replenished(client: Client, gateway: Gateway, kept: memory.Memory) -> None:
    """1,941 articles: imported, planned, asked about and ordered within a minute, and every constraint is kept.

    The same two files again change nothing: no event is appended.
    """
    began = monotonic()
    listed, sold = await import_shop(kept)
    assert listed == 1_931 + 1
    assert 1_941 < sold <= 2 * 1_941
    before = await kept.log.head()
    assert await import_shop(kept) == (0, 0)
    assert await kept.log.head() == before
    run_id = await gateway.start_replenishment(now=datetime.now(UTC))
    try:
        approval = await until(lambda: waiting(kept), seconds=60)
        action = approval.proposal.action
        assert isinstance(action, PlacePurchaseOrder)
        await check_constraints(action.purchase_order, kept)
        assert "2011-12-09" in approval.proposal.why.force_ask
        await gateway.decide(approval, approve(approval), now=datetime.now(UTC))
        await until(lambda: kept.state.get(PurchaseOrder, action.purchase_order.purchase_order_id))
        assert monotonic() - began < 60
        for line in action.purchase_order.lines[:20]:
            stock = await kept.state.get(Stock, line.sku)
            assert stock is not None
            assert stock.on_order == line.units
    finally:
        await client.get_workflow_handle(run_id).terminate("the test is over")


async def check_constraints(order: PurchaseOrder, kept: memory.Memory) -> None:
    """Budget, supplier, minimum quantity, pack, cost; only what is at or under its reorder point; a reason for every line."""
    assert Money.of(1_000) < order.total <= StockPolicy().budget
    assert len({line.sku for line in order.lines}) == len(order.lines)
    for line in order.lines:
        product, stock = await kept.state.get(Product, line.sku), await kept.state.get(Stock, line.sku)
        assert product is not None
        assert stock is not None
        assert (product.supplier_id, product.unit_cost) == (order.supplier_id, line.unit_cost)
        assert line.units >= product.moq
        assert line.units % product.pack_size == 0
        assert stock.below_reorder_point
        assert "sells" in line.why


async def waiting(kept: memory.Memory) -> Approval | None:
    return next(iter(await kept.state.find(Approval, status=ApprovalStatus.PENDING)), None)


def approve(approval: Approval) -> Decision:
    return Decision(
        decision_id="yes", approval_id=approval.approval_id, verb=Verb.APPROVE, digest=approval.proposal.digest, by="operator"
    )
