"""What is particular to WooCommerce, against a double of it on loopback."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx
import pytest

import memory
from activities.intake import Intake
from connectors.http import Http, Limits
from connectors.shop_effects import ShopConnector
from connectors.woocommerce import KIND, WooShop, WooSource
from domain.actions import Action, CancelOrder, ChangeAddress
from domain.entities import Customer, OrderStatus, Picture, Product, Stock
from domain.errors import InvalidInput, NotCounted, NotFound, NotSigned, Permanent, Retryable, Stale, Unknown
from domain.event import new_event
from domain.events import ProductListed
from domain.ports import units_in
from memory.fakes.shelves import InMemoryAttempts
from models.embedding import HashingEmbedder
from tests.contract import signing
from tests.contract.every_connector import preview_and_execute
from tests.contract.http_trouble import TROUBLE
from tests.contract.outside_cases import HOME, LATER, NOW, refund, restock
from tests.contract.scripted_http import Call, Reply, Server, as_json
from tests.contract.shop_cases import WOO_SECRET, woo
from tests.contract.shop_floor import ShopFloor, on, with_a_lost_answer
from tests.contract.woo_double import KEY, SECRET, WooDouble, woo_double

QUICK = Limits(connect_seconds=0.5, seconds=0.4, max_bytes=1_500, pages=3)


@dataclass
class Shop(ShopFloor):
    """The double with a connection to it."""

    double: WooDouble = field(default_factory=WooDouble)
    server: Server = field(default_factory=lambda: Server(url="", script=[]))


@asynccontextmanager
async def connected(*, secret: str = SECRET) -> AsyncIterator[Shop]:
    async with woo_double() as (double, server):
        opened = woo(server.url, secret=secret)
        yield Shop(opened, double=double, server=server)
        await opened.close()


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    async with connected() as opened:
        yield opened


def posted(call: Call) -> bool:
    return call.method == "POST"


def got(call: Call) -> bool:
    return call.method == "GET"


@pytest.mark.parametrize(("reply", "reading", "writing"), TROUBLE)
async def test_each_trouble_has_one_meaning(reply: Reply, reading: type[Exception], writing: type[Exception]) -> None:
    """For reading orders, and for a refund, of which none is ever made twice."""
    async with woo_double() as (double, server):
        double.order(order_id=1001)
        http = Http(f"{server.url}/wp-json/wc/v3", name="shop", auth=httpx.BasicAuth(KEY, SECRET), limits=QUICK)
        desk = WooShop(http)
        connector = ShopConnector(desk, attempts=InMemoryAttempts())
        seen = (await connector.preview(refund("1001", "broken"))).record_version
        server.answer = on(posted, reply, double.answer)
        with pytest.raises(writing):
            await connector.execute(refund("1001", "broken"), key="k", expected_version=seen, now=NOW)
        server.answer = on(got, reply, double.answer)
        with pytest.raises(reading):
            await WooSource(http, desk, since=NOW.date()).read("orders", "", now=NOW)
        await http.close()


async def test_a_refund_whose_confirmation_got_lost_is_found_by_its_mark(shop: Shop) -> None:
    """It is not repeated, and the receipt is the one of the first attempt."""
    shop.double.order(order_id=1001)
    action = refund("1001", "broken")
    receipt = await with_a_lost_answer(shop, action, server=shop.server, which=posted, answer=shop.double.answer)
    assert (shop.double.refunds, receipt.at) == (1, NOW)


async def test_a_refund_without_a_trace_is_looked_for_as_long_as_it_may_be_on_its_way() -> None:
    """Only then it did not happen, and may be made."""
    async with woo_double() as (double, server):
        double.order(order_id=1001)
        time = [NOW]
        http = Http(f"{server.url}/wp-json/wc/v3", name="shop", auth=httpx.BasicAuth(KEY, SECRET))
        connector = ShopConnector(WooShop(http), attempts=InMemoryAttempts(), clock=lambda: time[0])
        action = refund("1001", "broken")
        seen = (await connector.preview(action)).record_version
        server.answer = on(posted, Reply(cut=True, body=b"xx"), double.answer)
        with pytest.raises(Unknown):
            await connector.execute(action, key="k", expected_version=seen, now=NOW)
        server.answer = double.answer
        with pytest.raises(Retryable, match="no trace"):
            await connector.find_receipt(action, key="k")
        time[0] += timedelta(minutes=10)
        assert await connector.find_receipt(action, key="k") is None
        await connector.execute(action, key="k", expected_version=seen, now=LATER)
        assert double.refunds == 1
        await http.close()


async def test_a_refund_that_the_payments_provider_refuses_is_a_definite_no(shop: Shop) -> None:
    """Although WooCommerce answers it with a 500."""
    shop.double.order(order_id=1001)
    shop.double.refuses_refunds = True
    with pytest.raises(Permanent, match="by hand"):
        await preview_and_execute(shop.connector, refund("1001", "broken"))
    assert await shop.connector.find_receipt(refund("1001", "broken"), key="k") is None


ELSEWHERE = HOME.model_copy(update={"name": "Bo Li", "line1": "2 Elm"})


@pytest.mark.parametrize(
    "action",
    [CancelOrder(order_id="1001", reason="wish"), ChangeAddress(order_id="1001", address=ELSEWHERE)],
    ids=lambda a: a.kind,
)
async def test_an_orders_change_is_undone_by_its_inverse(shop: Shop, action: Action) -> None:
    """Cancelled and taken up again; sent elsewhere and back."""
    order = shop.double.order(order_id=1001)
    before = {name: order[name] for name in ("status", "shipping", "billing", "refunds")}
    shown = await shop.connector.preview(action)
    await shop.connector.execute(action, key="do", expected_version=shown.record_version, now=NOW)
    assert {name: order[name] for name in before} != before
    inverse = action.inverse(shown.before)
    assert inverse is not None
    seen = (await shop.connector.preview(inverse)).record_version
    await shop.connector.execute(inverse, key="undo", expected_version=seen, now=NOW)
    assert {name: order[name] for name in before} == before


@pytest.mark.parametrize("status", ["pending", "on-hold", "completed", "refunded", "cancelled"])
async def test_what_the_order_does_not_permit_is_refused_when_it_is_shown(shop: Shop, status: str) -> None:
    """Nothing is sent."""
    shop.double.order(order_id=1001, status=status)
    with pytest.raises(Permanent, match="order 1001"):
        await shop.connector.preview(CancelOrder(order_id="1001", reason="wish"))
    assert set(shop.server.methods) == {"GET"}


async def test_a_sale_between_the_look_and_the_write_is_not_overwritten(shop: Shop) -> None:
    """The count is compared once more; a stock that the shop does not count is refused."""
    mug = shop.double.product(stock=3)
    shop.double.product(sku="CUP", stock=None)
    seen = (await shop.connector.preview(restock())).record_version
    mug["stock_quantity"] = 2
    with pytest.raises(Permanent, match="has 2 of MUG"):
        await shop.connector.preview(restock())
    with pytest.raises(Stale, match="has 2 of MUG by now"):
        await shop.connector.execute(restock(), key="k", expected_version=seen, now=NOW)
    with pytest.raises(NotCounted, match="does not count CUP"):
        await units_in(shop.connector, "CUP")
    assert mug["stock_quantity"] == 2


async def test_a_sale_becomes_its_customer_the_order_and_a_sale_of_each_article(shop: Shop) -> None:
    """The shop counts its own stock, so the sale does not move it; an order that is not paid is none."""
    order = shop.double.order(order_id=1001)
    shop.double.order(order_id=1002, status="pending", date_paid_gmt=None)
    shop.double.product(stock=3)
    await shop.read("products")
    await shop.read()
    assert await shop.told() == [
        "supplier.listed",
        "product.listed",
        "stock.counted",
        "customer.listed",
        "order.placed",
        "stock.sold",
    ]
    known = await shop.order("1001")
    assert (known.status, str(known.total), known.ship_to) == (OrderStatus.PAID, "29.00 EUR", HOME)
    assert known.as_of == datetime.fromisoformat(order["date_modified_gmt"]).replace(tzinfo=UTC)
    customer = await shop.kept.state.get(Customer, "7")
    assert customer is not None
    assert customer.email == "ada@example.org"
    (row,) = await shop.kept.state.sales(since=known.placed_at.date(), until=known.placed_at.date())
    assert (row.sku, row.units) == ("MUG", 2)
    stock = await shop.kept.state.get(Stock, "MUG")
    assert stock is not None
    assert stock.on_hand == 3


async def test_what_happens_to_an_order_in_the_shop_is_told_once(shop: Shop) -> None:
    """Sent, refunded, sent to another address, cancelled; read again and again."""
    order = shop.double.order(order_id=1001)
    await shop.read()
    shop.double.touch(order, shipping={**order["shipping"], "address_1": "2 Elm"})
    await shop.read()
    shop.double.touch(order, status="completed", date_completed_gmt="2026-03-02T08:00:00")
    await shop.read()
    shop.double.touch(order, refunds=[{"id": 5, "reason": "chipped", "total": "-4.50"}])
    await shop.read()
    shop.double.touch(order, status="refunded")
    await shop.read()
    shop.cursors.clear()
    await shop.read()
    assert (await shop.told())[3:] == ["order.address-changed", "order.shipped", "order.refunded", "order.cancelled"]
    known = await shop.order("1001")
    assert [(r.refund_id, str(r.amount), r.reason) for r in known.refunds] == [("5", "4.50 EUR", "chipped")]
    assert known.shipped_at == datetime(2026, 3, 2, 8, tzinfo=UTC)


async def test_our_own_refund_that_is_read_back_is_the_same_refund(shop: Shop) -> None:
    """By the mark in its reason, which is not part of the reason."""
    shop.double.order(order_id=1001)
    await shop.read()
    action = refund("1001", "broken")
    seen = (await shop.connector.preview(action)).record_version
    receipt = await shop.connector.execute(action, key="k", expected_version=seen, now=NOW)
    (read,) = await shop.read()
    told = shop.source.normalise("orders", read.raw, at=NOW)
    (mine,) = next(e.data.order for e in told.accepted if e.data.type == "order.placed").refunds
    assert (mine.refund_id, mine.reason, mine.amount) == (receipt.reference, "broken", action.amount)


async def test_an_older_word_that_comes_late_means_nothing(shop: Shop) -> None:
    """Neither for an order nor for a stock, under whatever id it comes."""
    order, mug = shop.double.order(order_id=1001), shop.double.product(stock=3)
    old = [*await shop.read(), *await shop.read("products")]
    shop.double.touch(order, shipping={**order["shipping"], "address_1": "2 Elm"})
    shop.double.touch(mug, stock_quantity=9)
    await shop.read()
    await shop.read("products")
    before = await shop.told()
    await shop.take(*(r.model_copy(update={"external_id": f"late/{r.external_id}"}) for r in old), now=LATER)
    assert await shop.told() == before
    assert (await shop.order("1001")).ship_to.line1 == "2 Elm"


async def test_a_change_that_becomes_visible_late_is_read(shop: Shop) -> None:
    """Its time is before that of what was read already, by less than two minutes."""
    shop.double.order(order_id=1001)
    shop.double.order(order_id=1002)
    hidden = shop.double.orders.pop(1001)
    assert len(await shop.read()) == 1
    shop.double.orders[1001] = hidden
    assert [record.external_id.partition("@")[0] for record in await shop.read()] == ["1001"]
    assert await shop.read() == []


@pytest.mark.parametrize("seconds", [0, 1, 60])
async def test_many_changes_are_read_page_by_page_and_each_once(shop: Shop, seconds: int) -> None:
    """Although one of the first page changes while the second is read, and although all may have changed in one second."""
    shop.double.seconds = seconds
    orders = [shop.double.order() for _ in range(130)]
    first = await shop.source.read("orders", "", now=NOW)
    shop.cursors["orders"] = first.cursor
    shop.double.seconds = 1
    shop.double.touch(orders[0])
    rest = await shop.read()
    read = [record.external_id for record in (*first.records, *rest)]
    assert first.more
    assert len(read) == len(set(read)) == 131
    assert {key.partition("@")[0] for key in read} == {str(order["id"]) for order in orders}


async def test_a_clock_that_is_years_off_does_no_harm(shop: Shop) -> None:
    """Times are compared with times of the shop only."""
    shop.double.now = datetime(2031, 1, 1, tzinfo=UTC)
    shop.double.order()
    assert len(await shop.read()) == 1
    shop.double.order()
    assert len(await shop.read()) == 1


async def test_a_variable_product_is_sold_as_its_variations(shop: Shop) -> None:
    """A variation that changes without its product is read within the hour."""
    tee = shop.double.product(sku="TEE", stock=None, type="variable", name="Tee", price="20.00")
    blue = [{"id": 6, "name": "Colour", "option": "Blue"}]
    one = shop.double.product(sku="TEE-BLUE", stock=5, parent_id=tee["id"], name="", attributes=blue, price="21.00")
    await shop.read("products")
    one["stock_quantity"] = 4
    shop.double.now += timedelta(hours=1)
    shop.double.product(sku="MUG")
    await shop.read("products")
    assert await shop.read("products", now=NOW + timedelta(minutes=59)) == []
    await shop.read("products", now=NOW + timedelta(minutes=60))
    product, stock = await shop.kept.state.get(Product, "TEE-BLUE"), await shop.kept.state.get(Stock, "TEE-BLUE")
    assert product is not None
    assert stock is not None
    assert (product.title, str(product.price), stock.on_hand) == ("Tee (Blue)", "21.00 EUR", 4)
    assert await shop.kept.state.get(Product, "TEE") is None


async def test_a_product_shows_its_first_image_and_a_variation_its_own(shop: Shop) -> None:
    """One without words has the title's; an image that is none, or without https, is no reason to leave the product out."""
    tee = shop.double.product(sku="TEE", stock=None, type="variable", name="Tee", images=[image("tee.jpg"), image("back.jpg")])
    shop.double.product(sku="TEE-BLUE", parent_id=tee["id"], name="", image=image("blue.jpg", "A blue tee"))
    shop.double.product(sku="TEE-RED", parent_id=tee["id"], name="", image=None)
    shop.double.product(sku="MUG", images=[image("placeholder.png", number=0)])
    shop.double.product(sku="CUP", images=[{**image("cup.jpg"), "src": "http://mill.example/cup.jpg"}])
    await shop.read("products")
    shown = {sku: (await shop.product(sku)).picture for sku in ("TEE-BLUE", "TEE-RED", "MUG", "CUP")}
    assert shown == {
        "TEE-BLUE": Picture(url="https://mill.example/blue.jpg", alt="A blue tee"),
        "TEE-RED": Picture(url="https://mill.example/tee.jpg", alt="Tee"),
        "MUG": None,
        "CUP": None,
    }


