"""A Vendure shop, the real one: the contracts of connectors and of sources, and what is particular to it."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from connectors.http import Http
from connectors.kinds import Opened
from connectors.shop_effects import ShopConnector
from connectors.vendure import KIND, VendureSource
from connectors.vendure_api import VendureGraph
from connectors.vendure_records import Variant, VendureOrder
from connectors.vendure_shop import VendureShop
from domain.actions import Action, AdjustStock, CancelOrder, ChangeAddress, RefundOrder, ReinstateOrder
from domain.connections import Record
from domain.entities import Customer, OrderStatus
from domain.errors import Permanent, Retryable, Stale, Unknown
from domain.money import Money
from memory.fakes.shelves import InMemoryAttempts
from tests.conftest import Servers
from tests.contract.every_connector import EveryConnector
from tests.contract.every_source import EverySource, SourceCase, read
from tests.contract.outside_cases import HOME, NOW, Case, page, refund, restock
from tests.contract.shop_cases import opened
from tests.contract.shop_floor import ShopFloor
from tests.peers.vendure_peer import PASSWORD, USER, VendurePeer, vendure

ELSEWHERE = HOME.model_copy(update={"name": "Bo Li", "line1": "2 Elm"})


@pytest.fixture(scope="module")
def peer(servers: Servers) -> Iterator[VendurePeer]:
    with vendure(servers.admin_url) as running:
        yield running


def connection(peer: VendurePeer, **changes: str) -> Opened:
    given = {"url": peer.url, "username": USER, "since": "2026-01-01", **changes}
    return opened(KIND, {k: v for k, v in given.items() if k != "password"}, {"password": given.get("password", PASSWORD)})


def since_now(floor: ShopFloor) -> ShopFloor:
    """A source that has not seen what earlier tests ordered."""
    source = floor.source
    assert isinstance(source, VendureSource)
    source._since = datetime.now(UTC)
    return floor


@pytest.fixture
async def shop(peer: VendurePeer) -> AsyncIterator[ShopFloor]:
    peer.clear_articles()
    opened_now = connection(peer)
    yield since_now(ShopFloor(opened_now))
    await opened_now.close()


@pytest.fixture(params=["refunds", "stock"])
async def case(request: pytest.FixtureRequest, peer: VendurePeer, shop: ShopFloor) -> Case:
    sku, other = peer.article(stock=3), peer.article(stock=3)
    if request.param == "stock":

        async def moved() -> int:
            return int(peer.variant(sku)["stockLevels"][0]["stockOnHand"] != 3)

        return Case(shop.connector, restock(sku=sku), restock(sku=other), restock(sku=sku, before=4), page(), moved)
    code = peer.order(sku)

    async def refunds() -> int:
        return sum(len(payment["refunds"]) for payment in peer.told(code)["payments"])

    return Case(shop.connector, refund(code, "broken"), refund(code, "late"), refund("nowhere", "broken"), page(), refunds)


@pytest.fixture(params=["orders", "products"])
async def source_case(request: pytest.FixtureRequest, peer: VendurePeer, shop: ShopFloor) -> SourceCase:
    async def arrive(many: int) -> None:
        for _ in range(many):
            sku = peer.article()
            if request.param == "orders":
                peer.order(sku)

    return SourceCase(shop.source, request.param, arrive)


class TestVendure(EveryConnector):
    """Refunds and stock."""


class TestVendureAsASource(EverySource):
    """Orders and variants."""


async def test_a_sale_becomes_its_customer_the_order_and_a_sale_of_each_article(peer: VendurePeer, shop: ShopFloor) -> None:
    """What can be sold is what is there less what is promised."""
    sku = peer.article(stock=10)
    await shop.read("products")
    assert await shop.on_hand(sku) == 10
    code = peer.order(sku)
    await shop.read()
    assert (await shop.told())[-3:] == ["customer.listed", "order.placed", "stock.sold"]
    known = await shop.order(code)
    assert (known.status, str(known.total), known.ship_to) == (OrderStatus.PAID, "34.80 EUR", HOME)
    assert [(line.sku, line.units, str(line.unit_price)) for line in known.lines] == [(sku, 2, "17.40 EUR")]
    customer = await shop.kept.state.get(Customer, known.customer_id)
    assert customer is not None
    assert (customer.name, customer.email) == ("Ada Byron", "ada@example.org")
    await shop.read("products", now=NOW + timedelta(minutes=11))
    assert await shop.on_hand(sku) == 8


async def test_what_happens_to_an_order_in_the_shop_is_told_once(peer: VendurePeer, shop: ShopFloor) -> None:
    """Packed, sent, delivered; a refund that gives the order no new time of change is read within ten minutes."""
    code = peer.order(peer.article())
    await shop.read()
    peer.send(code, "Shipped")
    await shop.read()
    assert (await shop.order(code)).tracking == "77"
    peer.send_on(code, "Delivered")
    await shop.read()
    payment = peer.told(code)["payments"][0]["id"]
    document = "mutation($i: RefundOrderInput!) { refundOrder(input: $i) { __typename } }"
    given = {"paymentId": payment, "amount": 450, "reason": "chipped", "lines": [], "shipping": 0, "adjustment": 0}
    peer.admin(document, i=given)
    await shop.read()
    await shop.read(now=NOW + timedelta(minutes=11))
    await shop.read(now=NOW + timedelta(minutes=22))
    assert (await shop.told())[3:] == ["order.shipped", "order.delivered", "order.refunded"]
    assert [(str(r.amount), r.reason) for r in (await shop.order(code)).refunds] == [("4.50 EUR", "chipped")]


async def test_our_own_refund_goes_to_the_payment_and_is_read_back_as_the_same(peer: VendurePeer, shop: ShopFloor) -> None:
    """By the mark in its reason, which is not part of the reason."""
    code = peer.order(peer.article())
    await shop.read()
    receipt = await shop.do(refund(code, "broken"))
    await shop.read(now=NOW + timedelta(minutes=11))
    (known,) = (await shop.order(code)).refunds
    assert (known.refund_id, known.reason, known.amount) == (receipt.reference, "broken", Money.of(5))
    (made,) = peer.told(code)["payments"][0]["refunds"]
    assert (made["state"], made["total"]) == ("Settled", 500)
    with pytest.raises(Permanent, match="holds so much"):
        await shop.connector.preview(RefundOrder(order_id=code, amount=Money.of(30), reason="x"))


async def test_a_refund_that_the_payments_provider_refuses_did_not_happen(peer: VendurePeer, shop: ShopFloor) -> None:
    """Vendure keeps it as failed; what people have to pay back is pending there until they say so."""
    code, by_hand = peer.order(peer.article()), peer.order(peer.article(), method="by-hand")
    action = RefundOrder(order_id=code, amount=Money.of("6.66"), reason="broken")
    with pytest.raises(Permanent, match="provider refused"):
        await shop.do(action)
    assert await shop.connector.find_receipt(action, key="k") is None
    await shop.do(refund(by_hand, "broken"), key="by hand")
    states = [peer.told(one)["payments"][0]["refunds"][0]["state"] for one in (code, by_hand)]
    assert states == ["Failed", "Pending"]


async def test_a_cancelled_order_is_cancelled_for_good_and_can_still_be_refunded(peer: VendurePeer, shop: ShopFloor) -> None:
    """Its articles can be sold again; Vendure's own total is nothing by then."""
    sku = peer.article(stock=5)
    code = peer.order(sku)
    await shop.read()
    await shop.do(CancelOrder(order_id=code, reason="wish"), key="cancel")
    assert peer.told(code)["state"] == "Cancelled"
    assert peer.variant(sku)["stockLevels"][0]["stockAllocated"] == 0
    await shop.read()
    assert (await shop.order(code)).status is OrderStatus.CANCELLED
    with pytest.raises(Permanent, match="for good"):
        await shop.connector.preview(ReinstateOrder(order_id=code, status=OrderStatus.PAID))
    await shop.do(RefundOrder(order_id=code, amount=Money.of("34.80"), reason="cancelled"), key="refund")
    assert [refund["total"] for refund in peer.told(code)["payments"][0]["refunds"]] == [3480]


