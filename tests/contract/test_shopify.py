"""What is particular to Shopify, against a double of it on loopback."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from connectors.http import Http, Limits
from connectors.shop_effects import ShopConnector
from connectors.shopify import ShopifyShop, ShopifySource
from connectors.shopify_api import ShopifyGraph
from domain.actions import Action, CancelOrder, ChangeAddress, ReinstateOrder
from domain.entities import Customer, OrderStatus, Picture
from domain.errors import NotCounted, NotFound, NotSigned, Permanent, Retryable, Stale, Unknown
from domain.money import Money
from domain.ports import units_in
from memory.fakes.shelves import InMemoryAttempts
from tests.contract import signing
from tests.contract.http_trouble import TROUBLE
from tests.contract.outside_cases import HOME, LATER, NOW, refund, restock
from tests.contract.scripted_http import Call, Reply, Server, as_json
from tests.contract.shop_cases import shopify
from tests.contract.shop_floor import ShopFloor, on, with_a_lost_answer
from tests.contract.shopify_double import CLIENT, SECRET, TOKEN, ShopifyDouble, shopify_double

QUICK = Limits(connect_seconds=0.5, seconds=0.4, max_bytes=3_000, pages=3)
ELSEWHERE = HOME.model_copy(update={"name": "Bo Li", "line1": "2 Elm"})


@dataclass
class Shop(ShopFloor):
    """The double with a connection to it."""

    double: ShopifyDouble = field(default_factory=ShopifyDouble)
    server: Server = field(default_factory=lambda: Server(url="", script=[]))


@asynccontextmanager
async def connected(*, token: str = TOKEN, client_id: str = "") -> AsyncIterator[Shop]:
    async with shopify_double() as (double, server):
        opened = shopify(server.url, token=token, client_id=client_id)
        yield Shop(opened, double=double, server=server)
        await opened.close()


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    async with connected() as opened:
        yield opened


def changes(call: Call) -> bool:
    return "mutation" in call.body.get("query", "")


def asks(call: Call) -> bool:
    return not changes(call)


@pytest.mark.parametrize(("reply", "reading", "writing"), TROUBLE)
async def test_each_trouble_has_one_meaning(reply: Reply, reading: type[Exception], writing: type[Exception]) -> None:
    """For reading orders, and for a refund; all of it is a POST."""
    async with shopify_double() as (double, server):
        double.order("#1001")
        http = Http(server.url, name="shop", limits=QUICK)
        graph = ShopifyGraph(http, token=TOKEN)
        connector = ShopConnector(ShopifyShop(graph), attempts=InMemoryAttempts())
        seen = (await connector.preview(refund("1001", "broken"))).record_version
        server.answer = on(changes, _huge(reply), double.answer)
        with pytest.raises(writing):
            await connector.execute(refund("1001", "broken"), key="k", expected_version=seen, now=NOW)
        server.answer = on(asks, _huge(reply), double.answer)
        with pytest.raises(reading):
            await ShopifySource(graph, since=NOW.date()).read("orders", "", now=NOW)
        await http.close()


def _huge(reply: Reply) -> Reply:
    """An answer of GraphQL is larger than most."""
    return Reply(body=reply.body * 2) if len(reply.body) == 2_000 else reply


async def test_a_refund_whose_confirmation_got_lost_is_found_by_its_mark(shop: Shop) -> None:
    """It goes back to the payment it came from, once."""
    shop.double.order("#1001")
    action = refund("1001", "broken")
    receipt = await with_a_lost_answer(shop, action, server=shop.server, which=changes, answer=shop.double.answer)
    assert (shop.double.refunds, receipt.at) == (1, NOW)


async def test_a_repeat_of_the_same_request_is_one_refund() -> None:
    """By the idempotency key: somebody else may have settled the attempt as not happened, and been wrong."""
    async with connected() as one:
        one.double.order("#1001")
        other = shopify(one.server.url)
        desk = ShopFloor(other)
        action = refund("1001", "broken")
        await one.do(action)
        await desk.do(action)
        assert one.double.refunds == 1
        await other.close()


async def test_a_key_that_was_used_for_something_else_is_told(shop: Shop) -> None:
    """A refund and a stock alike, whether or not its error has a code."""
    shop.double.order("#1001")
    shop.double.product("MUG", 3)
    other = shopify(shop.server.url)
    for first, second in ((refund("1001", "broken"), refund("1001", "late")), (restock(), restock(before=27))):
        await shop.do(first, key=first.kind)
        with pytest.raises(Permanent, match="refused it"):
            await ShopFloor(other).do(second, key=first.kind)
    await other.close()


@pytest.mark.parametrize("looks", [0, 2])
async def test_a_cancellation_is_waited_for(shop: Shop, looks: int) -> None:
    """It is a job of Shopify's own; what was paid stays for a refund to decide."""
    order = shop.double.order("#1001")
    shop.double.looks = looks
    await shop.do(CancelOrder(order_id="1001", reason="wish"))
    assert order["cancelledAt"] is not None
    with pytest.raises(Permanent, match="for good"):
        await shop.connector.preview(ReinstateOrder(order_id="1001", status=OrderStatus.PAID))


