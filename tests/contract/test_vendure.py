"""What a Vendure cannot be brought to do at will, against a double of it on loopback; all else is in ``tests/peers``."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from connectors.http import Http, Limits
from connectors.shop_effects import ShopConnector
from connectors.vendure import VendureSource
from connectors.vendure_api import VendureGraph
from connectors.vendure_shop import VendureShop
from domain.actions import CancelOrder, ChangeAddress, RefundOrder
from domain.entities import Picture
from domain.errors import NotCounted, Permanent, Retryable, Stale, Unknown
from domain.money import Money
from domain.ports import units_in
from memory.fakes.shelves import InMemoryAttempts
from tests.contract.http_trouble import TROUBLE
from tests.contract.outside_cases import HOME, NOW, refund, restock
from tests.contract.scripted_http import Call, Reply, Server, as_json
from tests.contract.shop_cases import vendure
from tests.contract.shop_floor import ShopFloor, on, with_a_lost_answer
from tests.contract.vendure_double import PASSWORD, USER, VendureDouble, vendure_double

QUICK = Limits(connect_seconds=0.5, seconds=0.4, max_bytes=1_900, pages=3)
SINCE = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Shop(ShopFloor):
    """The double with a connection to it."""

    double: VendureDouble = field(default_factory=VendureDouble)
    server: Server = field(default_factory=lambda: Server(url="", script=[]))


@asynccontextmanager
async def connected(password: str = PASSWORD) -> AsyncIterator[Shop]:
    async with vendure_double() as (double, server):
        opened = vendure(server.url, password=password)
        yield Shop(opened, double=double, server=server)
        await opened.close()


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    async with connected() as opened:
        yield opened


def changes(call: Call) -> bool:
    query = call.body["query"]
    return "mutation" in query and "Login" not in query


def asks(call: Call) -> bool:
    return not changes(call)


@pytest.mark.parametrize(("reply", "reading", "writing"), TROUBLE)
async def test_each_trouble_has_one_meaning(reply: Reply, reading: type[Exception], writing: type[Exception]) -> None:
    """For reading orders, and for a refund; all of it is a POST."""
    async with vendure_double() as (double, server):
        double.order("A1")
        http = Http(server.url, name="shop", limits=QUICK)
        graph = VendureGraph(http, path="/admin-api", username=USER, password=PASSWORD)
        connector = ShopConnector(VendureShop(graph), attempts=InMemoryAttempts())
        seen = (await connector.preview(refund("A1", "broken"))).record_version
        server.answer = on(changes, reply, double.answer)
        with pytest.raises(writing):
            await connector.execute(refund("A1", "broken"), key="k", expected_version=seen, now=NOW)
        server.answer = on(asks, reply, double.answer)
        with pytest.raises(reading):
            await VendureSource(graph, since=SINCE).read("orders", "", now=NOW)
        await http.close()


async def test_a_refund_whose_confirmation_got_lost_is_found_by_its_mark(shop: Shop) -> None:
    """It is not repeated, and the receipt is the one of the first attempt."""
    shop.double.order("A1")
    action = refund("A1", "broken")
    receipt = await with_a_lost_answer(shop, action, server=shop.server, which=changes, answer=shop.double.answer)
    assert (shop.double.refunds, receipt.at) == (1, NOW)


async def test_a_session_that_ran_out_is_begun_anew_once_a_call(shop: Shop) -> None:
    """A server that forbids it all the same is not asked for ever."""
    assert await shop.connector.check() == "the channel __default_channel__, in EUR"
    shop.double.order("A1")
    shop.double.token = "another"
    await shop.do(refund("A1", "broken"))
    assert (shop.double.logins, shop.double.refunds) == (2, 1)
    no = as_json({"errors": [{"message": "no", "extensions": {"code": "FORBIDDEN"}}]})
    shop.server.answer = on(lambda call: "Login" not in call.body["query"], no, shop.double.answer)
    with pytest.raises(Permanent, match="credentials"):
        await shop.connector.preview(refund("A1", "again"))
    assert shop.double.logins == 3


async def test_a_wrong_password_is_told_as_such() -> None:
    """And never repeated in the error."""
    async with connected("sesame-9") as shop:
        with pytest.raises(Permanent, match="credentials") as told:
            await shop.connector.check()
        assert "sesame-9" not in str(told.value)


async def test_a_variant_shows_its_own_picture_or_its_products(shop: Shop) -> None:
    """With its name as words: an asset's own name is a file's. One without https is not shown."""
    shop.double.variant("MUG", featuredAsset=asset("mug"))["product"]["featuredAsset"] = asset("mugs")
    shop.double.variant("CUP")["product"]["featuredAsset"] = asset("cups")
    shop.double.variant("JUG", featuredAsset={"preview": "http://mill.example/jug.jpg"})
    await shop.read("products")
    shown = {sku: (await shop.product(sku)).picture for sku in ("MUG", "CUP", "JUG")}
    assert shown == {
        "MUG": Picture(url=asset("mug")["preview"], alt="Mug"),
        "CUP": Picture(url=asset("cups")["preview"], alt="Mug"),
        "JUG": None,
    }


def asset(name: str) -> dict[str, str]:
    return {"preview": f"https://mill.example/assets/preview/{name}.jpg"}


async def test_money_without_minor_units_is_read_and_refunded_as_such(shop: Shop) -> None:
    """How many digits there are the shop says."""
    shop.double.digits = 0
    shop.double.order("A1")
    await shop.read()
    assert str((await shop.order("A1")).total) == "2,900.00 EUR"
    await shop.do(refund("A1", "broken"))
    assert shop.double.orders[0]["payments"][0]["refunds"][0]["total"] == 5
    with pytest.raises(Permanent, match="no amount"):
        await shop.connector.preview(RefundOrder(order_id="A1", amount=Money.of("0.50"), reason="x"))


@pytest.mark.parametrize("after", [False, True])
async def test_a_line_that_breaks_while_an_order_is_modified(shop: Shop, after: bool) -> None:
    """What was changed is brought to its end; what was not is for somebody to look at."""
    shop.double.order("A1")
    action = ChangeAddress(order_id="A1", address=HOME.model_copy(update={"line1": "2 Elm"}))
    seen = (await shop.connector.preview(action)).record_version
    broken = Reply(body=b"x" * 99, cut=True)
    shop.server.answer = on(lambda call: "Readdress" in call.body["query"], broken, shop.double.answer, after=after)
    with pytest.raises(Unknown, match="began to modify"):
        await shop.connector.execute(action, key="k", expected_version=seen, now=NOW)
    shop.server.answer = shop.double.answer
    if after:
        assert await shop.connector.find_receipt(action, key="k") is not None
        assert shop.double.orders[0]["state"] == "PaymentSettled"
        return
    with pytest.raises(Retryable, match="no trace"):
        await shop.connector.find_receipt(action, key="k")
    with pytest.raises(Permanent, match="somebody is modifying"):
        await shop.connector.preview(CancelOrder(order_id="A1", reason="x"))


@pytest.mark.parametrize(("theirs", "left"), [([2], 2), ([2, 1], 1), ([9], 9)])
async def test_changes_of_stock_that_were_overwritten_are_put_right(shop: Shop, theirs: list[int], left: int) -> None:
    """However many came between our last look and our writing."""
    mug = shop.double.variant("MUG", 3)
    seen = (await shop.connector.preview(restock())).record_version

    def answer(call: Call) -> Reply:
        while theirs and "SetStock" in call.body["query"]:
            shop.double.set_stock(mug, theirs.pop(0))
        return shop.double.answer(call)

    shop.server.answer = answer
    with pytest.raises(Stale, match="at the same time"):
        await shop.connector.execute(restock(), key="k", expected_version=seen, now=NOW)
    assert mug["stockLevels"][0]["stockOnHand"] == left


async def test_a_change_of_stock_that_comes_after_ours_is_left_alone(shop: Shop) -> None:
    """It was made from what we wrote."""
    mug = shop.double.variant("MUG", 3)
    seen = (await shop.connector.preview(restock())).record_version

    def answer(call: Call) -> Reply:
        reply = shop.double.answer(call)
        if "SetStock" in call.body["query"]:
            shop.double.set_stock(mug, 26)
        return reply

    shop.server.answer = answer
    await shop.connector.execute(restock(), key="k", expected_version=seen, now=NOW)
    assert mug["stockLevels"][0]["stockOnHand"] == 26


async def test_stock_at_two_places_or_not_counted_is_refused(shop: Shop) -> None:
    """Which of them it would be nobody said."""
    mug = shop.double.variant("MUG", 3)
    shop.double.variant("CUP", 3, trackInventory="FALSE")
    mug["stockLevels"].append({**mug["stockLevels"][0], "stockLocationId": "2"})
    for action, why in ((restock(), "2 places"), (restock(sku="CUP"), "does not count"), (restock(sku="X"), "0 articles")):
        with pytest.raises(Permanent, match=why):
            await shop.connector.preview(action)
    with pytest.raises(NotCounted):
        await units_in(shop.connector, "CUP")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"errors": [{"message": "x", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]}, Retryable),
        ({"errors": [{"message": "x", "extensions": {"code": "USER_INPUT_ERROR"}}]}, Permanent),
        ({"data": {"orders": {"items": [{}], "totalItems": 1}}}, Permanent),
        ({"data": None}, Permanent),
    ],
)
async def test_an_error_in_an_answer_of_status_200_is_an_error(shop: Shop, body: object, kind: type[Exception]) -> None:
    """For reading."""
    await shop.connector.check()
    shop.server.answer = lambda _: as_json(body)
    with pytest.raises(kind):
        await shop.source.read("orders", "", now=NOW)