async def test_an_address_is_changed_and_changed_back(peer: VendurePeer, shop: ShopFloor) -> None:
    """The order goes through its state of being modified, and waits to be sent as before."""
    code = peer.order(peer.article())
    before = peer.told(code)
    action = ChangeAddress(order_id=code, address=ELSEWHERE)
    shown = await shop.connector.preview(action)
    await shop.do(action, key="do")
    after = peer.told(code)
    assert (after["state"], after["shippingAddress"]["streetLine1"]) == ("PaymentSettled", "2 Elm")
    inverse = action.inverse(shown.before)
    assert inverse is not None
    await shop.do(inverse, key="undo")
    assert peer.told(code)["shippingAddress"] == before["shippingAddress"]
    assert peer.told(code)["state"] == before["state"]


async def test_an_address_that_vendure_refuses_leaves_the_order_as_it_was(peer: VendurePeer, shop: ShopFloor) -> None:
    """It does not send to every country, and says so only while the order is being modified."""
    code = peer.order(peer.article())
    action = ChangeAddress(order_id=code, address=HOME.model_copy(update={"country": "JP"}))
    with pytest.raises(Permanent, match="USER_INPUT_ERROR"):
        await shop.do(action)
    assert peer.told(code)["shippingAddress"]["countryCode"] == "DE"
    assert peer.told(code)["state"] == "PaymentSettled"