async def test_a_picture_that_the_shop_changes_or_takes_away_is_not_shown_any_more(shop: Shop) -> None:
    mug = shop.double.product(images=[image("mug.jpg")])
    await shop.read("products")
    shop.double.touch(mug, images=[image("new.jpg")])
    await shop.read("products", now=NOW + timedelta(hours=2))
    assert (await shop.product("MUG")).picture == Picture(url="https://mill.example/new.jpg", alt="Mug")
    shop.double.touch(mug, images=[])
    await shop.read("products", now=NOW + timedelta(hours=4))
    assert (await shop.product("MUG")).picture is None


def image(name: str, alt: str = "", *, number: int = 5) -> dict[str, object]:
    return {"id": number, "src": f"https://mill.example/{name}", "name": name, "alt": alt}


async def test_what_is_known_of_a_product_and_not_told_by_the_shop_stays(shop: Shop) -> None:
    """Its cost, its supplier and its packs."""
    mug = shop.double.product()
    await shop.read("products")
    known = await shop.kept.state.get(Product, "MUG")
    assert known is not None
    told = ProductListed(product=known.model_copy(update={"supplier_id": "kiln", "pack_size": 6}))
    await shop.kept.log.append([new_event(told, at=NOW, key=("told",))])
    shop.double.touch(mug, price="15.00")
    await shop.read("products")
    product = await shop.kept.state.get(Product, "MUG")
    assert product is not None
    assert (product.supplier_id, product.pack_size, str(product.price)) == ("kiln", 6, "15.00 EUR")