async def test_a_cancellation_that_cannot_be_followed_is_looked_up_later(shop: Shop) -> None:
    """Shopify took it, and then the line went dead."""
    shop.double.order("#1001")
    action = CancelOrder(order_id="1001", reason="wish")
    seen = (await shop.connector.preview(action)).record_version
    taken: list[Call] = []

    def answer(call: Call) -> Reply:
        if taken:
            return as_json({}, status=500)
        if changes(call):
            taken.append(call)
        return shop.double.answer(call)

    shop.server.answer = answer
    with pytest.raises(Unknown, match="took the cancellation"):
        await shop.connector.execute(action, key="k", expected_version=seen, now=NOW)
    shop.server.answer = shop.double.answer
    with pytest.raises(Retryable, match="no trace"):
        await shop.connector.find_receipt(action, key="k")
    assert await shop.connector.find_receipt(action, key="k") is not None


async def test_an_address_is_changed_and_changed_back(shop: Shop) -> None:
    """Name, street and place come back as they were."""
    order = shop.double.order("#1001")
    before = {**order["shippingAddress"], "address2": ""}
    action = ChangeAddress(order_id="1001", address=ELSEWHERE)
    shown = await shop.connector.preview(action)
    await shop.do(action, key="do")
    assert order["shippingAddress"]["address1"] == "2 Elm"
    inverse = action.inverse(shown.before)
    assert inverse is not None
    await shop.do(inverse, key="undo")
    assert order["shippingAddress"] == before


@pytest.mark.parametrize(
    ("order", "action", "why"),
    [
        ({"displayFulfillmentStatus": "FULFILLED"}, CancelOrder(order_id="1001", reason="x"), "on its way"),
        ({"displayFulfillmentStatus": "PARTIALLY_FULFILLED"}, ChangeAddress(order_id="1001", address=HOME), "on its way"),
        ({"displayFinancialStatus": "PENDING"}, refund("1001", "x"), "not paid"),
        ({"presentmentCurrencyCode": "USD"}, refund("1001", "x"), "paid in USD"),
        ({"transactions": []}, refund("1001", "x"), "cannot go back"),
        ({}, ReinstateOrder(order_id="1001", status=OrderStatus.PAID), "for good"),
        ({}, refund("10", "x"), "0 orders 10"),
        ({}, refund("1001 OR name:1", "x"), "no order"),
    ],
)
async def test_what_shopify_does_not_permit_is_refused_when_it_is_shown(
    shop: Shop, order: dict[str, object], action: Action, why: str
) -> None:
    """Nothing is sent. A search that finds more than the order of that name finds it all the same."""
    shop.double.order("#1001", **order)
    with pytest.raises(Permanent, match=why):
        await shop.connector.preview(action)
    assert not any("mutation" in body["query"] for body in shop.server.requests)


async def test_a_sale_between_the_look_and_the_write_is_not_overwritten(shop: Shop) -> None:
    """Shopify itself compares; the receipt is not given."""
    mug = shop.double.product("MUG", 3)
    seen = (await shop.connector.preview(restock())).record_version

    def answer(call: Call) -> Reply:
        if changes(call):
            shop.double.set_count(mug, mug["variants"][0], 2)
        return shop.double.answer(call)

    shop.server.answer = answer
    with pytest.raises(Stale, match="another number"):
        await shop.connector.execute(restock(), key="k", expected_version=seen, now=NOW)
    assert mug["variants"][0]["inventoryQuantity"] == 2
    assert await shop.connector.find_receipt(restock(), key="k") is None


async def test_stock_at_two_places_or_not_counted_is_refused(shop: Shop) -> None:
    """Which of them it would be nobody said."""
    mug = shop.double.product("MUG", 3)["variants"][0]
    shop.double.product("CUP", None)
    levels = mug["inventoryItem"]["inventoryLevels"]["nodes"]
    levels.append({**levels[0], "location": {"id": "gid://shopify/Location/2"}})
    for action, why in (
        (restock(), "more than one location"),
        (restock(sku="CUP"), "does not count"),
        (restock(sku="X"), "0 articles"),
    ):
        with pytest.raises(Permanent, match=why):
            await shop.connector.preview(action)
    with pytest.raises(NotCounted):
        await units_in(shop.connector, "CUP")