async def test_what_is_on_its_way_or_no_sale_is_refused_when_it_is_shown(peer: VendurePeer, shop: ShopFloor) -> None:
    """So is an order that somebody is modifying."""
    sent, modified = peer.order(peer.article()), peer.order(peer.article())
    peer.send(sent, "Shipped")
    document = 'mutation($id: ID!) { transitionOrderToState(id: $id, state: "Modifying") { __typename } }'
    peer.admin(document, id=peer.told(modified)["id"])
    refused: list[tuple[Action, str]] = [
        (CancelOrder(order_id=sent, reason="x"), "on its way"),
        (ChangeAddress(order_id=sent, address=ELSEWHERE), "on its way"),
        (CancelOrder(order_id=modified, reason="x"), "Modifying"),
        (refund("NOWHERE", "x"), "0 orders"),
    ]
    for action, why in refused:
        with pytest.raises(Permanent, match=why):
            await shop.connector.preview(action)


async def test_a_change_of_address_that_died_on_its_way_is_brought_to_its_end(peer: VendurePeer, shop: ShopFloor) -> None:
    """The address is new, the order is still being modified, and nobody confirmed anything."""
    code = peer.order(peer.article())
    action = ChangeAddress(order_id=code, address=ELSEWHERE)
    http = Http(peer.url, name="shop")
    dying = _DiesOnItsWayBack(VendureGraph(http, path="/admin-api", username=USER, password=PASSWORD))
    connector = ShopConnector(dying, attempts=InMemoryAttempts())
    seen = (await connector.preview(action)).record_version
    with pytest.raises(Unknown):
        await connector.execute(action, key="k", expected_version=seen, now=NOW)
    assert peer.told(code)["state"] == "Modifying"
    dying.alive = True
    assert await connector.find_receipt(action, key="k") is not None
    assert (peer.told(code)["state"], peer.told(code)["shippingAddress"]["streetLine1"]) == ("PaymentSettled", "2 Elm")
    await http.close()


async def test_a_change_of_stock_that_was_overwritten_is_seen_and_put_right(peer: VendurePeer, shop: ShopFloor) -> None:
    """Somebody takes one off between our last look and our writing: theirs stands, and ours did not happen."""
    sku = peer.article(stock=3)
    http = Http(peer.url, name="shop")
    graph = VendureGraph(http, path="/admin-api", username=USER, password=PASSWORD)
    raced = _Raced(graph, lambda: peer.set_stock(sku, 2))
    connector = ShopConnector(raced, attempts=InMemoryAttempts())
    action = AdjustStock(sku=sku, units_before=3, units_after=27, reason="PO-7 came in")
    seen = (await connector.preview(action)).record_version
    with pytest.raises(Stale, match="at the same time"):
        await connector.execute(action, key="k", expected_version=seen, now=NOW)
    assert peer.variant(sku)["stockLevels"][0]["stockOnHand"] == 2
    assert await connector.find_receipt(action, key="k") is None
    await http.close()


