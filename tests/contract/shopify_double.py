"""A Shopify of our own on loopback: what its Admin API documents of orders, refunds, cancellations, products and inventory.

As the real one it charges queries by their cost, cancels in a job, keeps idempotency keys and compares before it sets stock.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from graphql import GraphQLResolveInfo

from connectors.shopify_api import VERSION
from tests.contract.graphql_double import Root, answered, directive
from tests.contract.scripted_http import Call, Reply, Server, as_json, serving

TOKEN, CLIENT, SECRET = "shpat_1", "client-1", "shpss_1"
START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
_COST = 52.0


@dataclass
class ShopifyDouble:
    """Records as the API would tell them whole. ``looks`` is how often a cancelled order is looked at before it is cancelled."""

    orders: list[dict[str, Any]] = field(default_factory=list)
    products: list[dict[str, Any]] = field(default_factory=list)
    seconds: int = 60
    looks: int = 1
    available: float = 2_000.0
    token: str = TOKEN
    granted: int = 0
    now: datetime = START
    ids: "count[int]" = field(default_factory=lambda: count(101))
    keys: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    cancelling: dict[str, int] = field(default_factory=dict)

    @property
    def refunds(self) -> int:
        return sum(len(order["refunds"]) for order in self.orders)

    def order(self, name: str = "", **changes: Any) -> dict[str, Any]:
        """A paid order of two mugs arrives."""
        number, stamp = next(self.ids), self._stamp()
        gid = f"gid://shopify/Order/{number}"
        known = {"id": gid, "name": name or f"#{number}", "email": "ada@example.org", "createdAt": stamp, "updatedAt": stamp}
        money = {"currencyCode": "EUR", "presentmentCurrencyCode": "EUR", "totalPriceSet": _money("29.00")}
        state = {"cancelledAt": None, "displayFinancialStatus": "PAID", "displayFulfillmentStatus": "UNFULFILLED"}
        line: dict[str, Any] = {
            "title": "Mug",
            "variantTitle": None,
            "sku": "MUG",
            "quantity": 2,
            "variant": {"legacyResourceId": "1"},
        }
        line["discountedUnitPriceAfterAllDiscountsSet"] = _money("14.50")
        payment: dict[str, Any] = {
            "id": "gid://shopify/OrderTransaction/1",
            "kind": "SALE",
            "status": "SUCCESS",
            "gateway": "shopify_payments",
        }
        payment["maximumRefundableV2"] = {"amount": "29.0"}
        people = {"customer": {"legacyResourceId": "7", "displayName": "Ada Byron", "locale": "en-GB"}}
        places = {"shippingAddress": dict(ADDRESS), "billingAddress": dict(ADDRESS)}
        lists = {"fulfillments": [], "refunds": [], "transactions": [payment], "lineItems": [line]}
        self.orders.append({**known, **money, **state, **people, **places, **lists, **changes})
        return self.orders[-1]

    def product(self, sku: str = "MUG", stock: int | None = 3, **changes: Any) -> dict[str, Any]:
        number = next(self.ids)
        known = {"id": f"gid://shopify/Product/{number}", "title": "Mug", "description": "Red.", "productType": "Cups"}
        variant = self.variant(sku, stock)
        self.products.append(
            {**known, "status": "ACTIVE", "updatedAt": self._stamp(), "featuredMedia": None, "variants": [variant], **changes}
        )
        return self.products[-1]

    def variant(self, sku: str, stock: int | None = 3, title: str = "Default Title") -> dict[str, Any]:
        number = next(self.ids)
        level = {"location": {"id": "gid://shopify/Location/1"}, "quantities": [{"quantity": stock or 0}]}
        item = {"id": f"gid://shopify/InventoryItem/{number}", "tracked": stock is not None, "inventoryLevels": {"nodes": [level]}}
        known = {"legacyResourceId": str(number), "title": title, "sku": sku, "price": "14.50"}
        return {**known, "inventoryQuantity": stock or 0, "inventoryItem": item}

    def touch(self, record: dict[str, Any], **changes: Any) -> None:
        record.update(changes, updatedAt=self._stamp())

    def answer(self, call: Call) -> Reply:
        if call.path == "/admin/oauth/access_token":
            return self._grant(call.body)
        if call.path != f"/admin/api/{VERSION}/graphql.json":
            return as_json({"errors": "Not Found"}, status=404)
        if call.headers.get("x-shopify-access-token") != self.token:
            return as_json({"errors": "[API] Invalid API key or access token"}, status=401)
        if self.available < _COST:
            return as_json({"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}], **self._cost()})
        return as_json({"data": answered("shopify", call.body, self._root()), **self._cost()})

    def _root(self) -> Root:
        return {
            "shop": {"name": "Mill", "currencyCode": "EUR"},
            "orders": lambda _, v: self._orders(v),
            "order": lambda _, v: self._by_id(self.orders, v["id"]),
            "products": lambda _, v: self._list(self.products, v),
            "product": lambda _, v: self._by_id(self.products, v["id"]),
            "productVariants": lambda _, v: {"nodes": self._with_sku(v["query"])[: v["first"]]},
            "refundCreate": lambda info, v: self._once(info, v["input"], self._refund, _REFUND_REFUSED),
            "orderCancel": lambda _, v: self._cancel(v),
            "orderUpdate": lambda _, v: self._readdress(v["input"]),
            "inventorySetQuantities": lambda info, v: self._once(info, v["input"], self._set_stock, _STOCK_REFUSED),
        }

    def _orders(self, given: dict[str, Any]) -> dict[str, Any]:
        if given["query"].startswith("name:"):
            return {"nodes": self._named(given["query"])[: given["first"]]}
        return self._list(self.orders, given)

    def _named(self, query: str) -> list[dict[str, Any]]:
        """As a search does, it finds more than what is named exactly."""
        found = [order for order in self.orders if order["name"].startswith(f"#{query.removeprefix('name:')}")]
        for order in found:
            left = self.cancelling.get(order["id"])
            if left is not None and left <= 0 and not order["cancelledAt"]:
                self.touch(order, cancelledAt=self._stamp())
            self.cancelling[order["id"]] = (left or 0) - 1 if left is not None else self.cancelling.get(order["id"], 10**9)
        return found

    def _with_sku(self, query: str) -> list[dict[str, Any]]:
        field_name, _, value = query.partition(":")
        key = "legacyResourceId" if field_name == "id" else "sku"
        return [v for product in self.products for v in product["variants"] if v[key] == value.strip('"')]

    def _once(
        self, info: GraphQLResolveInfo[Any], given: Any, work: Callable[[Any], dict[str, Any]], refused: dict[str, Any]
    ) -> dict[str, Any]:
        """The first answer again for a key that was used, as the idempotent directive says; ``refused`` for another question."""
        key = directive(info, "idempotent")["key"]
        known = self.keys.get(key)
        if known and known[0] != given:
            return refused
        answer = known[1] if known else work(given)
        self.keys[key] = (given, answer)
        return answer

    def _refund(self, given: dict[str, Any]) -> dict[str, Any]:
        order = self._by_id(self.orders, given["orderId"])
        (payment,) = given["transactions"]
        left = float(order["transactions"][0]["maximumRefundableV2"]["amount"]) - float(payment["amount"])
        if left < 0 or payment["parentId"] != order["transactions"][0]["id"]:
            return {
                "refund": None,
                "userErrors": [{"field": ["transactions"], "message": "It is more than what is left"}],
            }
        order["transactions"][0]["maximumRefundableV2"] = {"amount": str(left)}
        number = next(self.ids)
        made = {"legacyResourceId": str(number), "createdAt": self._stamp(), "note": given["note"]}
        self.touch(order, refunds=[*order["refunds"], {**made, "totalRefundedSet": _money(payment["amount"])}])
        return {"refund": {"id": f"gid://shopify/Refund/{number}"}, "userErrors": []}

    def _cancel(self, given: dict[str, Any]) -> dict[str, Any]:
        self.cancelling[given["orderId"]] = self.looks
        return {"job": {"id": "gid://shopify/Job/1", "done": False}, "orderCancelUserErrors": []}

    def _readdress(self, given: dict[str, Any]) -> dict[str, Any]:
        told = given["shippingAddress"]
        place = {"name": f"{told['firstName']} {told['lastName']}".strip(), "countryCodeV2": told["countryCode"]}
        place |= {name: told[name] for name in ("address1", "address2", "zip", "city")}
        self.touch(self._by_id(self.orders, given["id"]), shippingAddress=place)
        return {"order": {"id": given["id"]}, "userErrors": []}

    def _set_stock(self, given: dict[str, Any]) -> dict[str, Any]:
        (wanted,) = given["quantities"]
        for product in self.products:
            for variant in product["variants"]:
                if variant["inventoryItem"]["id"] != wanted["inventoryItemId"]:
                    continue
                if variant["inventoryQuantity"] != wanted["changeFromQuantity"]:
                    stale = {"code": "CHANGE_FROM_QUANTITY_STALE", "field": ["input", "quantities", "0"], "message": "x"}
                    return {"inventoryAdjustmentGroup": None, "userErrors": [stale]}
                self.set_count(product, variant, wanted["quantity"])
        return {"inventoryAdjustmentGroup": {"id": "gid://shopify/InventoryAdjustmentGroup/1"}, "userErrors": []}

    def set_count(self, product: dict[str, Any], variant: dict[str, Any], units: int) -> None:
        """So many are there now."""
        variant["inventoryQuantity"] = variant["inventoryItem"]["inventoryLevels"]["nodes"][0]["quantities"][0]["quantity"] = units
        self.touch(product)

    def _list(self, found: list[dict[str, Any]], given: dict[str, Any]) -> dict[str, Any]:
        since, first = re.fullmatch(r"updated_at:>='(.*)'", given["query"]), given["first"]
        assert since is not None
        chosen = [r for r in found if datetime.fromisoformat(r["updatedAt"]) >= datetime.fromisoformat(since[1])]
        chosen.sort(key=lambda r: (r["updatedAt"], r["id"]))
        if after := given["after"]:  # a place in the order, not a number: what changes meanwhile shifts nothing
            chosen = [r for r in chosen if f"{r['updatedAt']} {r['id']}" > b64decode(after).decode()]
        nodes = chosen[:first]
        last = b64encode(f"{nodes[-1]['updatedAt']} {nodes[-1]['id']}".encode()).decode() if nodes else None
        return {"nodes": nodes, "pageInfo": {"hasNextPage": len(chosen) > first, "endCursor": last}}

    def _by_id(self, records: list[dict[str, Any]], gid: str) -> dict[str, Any]:
        return next(record for record in records if record["id"] == gid)

    def _grant(self, body: dict[str, Any]) -> Reply:
        if body != {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": SECRET}:
            return as_json({"error": "invalid_client"}, status=401)
        self.granted += 1
        self.token = f"shpca_{self.granted}"
        return as_json({"access_token": self.token, "scope": "write_orders", "expires_in": 86_399})

    def _cost(self) -> dict[str, Any]:
        status = {"maximumAvailable": 2_000.0, "currentlyAvailable": self.available, "restoreRate": 100.0}
        return {"extensions": {"cost": {"requestedQueryCost": _COST, "actualQueryCost": 12, "throttleStatus": status}}}

    def _stamp(self) -> str:
        self.now += timedelta(seconds=self.seconds)
        return self.now.isoformat().replace("+00:00", "Z")


_MISMATCH = {"field": None, "message": "The same idempotency key cannot be used"}
_REFUND_REFUSED = {"refund": None, "userErrors": [_MISMATCH]}  # errors of refunds have no code
_STOCK_REFUSED = {
    "inventoryAdjustmentGroup": None,
    "userErrors": [{**_MISMATCH, "code": "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"}],
}
ADDRESS = {
    "name": "Ada Byron",
    "address1": "1 Mill Lane",
    "address2": None,
    "zip": "10115",
    "city": "Berlin",
    "countryCodeV2": "DE",
}


@asynccontextmanager
async def shopify_double() -> AsyncIterator[tuple[ShopifyDouble, Server]]:
    double = ShopifyDouble()
    async with serving(answer=double.answer) as server:
        yield double, server


def _money(amount: str) -> dict[str, Any]:
    return {"shopMoney": {"amount": amount}}
