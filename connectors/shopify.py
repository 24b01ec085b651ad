"""Shopify over its Admin GraphQL API: orders, products and stock are read; refunds, cancellations, addresses and stock change.

Refunds and stock are sent with an idempotency key, stock also with the number it is to change from. A cancellation is a job
of Shopify's own, which is waited for. A refund carries its mark in its note.

API: https://shopify.dev/docs/api/admin-graphql/2026-10
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from connectors.changes import Batch, Changed, next_page
from connectors.graphql import Answer
from connectors.http import Http
from connectors.kinds import Kind, Opened, Opening, Setting
from connectors.order_rules import OrderAction, ShopAction, order_diff, stock_diff
from connectors.shop_effects import ShopConnector, mark_in, marked
from connectors.shop_reading import ORDERS, READS, ShopSource, ToldItem, ToldOrder
from connectors.shop_settings import since_day, web_address
from connectors.shopify_api import ShopifyGraph, UserError
from connectors.shopify_records import Connection, PageInfo, Payment, Shop, ShopifyOrder, Stocked, Stub, told_items, told_order
from connectors.webhooks import check_shopify
from domain.actions import AdjustStock, CancelOrder, Capability, ChangeAddress, RefundOrder, ReinstateOrder
from domain.connections import Page, Record, Webhook
from domain.decisions import Diff
from domain.errors import EffectError, NotCounted, NotFound, Permanent, Unknown
from domain.ids import derived_id, digest

_ORDER = ("order_fields", "line_fields")
_PAUSES = (0.1, 0.4, 1.0, 2.0, 4.0)  # seconds between looks at an order that is being cancelled


class ShopifyShop:
    """See ``shop_effects.RemoteShop``."""

    def __init__(self, graph: ShopifyGraph) -> None:
        self.name = graph.name
        self._graph = graph

    async def check(self) -> str:
        shop = (await self._graph.ask("shop", {})).read("shop", Shop)
        return f"{' '.join(shop.name.split())[:80]}, in {shop.currency_code}"

    async def look(self, action: ShopAction) -> Diff:
        if isinstance(action, AdjustStock):
            there = await self.units(action.sku)
            return stock_diff(action, there, str(there))
        order = await self._order(action.order_id)
        _check_permitted(action, order)
        told = order.order().model_copy(update={"as_of": None})
        return order_diff(action, told, digest(told)[:16])

    async def units(self, sku: str) -> int:
        return _available(await self._stocked(sku), sku)

    async def change(self, action: ShopAction, *, mark: str, seen: Diff) -> None:
        match action:
            case RefundOrder():
                await self._refund(action, mark)
            case CancelOrder():
                await self._cancel(action)
            case ChangeAddress():
                given = {"id": (await self._order(action.order_id)).id, "shippingAddress": _mailing_address(action)}
                await self._mutate("readdress", "orderUpdate", {"input": given})
            case AdjustStock():
                await self._set_stock(action, mark)
            case ReinstateOrder():
                raise Permanent("a cancelled order cannot be taken up again")

    async def has_trace(self, action: ShopAction, *, mark: str) -> bool:
        if isinstance(action, AdjustStock):
            return _available(await self._stocked(action.sku), action.sku) == action.units_after
        order = await self._order(action.order_id)
        match action:
            case RefundOrder():
                return any(mark_in(refund.note or "") == mark for refund in order.refunds)
            case ChangeAddress():
                return order.ship_to == action.address
        return order.state is not None and (order.cancelled_at is not None) is isinstance(action, CancelOrder)

    async def _refund(self, action: RefundOrder, mark: str) -> None:
        order = await self._order(action.order_id)
        given = {
            "orderId": order.id,
            "note": marked(action.reason, mark),
            "notify": False,
            "transactions": [
                {"orderId": order.id, "parentId": payment.id, "gateway": payment.gateway, "kind": "REFUND", "amount": str(amount)}
                for payment, amount in _shares(order, action)
            ],
        }
        await self._mutate("refund", "refundCreate", {"input": given, "key": _idempotency_key(mark)})

    async def _cancel(self, action: CancelOrder) -> None:
        order = await self._order(action.order_id)
        await self._mutate(
            "cancel", "orderCancel", {"orderId": order.id, "staffNote": action.reason}, errors="orderCancelUserErrors"
        )
        for pause in _PAUSES:
            await asyncio.sleep(pause)
            try:
                if (await self._order(action.order_id)).cancelled_at:
                    return
            except EffectError as error:
                raise Unknown(f"{self.name} took the cancellation, and then: {error.message}", hint="look again") from None
        raise Unknown(f"{self.name} is still cancelling order {action.order_id}", hint="look again")

    async def _set_stock(self, action: AdjustStock, mark: str) -> None:
        item = (await self._stocked(action.sku)).inventory_item
        place = {"inventoryItemId": item.id, "locationId": item.inventory_levels.nodes[0].location.id}
        quantity = {**place, "quantity": action.units_after, "changeFromQuantity": action.units_before}
        given = {"name": "available", "reason": "correction", "quantities": [quantity]}
        await self._mutate("set_stock", "inventorySetQuantities", {"input": given, "key": _idempotency_key(mark)})

    async def _mutate(self, document: str, field: str, variables: Mapping[str, Any], *, errors: str = "userErrors") -> None:
        answer = await self._graph.ask(document, variables, changes=True)
        if faults := answer.read(f"{field}.{errors}", list[UserError]):
            raise faults[0].error(self.name)

    async def _order(self, number: str) -> ShopifyOrder:
        if not number or not all(c.isalnum() or c in "-_." for c in number):
            raise Permanent(f"{self.name} has no order {number[:40]!r}")
        answer = await self._graph.ask("order", {"query": f"name:{number}"}, fragments=_ORDER)
        found = [order for order in answer.read("orders.nodes", list[ShopifyOrder]) if order.number == number]
        if len(found) != 1:
            raise Permanent(f"{self.name} has {len(found)} orders {number}, not one")
        if found[0].state is None:
            raise Permanent(f"order {number} is not paid")
        return found[0]

    async def _stocked(self, sku: str) -> Stocked:
        asked = f"id:{sku[3:]}" if sku.startswith("id-") else f"sku:{json.dumps(sku, ensure_ascii=False)}"
        answer = await self._graph.ask("stock", {"query": asked})
        found = [v for v in answer.read("productVariants.nodes", list[Stocked]) if sku in (v.sku, f"id-{v.legacy_resource_id}")]
        if len(found) != 1:
            raise Permanent(f"{self.name} has {len(found)} articles with the SKU {sku}, not one")
        return found[0]


class ShopifySource(ShopSource):
    """Cursors are times of change, and Shopify's own within one pass. See ``ports.Source``.

    ``secrets`` are those that its webhooks are signed with, several while one replaces another.
    """

    def __init__(self, graph: ShopifyGraph, *, since: date, secrets: Sequence[str] = ()) -> None:
        self.name = graph.name
        self._graph = graph
        self._since = datetime(since.year, since.month, since.day, tzinfo=UTC)
        self._secrets = tuple(secrets)

    async def read(self, stream: str, cursor: str, *, now: datetime) -> Page:
        return await next_page(stream, cursor, self._orders if stream == ORDERS else self._products)

    def verify_webhook(self, request: Webhook) -> tuple[Record, ...]:
        """A call is a bell: what changed is read then, since calls come late, twice, out of order, and in another shape."""
        if not self._secrets:
            raise NotFound(f"{self.name} has no secret to check calls with")
        check_shopify(request, self._secrets)
        return ()

    def order_of(self, raw: bytes) -> ToldOrder | None:
        return told_order(raw)

    def items_of(self, raw: bytes) -> tuple[ToldItem, ...]:
        return told_items(raw)

    async def _orders(self, after: datetime | None, rest: str) -> Batch:
        _, start, found = await self._batch("orders", max(after or self._since, self._since), rest, fragments=_ORDER)
        for order in found.nodes:
            await self._complete(order, "order.lineItems", "lines", fragment="line_fields")
        return Batch([_changed(order, order) for order in found.nodes], _rest(start, found.page_info))

    async def _products(self, after: datetime | None, rest: str) -> Batch:
        answer, start, found = await self._batch("products", after, rest, fragments=("variant_fields",))
        currency = answer.read("shop", Shop).currency_code
        for product in found.nodes:
            await self._complete(product, "product.variants", "variants", fragment="variant_fields")
        items = [_changed(product, {"currency": currency, "product": product}) for product in found.nodes]
        return Batch(items, _rest(start, found.page_info))

    async def _batch(
        self, name: str, after: datetime | None, rest: str, *, fragments: tuple[str, ...]
    ) -> tuple[Answer, str, Connection]:
        start, _, token = rest.partition("|") if rest else ((after or datetime.fromtimestamp(0, UTC)).isoformat(), "", "")
        variables = {"after": token or None, "query": f"updated_at:>='{start}'"}
        answer = await self._graph.ask(name, variables, fragments=fragments)
        answer.read(f"{name}.nodes", list[Stub])
        return answer, start, answer.read(name, Connection)

    async def _complete(self, of: dict[str, Any], path: str, document: str, *, fragment: str) -> None:
        """The rest of a list that did not fit, in its place."""
        field = path.rpartition(".")[2]
        part = Answer(data=of, system=self.name).read(field, Connection)
        nodes = part.nodes
        while part.page_info.has_next_page:
            answer = await self._graph.ask(document, {"id": of["id"], "after": part.page_info.end_cursor}, fragments=(fragment,))
            part = answer.read(path, Connection)
            nodes += part.nodes
        of[field] = {"nodes": nodes}


def _check_permitted(action: OrderAction, order: ShopifyOrder) -> None:
    """Raises Permanent for what Shopify would refuse, or would do otherwise than shown."""
    match action:
        case ReinstateOrder():
            raise Permanent(f"order {order.number} cannot be taken up again: Shopify cancels for good", hint="place it anew there")
        case CancelOrder() | ChangeAddress() if order.begun:
            raise Permanent(f"part of order {order.number} is on its way or returned", hint="do it in Shopify")
        case RefundOrder() if order.currency_code != order.presentment_currency_code:
            raise Permanent(f"order {order.number} was paid in {order.presentment_currency_code}", hint="refund it in Shopify")
        case RefundOrder():
            _shares(order, action)


def _shares(order: ShopifyOrder, action: RefundOrder) -> list[tuple[Payment, Decimal]]:
    """How much goes back to which payment. Raises Permanent where the payments do not hold so much."""
    left, shares = action.amount.rounded().amount, []
    for payment in order.transactions:
        if payment.kind in {"SALE", "CAPTURE"} and payment.status == "SUCCESS" and payment.maximum_refundable_v2 and left > 0:
            share = min(left, Decimal(payment.maximum_refundable_v2.amount))
            shares += [(payment, share)] if share > 0 else []
            left -= share
    if left > 0:
        raise Permanent(f"{left} of it cannot go back to a payment of order {order.number}", hint="refund it in Shopify")
    return shares


def _available(stocked: Stocked, sku: str) -> int:
    levels = stocked.inventory_item.inventory_levels.nodes
    if not stocked.inventory_item.tracked:
        raise NotCounted(f"Shopify does not count {sku}", hint="turn on its inventory there")
    if len(levels) != 1 or not levels[0].quantities:
        raise Permanent(f"{sku} lies at more than one location, or at none", hint="set it in Shopify")
    return levels[0].quantities[0].quantity


def _mailing_address(action: ChangeAddress) -> dict[str, str]:
    """A company or a province that was there before goes: they belonged to another place."""
    address = action.address
    first, _, last = address.name.rpartition(" ")
    street = {"address1": address.line1, "address2": address.line2, "company": "", "provinceCode": ""}
    place = {"city": address.city, "zip": address.postcode, "countryCode": address.country}
    return {"firstName": first, "lastName": last, **street, **place}


def _changed(of: Mapping[str, Any], record: Mapping[str, Any]) -> Changed:
    raw = json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    return Changed(str(of["id"]).rpartition("/")[2], datetime.fromisoformat(of["updatedAt"]), raw)


def _rest(start: str, info: PageInfo) -> str:
    return f"{start}|{info.end_cursor}" if info.has_next_page else ""


def _idempotency_key(mark: str) -> str:
    """A UUID, as Shopify recommends."""
    return str(derived_id("shopify", mark))


def _open(opening: Opening) -> Opened:
    given = opening.settings
    http = Http(given["url"], name=opening.name)
    graph = ShopifyGraph(http, token=opening.secret("token"), client_id=given["client_id"])
    shop = ShopifyShop(graph)
    return Opened(
        check=shop.check,
        connectors=dict.fromkeys((Capability.SHOP, Capability.PAYMENTS), ShopConnector(shop, attempts=opening.attempts)),
        source=ShopifySource(graph, since=date.fromisoformat(given["since"]), secrets=opening.secret("webhook_secret").split()),
        close=http.close,
    )


KIND = Kind(
    name="shopify",
    title="a Shopify shop: reads orders, products and stock; refunds, cancels, readdresses, sets stock",
    settings=(
        Setting(name="url", ask="The shop's own address, such as https://mill.myshopify.com", check=web_address),
        Setting(name="client_id", ask="The app's client id; empty where you have an access token", default=""),
        Setting(name="token", ask="The app's client secret, or its access token (shpat_...)", secret=True),
        Setting(
            name="webhook_secret",
            ask="The secret that its webhooks are signed with (an app's are signed with its client secret); empty without webhooks",
            secret=True,
            default="",
        ),
        Setting(name="since", ask="Read orders from this day on: year, today or a date", default="year", check=since_day),
    ),
    open=_open,
    called=True,
    reads=READS,
    does={
        Capability.SHOP: "cancels and readdresses orders, sets stock where there is one location",
        Capability.PAYMENTS: "refunds to the payments it came from",
    },
)