async def test_wrong_credentials_are_told_as_such() -> None:
    """For checking, reading and acting alike."""
    async with connected(secret="wrong") as shop:
        shop.double.order(order_id=1001)
        with pytest.raises(Permanent, match="credentials"):
            await shop.connector.check()
        with pytest.raises(Permanent, match="credentials"):
            await shop.connector.preview(refund("1001", "broken"))


@pytest.mark.parametrize("answer", [as_json([1]), as_json({"orders": []}), as_json([{"id": 1}]), Reply(body=b"<html>")])
async def test_an_answer_of_another_shape_is_permanent(shop: Shop, answer: Reply) -> None:
    """A plugin or a proxy answers in its place; so does a list that does not say its pages."""
    shop.server.answer = lambda _: answer
    with pytest.raises(Permanent):
        await shop.source.read("orders", "", now=NOW)


@pytest.mark.parametrize(
    "url", ["http://shop.example", "https://", "ftp://x", "https://a b", "https://me@shop.example", "https://x:y"]
)
def test_secrets_do_not_cross_a_network_unprotected(url: str) -> None:
    """Loopback alone may do without TLS."""
    with pytest.raises(InvalidInput):
        KIND.checked({"url": url})
    assert KIND.checked({"url": "shop.example/de/"})["url"] == "https://shop.example/de"