async def test_a_sale_becomes_its_customer_the_order_and_a_sale_of_each_article(shop: Shop) -> None:
    """A product is sold as its variants; what is not paid is no sale."""
    shop.double.order("#1001")
    shop.double.order("#1002", displayFinancialStatus="PENDING")
    tee = shop.double.product("TEE-BLUE", 5, title="Tee")
    tee["variants"][0]["title"] = "Blue"
    tee["variants"] += [shop.double.variant(f"TEE-{n}", title=f"No {n}") for n in range(140)]
    await shop.read("products")
    await shop.read()
    assert (await shop.told())[-3:] == ["customer.listed", "order.placed", "stock.sold"]
    known = await shop.order("1001")
    assert (known.status, str(known.total), known.ship_to) == (OrderStatus.PAID, "29.00 EUR", HOME)
    customer = await shop.kept.state.get(Customer, "7")
    assert customer is not None
    assert (customer.name, customer.locale) == ("Ada Byron", "en-GB")
    assert ((await shop.product("TEE-BLUE")).title, await shop.on_hand("TEE-BLUE")) == ("Tee (Blue)", 5)
    assert (await shop.product("TEE-139")).title == "Tee (No 139)"


async def test_all_variants_show_the_featured_picture_of_their_product(shop: Shop) -> None:
    """With its words, or the title where it has none. A video that is still in the making has no picture yet."""
    url = "https://cdn.example/tee.jpg?v=1"
    featured = {"__typename": "MediaImage", "preview": {"image": {"url": url, "altText": "A tee"}}}
    shop.double.product("TEE", featuredMedia=featured)["variants"].append(shop.double.variant("TEE-BLUE", title="Blue"))
    shop.double.product("MUG", featuredMedia={**featured, "preview": {"image": {"url": url, "altText": None}}})
    shop.double.product("CUP", featuredMedia={"__typename": "Video", "preview": {"image": None}})
    await shop.read("products")
    shown = [(await shop.product(sku)).picture for sku in ("TEE", "TEE-BLUE", "MUG", "CUP")]
    assert shown == [*[Picture(url=url, alt="A tee")] * 2, Picture(url=url, alt="Mug"), None]


async def test_what_happens_to_an_order_in_the_shop_is_told_once(shop: Shop) -> None:
    """Sent to another address, shipped, delivered, refunded; read again and again."""
    order = shop.double.order("#1001")
    await shop.read()
    shop.double.touch(order, shippingAddress={**order["shippingAddress"], "address1": "2 Elm"})
    await shop.read()
    parcel = {"createdAt": "2026-03-02T08:00:00Z", "deliveredAt": None, "trackingInfo": [{"company": "DHL", "number": "77"}]}
    shop.double.touch(order, displayFulfillmentStatus="FULFILLED", fulfillments=[parcel])
    await shop.read()
    parcel["deliveredAt"] = "2026-03-04T08:00:00Z"
    money = {"shopMoney": {"amount": "4.5"}}
    back = {"legacyResourceId": "5", "createdAt": "2026-03-04T09:00:00Z", "note": "chipped", "totalRefundedSet": money}
    shop.double.touch(order, refunds=[back])
    await shop.read()
    shop.cursors.clear()
    await shop.read()
    assert (await shop.told())[3:] == ["order.address-changed", "order.shipped", "order.delivered", "order.refunded"]
    known = await shop.order("1001")
    assert (known.tracking, known.delivered_at, known.refunded) == ("77", datetime(2026, 3, 4, 8, tzinfo=UTC), Money.of("4.50"))


async def test_our_own_refund_that_is_read_back_is_the_same_refund(shop: Shop) -> None:
    """By the mark in its note, which is not part of the reason."""
    shop.double.order("#1001")
    await shop.read()
    receipt = await shop.do(refund("1001", "broken"))
    await shop.read()
    assert [(r.refund_id, r.reason) for r in (await shop.order("1001")).refunds] == [(receipt.reference, "broken")]


async def test_an_older_word_that_comes_late_means_nothing(shop: Shop) -> None:
    """Neither for an order nor for a stock, under whatever id it comes."""
    order, mug = shop.double.order("#1001"), shop.double.product("MUG", 3)
    old = [*await shop.read(), *await shop.read("products")]
    shop.double.touch(order, shippingAddress={**order["shippingAddress"], "address1": "2 Elm"})
    shop.double.set_count(mug, mug["variants"][0], 9)
    await shop.read()
    await shop.read("products")
    before = await shop.told()
    await shop.take(*(r.model_copy(update={"external_id": f"late/{r.external_id}"}) for r in old), now=LATER)
    assert await shop.told() == before