async def test_a_delivery_raises_what_can_be_sold_and_is_undone_by_its_inverse(peer: VendurePeer, shop: ShopFloor) -> None:
    """What is promised to customers stays promised."""
    sku = peer.article(stock=5)
    peer.order(sku)
    action = restock(sku=sku, before=3, after=27)
    shown = await shop.connector.preview(action)
    await shop.do(action, key="do")
    assert peer.variant(sku)["stockLevels"][0] | {"stockLocationId": ""} == {
        "stockLocationId": "",
        "stockOnHand": 29,
        "stockAllocated": 2,
    }
    inverse = action.inverse(shown.before)
    assert inverse is not None
    await shop.do(inverse, key="undo")
    assert peer.variant(sku)["stockLevels"][0]["stockOnHand"] == 5


async def test_a_session_that_ran_out_is_begun_anew_once(peer: VendurePeer, shop: ShopFloor) -> None:
    """Nothing was done under the old one. With the wrong password nobody comes in, and the error does not tell it."""
    http = Http(peer.url, name="shop")
    graph = VendureGraph(http, path="/admin-api", username=USER, password=PASSWORD)
    desk = VendureShop(graph)
    assert "in EUR" in await desk.check()
    code, token = peer.order(peer.article()), str(graph._token)
    peer.log_out(token)
    assert (await desk.look(refund(code, "broken"))).record == f"order/{code}"
    assert graph._token not in ("", token)
    await http.close()
    wrong = connection(peer, password="open-sesame")
    with pytest.raises(Permanent, match="credentials") as told:
        await wrong.check()
    assert "open-sesame" not in str(told.value)
    await wrong.close()


async def test_an_api_key_does_without_a_session(peer: VendurePeer, shop: ShopFloor) -> None:
    """A key that is wrong is told as such."""
    keyed = connection(peer, username="", password=peer.api_key())
    assert "in EUR" in await keyed.check()
    await keyed.close()
    wrong = connection(peer, username="", password="none")
    with pytest.raises(Permanent, match="credentials"):
        await wrong.check()
    await wrong.close()


async def test_a_server_that_tells_its_sessions_in_cookies_only(servers: Servers) -> None:
    """As Vendure does unless it is told otherwise."""
    with vendure(servers.admin_url, tokens="cookie") as peer:
        plain = connection(peer)
        assert "in EUR" in await plain.check()
        assert "in EUR" in await plain.check()
        await plain.close()
    gone = connection(peer)
    with pytest.raises(Retryable):
        await gone.check()
    await gone.close()


async def test_many_orders_are_read_page_by_page_and_each_once(peer: VendurePeer, shop: ShopFloor) -> None:
    """One of the first page changes while the next ones are read: it is read again with all the recent ones."""
    http = Http(peer.url, name="shop")
    graph = VendureGraph(http, path="/admin-api", username=USER, password=PASSWORD)
    case = SourceCase(VendureSource(graph, since=datetime.now(UTC), per_page=2), "orders", _nobody)
    codes = [peer.order(peer.article(), units=1) for _ in range(5)]
    first = await case.source.read("orders", "", now=NOW)
    await shop.do(ChangeAddress(order_id=codes[0], address=ELSEWHERE))
    records, cursor = await read(case, first.cursor)
    assert [_told(record).code for record in (*first.records, *records)] == codes
    later = await case.source.read("orders", cursor, now=NOW + timedelta(minutes=10))
    assert [(_told(r).code, _told(r).ship_to == ELSEWHERE) for r in later.records] == [(codes[0], True), (codes[1], False)]
    assert later.records[1].external_id == first.records[1].external_id
    await http.close()


def _told(record: Record) -> VendureOrder:
    return VendureOrder.model_validate(json.loads(record.raw)["order"])


async def _nobody(_: int) -> None:
    return


class _DiesOnItsWayBack(VendureShop):
    alive = False

    async def _back(self, order: VendureOrder) -> None:
        if not self.alive:
            raise Unknown("the line went dead")
        await super()._back(order)


class _Raced(VendureShop):
    def __init__(self, graph: VendureGraph, meanwhile: Callable[[], None]) -> None:
        super().__init__(graph)
        self._meanwhile = [meanwhile]

    async def _write_stock(self, variant: Variant, stock_on_hand: int) -> None:
        if self._meanwhile:
            self._meanwhile.pop()()
        await super()._write_stock(variant, stock_on_hand)
