"""The three workflows of a business, end to end over a real mailbox, a real shop and a real site that are connected at once."""

import csv
import email
import email.policy
import io
from asyncio import to_thread
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError
from temporalio.testing import TimeSkipper

import memory
from domain.access import Scope
from domain.actions import AdjustStock, PlacePurchaseOrder, RefundOrder
from domain.connections import Connection
from domain.deliveries import arrived
from domain.entities import ContentPiece, ContentStatus, Order, OrderStatus, Product, PurchaseOrder, Shop, Stock, Supplier, Ticket
from domain.event import Event
from domain.events import ReorderPointSet, ShopDescribed, SupplierListed
from domain.money import Money
from tests.conftest import Servers
from tests.console.program import program
from tests.contract.mail_cases import question
from tests.contract.mail_servers import ADDRESS
from tests.peers.company import Company, opened
from tests.peers.dovecot import dovecot_servers
from tests.peers.vendure_peer import VendurePeer, vendure
from tests.peers.wordpress import Wordpress, wordpress
from tests.workflow.test_seo_content import catalogue
from tests.workflow.test_stock_replenishment import goods
from tests.workflow.timeskipping import skipper, started_server
from workflows.seo_content import PlanContentWorkflow

ADA, BOB, NORTH = "ada@example.org", "bob@example.org", "orders@north.example"
SHOP = Shop(name="Mill", email=ADDRESS, site_url="https://mill.example", signature="Mia, Mill")

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def shop(servers: Servers) -> Iterator[VendurePeer]:
    with vendure(servers.admin_url) as running:
        yield running


@pytest.fixture(scope="module")
def site() -> Iterator[Wordpress]:
    with wordpress() as running:
        yield running


@pytest.fixture(scope="module")
def temporal() -> Iterator[str]:
    with started_server() as address:
        yield address


@pytest.fixture
async def clock(temporal: str) -> AsyncIterator[TimeSkipper]:
    """What the test leaves running is ended with it."""
    skipping = await skipper(temporal)
    yield skipping
    async for left in skipping.client.list_workflows("ExecutionStatus = 'Running'"):
        with suppress(RPCError):
            await skipping.client.get_workflow_handle(left.id).terminate("the test is over")


@pytest.fixture
async def company(
    kept: memory.Memory, temporal: str, clock: TimeSkipper, shop: VendurePeer, site: Wordpress, home: Path
) -> AsyncIterator[Company]:
    """Open for business: everything is connected, and the shop has been described."""
    await site.empty()
    shop.clear_articles()
    client = await Client.connect(temporal, data_converter=pydantic_data_converter)
    async with (
        dovecot_servers() as post,
        opened(kept, client, skipper=clock, home=home, post=post, shop=shop, blog=site.blog()) as running,
    ):
        await running.record(ShopDescribed(shop=SHOP))
        yield running


async def mails(company: Company, address: str) -> list[EmailMessage]:
    """What lies in somebody's mailbox."""
    return [email.message_from_bytes(raw, policy=email.policy.default) for raw in await company.post.kept("INBOX", at=address)]


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


async def test_customers_are_answered_and_a_damaged_article_is_paid_back(company: Company) -> None:
    """One reply each in their own mailboxes and threads, one refund in the shop; reading the shop again adds nothing."""
    where, broken = await to_thread(_two_parcels, company.shop)
    await company.read("shop")
    await company.known(Order, where, lambda order: order.tracking)
    await company.known(Order, broken, lambda order: order.status is OrderStatus.DELIVERED)
    await company.post.arrive(question(1, body=f"Hello, where is my order {where}? When will it arrive?"))
    damage = "it is cracked and the handle is broken off"  # said so clearly that no random order code makes a doubt of it
    await company.post.arrive(question(2, sender=BOB, body=f"The mug from order {broken} arrived damaged: {damage}."))
    paid_back = await company.approve("refund-order", broken)
    for address in (ADA, BOB):
        await company.approve("send-reply", address)

    assert isinstance(paid_back, RefundOrder)
    (to_ada,), (to_bob,) = await mails(company, ADA), await mails(company, BOB)
    assert (to_ada["In-Reply-To"], to_bob["In-Reply-To"]) == ("<1@example.org>", "<2@example.org>")
    assert "77" in text_of(to_ada)
    assert "17.40 EUR" in text_of(to_bob)
    await company.read("shop", after=timedelta(minutes=11))
    assert await to_thread(_paid_back, company.shop, where, broken) == [[], [1740]]
    (refunded,) = await company.told("order.refunded", f"order/{broken}")
    assert _grown(refunded, "refunds") == (0, 1)
    for sender in (ADA, BOB):
        (ticket,) = await company.kept.state.find(Ticket, sender=sender)
        (replied,) = await company.told("ticket.reply-sent", f"ticket/{ticket.ticket_id}")
        assert _grown(replied, "messages") == (1, 2)


def _two_parcels(shop: VendurePeer) -> tuple[str, str]:
    """One is on its way to Ada, the other has come to Bob."""
    sku = shop.article()
    where, broken = shop.order(sku), shop.order(sku, units=1, email=BOB)
    shop.send(where, "Shipped")
    shop.send(broken, "Shipped", "Delivered")
    return where, broken