async def test_a_call_and_what_is_read_afterwards_are_the_same_order(shop: Shop) -> None:
    """Stored as it came, understood by the same code; a reading that finds it again adds nothing."""
    opened = woo(shop.server.url, webhook_secret=WOO_SECRET)
    assert opened.source is not None
    source, shop.double.seconds = opened.source, 60
    order = shop.double.order(order_id=1001)
    body = json.dumps(order).encode()
    (record,) = source.verify_webhook(signing.call(signing.woocommerce(body, secret=WOO_SECRET), body, at=NOW))
    assert (record.stream, record.raw, record.external_id.partition("@")[0]) == ("orders", body, "1001")
    kept = memory.in_memory(embedder=HashingEmbedder())
    intake = Intake(inbox=kept.inbox, log=kept.log, state=kept.state)
    await intake.accept("shop", [record], now=NOW)
    await intake.understand("shop", source, now=NOW)
    events = await kept.log.read()
    assert {"order.placed", "stock.sold"} <= {event.type for event in events}
    await intake.accept("shop", (await source.read("orders", "", now=LATER)).records, now=LATER)
    assert await intake.understand("shop", source, now=LATER) == 1
    assert await kept.log.read() == events
    await opened.close()


@pytest.mark.parametrize(
    "body", [b'{"id": 12}', b'{"id": 9, "sku": "MUG", "date_modified_gmt": "2026-03-01T09:00:00"}', b"webhook_id=1", b"\xff", b"[]"]
)
def test_a_call_about_anything_else_is_a_bell(body: bytes) -> None:
    """A product, which is told without its currency; what was deleted; nonsense: it brings nothing of its own."""
    source = woo("http://127.0.0.1:1", webhook_secret=WOO_SECRET).source
    assert source is not None
    assert source.verify_webhook(signing.call(signing.woocommerce(body, secret=WOO_SECRET), body, at=NOW)) == ()
    with pytest.raises(NotSigned):
        source.verify_webhook(signing.call(signing.woocommerce(body, secret="another"), body, at=NOW))


def test_without_a_secret_nobody_is_called() -> None:
    """Neither by a call that is signed with nothing nor by a ping."""
    source = woo("http://127.0.0.1:1").source
    assert source is not None
    with pytest.raises(NotFound):
        source.verify_webhook(signing.call(signing.woocommerce(b"{}", secret=""), b"{}", at=NOW))
    assert not source.greets(signing.call({}, b"webhook_id=1", at=NOW))
