"""Connected shops in the contracts of connectors and of sources: each kind on whatever stands behind it."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from pydantic import SecretStr

from connectors.kinds import Kind, Opened, Opening
from connectors.shopify import KIND as SHOPIFY
from connectors.vendure import KIND as VENDURE
from connectors.woocommerce import KIND as WOOCOMMERCE
from domain.actions import Capability
from domain.entities import Order
from domain.ports import Attempts
from memory import Memory
from memory.fakes.shelves import InMemoryAttempts
from tests.contract import shopify_double, signing, vendure_double, woo_double
from tests.contract.every_called_source import CalledCase
from tests.contract.every_source import SourceCase
from tests.contract.outside_cases import Case, page, refund, restock
from tests.contract.recorded.contracts import contract

WOO_SECRET = "of the webhooks"
Opens = Callable[[Path], AbstractAsyncContextManager[Case]]
Reads = Callable[[Path], AbstractAsyncContextManager[SourceCase]]
Count = Callable[[], Awaitable[int]]


def opened(kind: Kind, given: Mapping[str, str], secrets: Mapping[str, str], *, attempts: Attempts | None = None) -> Opened:
    """A connection of ``kind`` named ``shop``."""
    unsaid = {setting.name: setting.default or "" for setting in kind.settings if setting.secret}
    opening = Opening(
        name="shop",
        settings=kind.checked(given),
        secrets={name: SecretStr(value) for name, value in {**unsaid, **secrets}.items()},
        folder=Path("/nowhere"),
        attempts=attempts or InMemoryAttempts(),
    )
    return kind.open(opening)


def woo(url: str, *, secret: str = woo_double.SECRET, webhook_secret: str = "", attempts: Attempts | None = None) -> Opened:
    given = {"url": url, "since": "2026-01-01"}
    secrets = {"consumer_key": woo_double.KEY, "consumer_secret": secret, "webhook_secret": webhook_secret}
    return opened(WOOCOMMERCE, given, secrets, attempts=attempts)


def woo_called() -> CalledCase:
    """An order is paid, sent, and partly paid back."""
    double = woo_double.WooDouble()
    order = double.order(order_id=1001)
    bodies = [json.dumps(order).encode()]
    double.touch(order, status="completed", date_completed_gmt="2026-03-01T10:00:00")
    bodies.append(json.dumps(order).encode())
    double.touch(order, refunds=[{"id": 5, "reason": "a crack", "total": "-5.00"}])
    bodies.append(json.dumps(order).encode())
    contract("woocommerce").holds("Order", order)

    async def known(kept: Memory) -> object:
        return await kept.state.get(Order, "1001")

    shop = woo("http://127.0.0.1:1", webhook_secret=WOO_SECRET)
    assert shop.source is not None
    return CalledCase(shop.source, lambda body, _: signing.woocommerce(body, secret=WOO_SECRET), tuple(bodies), known, timed=False)


def shopify(url: str, *, token: str = shopify_double.TOKEN, client_id: str = "") -> Opened:
    return opened(SHOPIFY, {"url": url, "since": "2026-01-01", "client_id": client_id}, {"token": token})


def vendure(url: str, *, password: str = vendure_double.PASSWORD) -> Opened:
    return opened(VENDURE, {"url": url, "since": "2026-01-01", "username": vendure_double.USER}, {"password": password})


def _refunding(shop: Opened, count: Count) -> Case:
    """Two refunds of the order 1001, and one of an order that the shop does not have."""
    first, second, nowhere = refund("1001", "broken"), refund("1001", "late"), refund("1002", "broken")
    return Case(shop.connectors[Capability.PAYMENTS], first, second, nowhere, page(), count)


def _stocking(shop: Opened, count: Count) -> Case:
    """Two articles, and one that has another number by now."""
    return Case(shop.connectors[Capability.SHOP], restock(), restock(sku="CUP"), restock(before=4), page(), count)


@asynccontextmanager
async def woo_refunds(home: Path) -> AsyncIterator[Case]:
    async with woo_double.woo_double() as (double, server):
        double.order(order_id=1001)

        async def count() -> int:
            return double.refunds

        shop = woo(server.url)
        yield _refunding(shop, count)
        await shop.close()


@asynccontextmanager
async def woo_stock(home: Path) -> AsyncIterator[Case]:
    async with woo_double.woo_double() as (double, server):
        mug, _ = double.product(sku="MUG"), double.product(sku="CUP")

        async def count() -> int:
            return int(mug["stock_quantity"] != 3)

        shop = woo(server.url)
        yield _stocking(shop, count)
        await shop.close()


def woo_reading(stream: str) -> Reads:
    @asynccontextmanager
    async def reading(home: Path) -> AsyncIterator[SourceCase]:
        async with woo_double.woo_double() as (double, server):

            async def arrive(many: int) -> None:
                for _ in range(many):
                    number = next(double.ids)
                    double.order(order_id=number) if stream == "orders" else double.product(sku=f"MUG-{number}")

            shop = woo(server.url)
            assert shop.source is not None
            yield SourceCase(shop.source, stream, arrive)
            await shop.close()

    return reading


@asynccontextmanager
async def shopify_refunds(home: Path) -> AsyncIterator[Case]:
    async with shopify_double.shopify_double() as (double, server):
        double.order("#1001")

        async def count() -> int:
            return double.refunds

        shop = shopify(server.url)
        yield _refunding(shop, count)
        await shop.close()


@asynccontextmanager
async def shopify_stock(home: Path) -> AsyncIterator[Case]:
    async with shopify_double.shopify_double() as (double, server):
        mug, _ = double.product("MUG")["variants"][0], double.product("CUP")

        async def count() -> int:
            return int(mug["inventoryQuantity"] != 3)

        shop = shopify(server.url)
        yield _stocking(shop, count)
        await shop.close()


def shopify_reading(stream: str) -> Reads:
    @asynccontextmanager
    async def reading(home: Path) -> AsyncIterator[SourceCase]:
        async with shopify_double.shopify_double() as (double, server):

            async def arrive(many: int) -> None:
                for _ in range(many):
                    double.order() if stream == "orders" else double.product(f"MUG-{next(double.ids)}")

            shop = shopify(server.url)
            assert shop.source is not None
            yield SourceCase(shop.source, stream, arrive)
            await shop.close()

    return reading


@asynccontextmanager
async def vendure_refunds(home: Path) -> AsyncIterator[Case]:
    async with vendure_double.vendure_double() as (double, server):
        double.order("1001")

        async def count() -> int:
            return double.refunds

        shop = vendure(server.url)
        yield _refunding(shop, count)
        await shop.close()


@asynccontextmanager
async def vendure_stock(home: Path) -> AsyncIterator[Case]:
    async with vendure_double.vendure_double() as (double, server):
        mug, _ = double.variant("MUG"), double.variant("CUP")

        async def count() -> int:
            return int(mug["stockLevels"][0]["stockOnHand"] != 3)

        shop = vendure(server.url)
        yield _stocking(shop, count)
        await shop.close()


def vendure_reading(stream: str) -> Reads:
    @asynccontextmanager
    async def reading(home: Path) -> AsyncIterator[SourceCase]:
        async with vendure_double.vendure_double() as (double, server):

            async def arrive(many: int) -> None:
                for _ in range(many):
                    double.order() if stream == "orders" else double.variant(f"MUG-{next(double.ids)}")

            shop = vendure(server.url)
            assert shop.source is not None
            yield SourceCase(shop.source, stream, arrive)
            await shop.close()

    return reading


CONNECTORS: dict[str, Opens] = {
    "shopify-refunds": shopify_refunds,
    "shopify-stock": shopify_stock,
    "vendure-refunds": vendure_refunds,
    "vendure-stock": vendure_stock,
    "woocommerce-refunds": woo_refunds,
    "woocommerce-stock": woo_stock,
}
SOURCES: dict[str, Reads] = {
    **{f"shopify-{stream}": shopify_reading(stream) for stream in ("orders", "products")},
    **{f"vendure-{stream}": vendure_reading(stream) for stream in ("orders", "products")},
    **{f"woocommerce-{stream}": woo_reading(stream) for stream in ("orders", "products")},
}