def _paid_back(shop: VendurePeer, *codes: str) -> list[list[int]]:
    """What went back of each order, in cents."""
    return [[refund["total"] for payment in shop.told(code)["payments"] for refund in payment["refunds"]] for code in codes]


def _grown(event: Event, field: str) -> tuple[int, int]:
    """How many there were before and after."""
    assert event.pre is not None
    return len(event.pre[field]), len(event.post[field])


async def test_what_sells_out_is_ordered_and_what_arrives_is_on_sale_again(company: Company) -> None:
    """One mail with the order as CSV to the supplier; then the shop is told what came and what of it broke, after a yes each."""
    sku = await to_thread(company.shop.article, sku="mug", stock=30)
    north = Supplier(supplier_id="north", name="North", email=NORTH, lead_time_days=5)
    await company.record(SupplierListed(supplier=north), *goods(sku, "north", on_hand=30))
    await company.record(ReorderPointSet(sku=sku, reorder_point=20, supplier_id="north"))
    await company.read("shop")
    await company.known(Product, sku, lambda product: product.price == Money.of("17.40"))
    code = await to_thread(company.shop.order, sku, units=12)
    await company.read("shop", after=timedelta(minutes=11))
    await company.known(Order, code)
    await company.known(Stock, sku, lambda stock: stock.on_hand == 18)
    await company.run_begun("replenish/north")
    await company.skipper.fast_forward(company.run("replenish/north"), timedelta(minutes=10))
    placed = await company.approve("place-purchase-order", sku)

    assert isinstance(placed, PlacePurchaseOrder)
    (ordered,) = placed.purchase_order.lines
    (mail,) = await mails(company, NORTH)
    assert _rows(mail) == [(sku, str(ordered.units))]
    await _put_on_sale(company, placed.purchase_order, sku, before=18)
    assert (await to_thread(company.shop.variant, sku))["stockLevels"][0]["stockOnHand"] == 30 + ordered.units
    await _take_one_off(company, sku, before=18 + ordered.units)
    assert (await to_thread(company.shop.variant, sku))["stockLevels"][0]["stockOnHand"] == 30 + ordered.units - 1
    await company.read("shop", after=timedelta(minutes=11))
    assert (await company.known(Stock, sku)).on_hand == 18 + ordered.units - 1
    assert len(await mails(company, NORTH)) == 1


def _rows(mail: EmailMessage) -> list[tuple[str, str]]:
    (attached,) = mail.iter_attachments()
    assert attached.get_content_type() == "text/csv"
    return [(row["sku"], row["units"]) for row in csv.DictReader(io.StringIO(attached.get_content()))]


async def _put_on_sale(company: Company, order: PurchaseOrder, sku: str, *, before: int) -> None:
    """The goods come; the shop is told from its own figure, and only once it is approved."""
    known = await company.known(PurchaseOrder, order.purchase_order_id)
    await company.record(*arrived(known, at=datetime.now(UTC), connections=await company.kept.state.find(Connection)))
    told = await company.approve("adjust-stock", sku)
    assert isinstance(told, AdjustStock)
    assert (told.units_before, told.units_after) == (before, before + order.lines[0].units)


async def _take_one_off(company: Company, sku: str, *, before: int) -> None:
    """One came broken: a program with a token proposes to tell the shop, and may do no more."""
    action = AdjustStock(sku=sku, units_before=before, units_after=before - 1, reason="one came broken")
    async with program(company.house, Scope.PROPOSE, name="warehouse") as scanner:
        body = {"action": action.model_dump(mode="json"), "reason": "counted at the door", "proposal_id": "delivery-1"}
        answer = await scanner.ask("POST", "/proposals", body)
    assert (answer.status_code, answer.json()) == (202, {"run_id": "propose/delivery-1"})
    assert await company.approve("adjust-stock", sku) == action


async def test_a_page_is_written_published_and_taken_down_again(company: Company) -> None:
    """Visitors read it once it is approved, and not any more once its run is rolled back; it is one post all the while."""
    await company.record(*catalogue(on_hand=20))
    planning = await company.gateway.start_content(now=datetime.now(UTC))
    (run_id,) = await company.skipper.client.get_workflow_handle_for(PlanContentWorkflow.run, planning).result()
    await company.approve("publish-content", run_id.removeprefix("content/"))

    (post,) = await company.blog.posts()
    shown = await _visited(post)
    assert (post["status"], shown.status_code) == ("publish", 200)
    assert "350 ml" in shown.text
    undone = await company.gateway.rollback(run_id, by="operator")
    assert len(undone.compensated) == 1
    (taken_down,) = await company.blog.posts()
    assert (taken_down["id"], taken_down["status"]) == (post["id"], "draft")
    assert (await _visited(post)).status_code == 404
    piece = await company.known(ContentPiece, post["slug"])
    assert piece.status is ContentStatus.UNPUBLISHED
    kinds = [event.type for event in reversed(await company.kept.log.last(stream=f"content/{post['slug']}"))]
    assert kinds == ["content.published", "content.unpublished"]


async def _visited(post: dict[str, Any]) -> httpx.Response:
    """The page as somebody sees it who is not logged in."""
    async with httpx.AsyncClient(timeout=20, trust_env=False) as visitor:
        return await visitor.get(post["link"])