@pytest.mark.parametrize("seconds", [0, 60])
async def test_many_changes_are_read_page_by_page_and_each_once(shop: Shop, seconds: int) -> None:
    """Lines of an order that did not fit are fetched too; a clock that is years off does no harm."""
    shop.double.seconds = seconds
    shop.double.now = datetime(2031, 1, 1, tzinfo=UTC)
    line = shop.double.order("#1")["lineItems"][0]
    for number in range(2, 26):
        shop.double.order(f"#{number}", lineItems=[{**line, "sku": f"MUG-{n}"} for n in range(70 if number == 3 else 1)])
    records = await shop.read()
    assert len(records) == len({record.external_id for record in records}) == 25
    assert len((await shop.order("3")).lines) == 70
    assert await shop.read() == []


async def test_a_throttled_call_says_how_long_to_wait_and_the_next_is_not_made(shop: Shop) -> None:
    """By the cost of the query and by how fast the budget comes back."""
    await shop.connector.check()
    shop.double.available = 0
    with pytest.raises(Retryable, match="too often") as first:
        await shop.connector.check()
    assert first.value.retry_after is not None
    assert timedelta(0) < first.value.retry_after <= timedelta(seconds=1)
    assert len(shop.server.paths) == 2
    shop.double.available = 2_000
    await shop.connector.check()
    assert len(shop.server.paths) == 3


async def test_a_long_wait_is_for_the_caller(shop: Shop) -> None:
    """No query is sent that Shopify would refuse."""
    cost = {"requestedQueryCost": 900, "throttleStatus": {"maximumAvailable": 1000, "currentlyAvailable": 10, "restoreRate": 50}}
    answer = {"data": {"shop": {"name": "Mill", "currencyCode": "EUR"}}, "extensions": {"cost": cost}}
    shop.server.answer = lambda _: as_json(answer)
    assert await shop.connector.check() == "Mill, in EUR"
    with pytest.raises(Retryable, match="left alone"):
        await shop.connector.check()
    assert len(shop.server.paths) == 1


async def test_a_token_of_a_day_is_got_with_the_clients_secret_and_again_when_it_is_refused() -> None:
    """The call that was refused says so; the next one has a new token."""
    async with connected(token=SECRET, client_id=CLIENT) as shop:
        assert await shop.connector.check() == "Mill, in EUR"
        assert await shop.connector.check() == "Mill, in EUR"
        shop.double.token = "revoked"
        with pytest.raises(Permanent, match="credentials"):
            await shop.connector.check()
        assert await shop.connector.check() == "Mill, in EUR"
        assert shop.double.granted == 2


@pytest.mark.parametrize(("token", "client"), [("shpat_9", ""), ("shpss_9", CLIENT), (TOKEN, CLIENT)])
async def test_wrong_credentials_are_told_as_such(token: str, client: str) -> None:
    """And never repeated in the error."""
    async with connected(token=token, client_id=client) as shop:
        with pytest.raises(Permanent, match="credentials") as told:
            await shop.connector.check()
        assert token not in str(told.value)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"errors": [{"message": "x", "extensions": {"code": "ACCESS_DENIED"}}], "data": None}, Permanent),
        ({"errors": [{"message": "x", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]}, Retryable),
        ({"errors": [{"message": "Field 'x' doesn't exist"}]}, Permanent),
        ({"data": {"orders": {"nodes": [{}], "pageInfo": {}}}}, Permanent),
        ({"data": {"orders": None}}, Permanent),
        ({"data": None}, Permanent),
        ({"errors": "Not found"}, Permanent),
    ],
)
async def test_an_error_in_an_answer_of_status_200_is_an_error(shop: Shop, body: object, kind: type[Exception]) -> None:
    """For reading; nothing of its message is repeated."""
    shop.server.answer = lambda _: as_json(body)
    with pytest.raises(kind):
        await shop.source.read("orders", "", now=NOW)


def test_a_call_that_shopify_signed_is_a_bell() -> None:
    """It brings nothing of its own: what changed is read then. Whoever signed otherwise is refused."""
    graph = ShopifyGraph(Http("http://127.0.0.1:1", name="shop"), token=TOKEN)
    source = ShopifySource(graph, since=NOW.date(), secrets=["old", "new"])
    body = b'{"id": 1, "email": "ann@example.org"}'
    assert source.verify_webhook(signing.call(signing.shopify(body, secret="new"), body, at=NOW)) == ()
    with pytest.raises(NotSigned):
        source.verify_webhook(signing.call(signing.shopify(body, secret="mine"), body, at=NOW))
    with pytest.raises(NotFound):
        ShopifySource(graph, since=NOW.date()).verify_webhook(signing.call(signing.shopify(body, secret="new"), body, at=NOW))
