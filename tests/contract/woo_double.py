"""A WooCommerce of our own on loopback: what its REST API v3 documents of orders, refunds, products and variations, kept in memory.

As the real one it has times in whole seconds, pages by number, and no idempotency: each POST of a refund is a refund.
"""

from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from math import ceil
from typing import Any

from tests.contract.recorded.contracts import contract
from tests.contract.scripted_http import Call, Reply, Server, as_json, serving

KEY, SECRET = "ck_1", "cs_1"
_AUTH = f"Basic {b64encode(f'{KEY}:{SECRET}'.encode()).decode()}"
_ROOT = "/wp-json/wc/v3"
START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


@dataclass
class WooDouble:
    """``orders`` and ``products`` by id; ``seconds`` is how far its own clock moves with every change."""

    orders: dict[int, dict[str, Any]] = field(default_factory=dict)
    products: dict[int, dict[str, Any]] = field(default_factory=dict)
    seconds: int = 60
    refuses_refunds: bool = False
    now: datetime = START
    ids: count = field(default_factory=lambda: count(101))  # type: ignore[type-arg]

    @property
    def refunds(self) -> int:
        return sum(len(order["refunds"]) for order in self.orders.values())

    def order(self, *, order_id: int | None = None, **changes: Any) -> dict[str, Any]:
        """A paid order of two mugs arrives."""
        number = order_id or next(self.ids)
        stamp = self._stamp()
        known = {"id": number, "number": str(number), "status": "processing", "currency": "EUR", "date_created_gmt": stamp}
        times = {"date_modified_gmt": stamp, "date_paid_gmt": stamp, "date_completed_gmt": None}
        line = {
            "id": 1,
            "name": "Mug",
            "product_id": 1,
            "variation_id": 0,
            "quantity": 2,
            "sku": "MUG",
            "total": "29.00",
        }
        goods = {"total": "29.00", "customer_id": 7, "line_items": [line], "refunds": [], "meta_data": []}
        self.orders[number] = {**known, **times, **goods, "billing": BILLING, "shipping": {**ADDRESS}, **changes}
        return self.orders[number]

    def product(self, *, sku: str = "MUG", stock: int | None = 3, **changes: Any) -> dict[str, Any]:
        number = next(self.ids)
        known = {"id": number, "parent_id": 0, "name": "Mug", "sku": sku, "type": "simple", "status": "publish", "price": "14.50"}
        words: dict[str, Any] = {"description": "<p>Red.</p>", "short_description": "", "images": [], "attributes": []}
        words["categories"] = [{"id": 1, "name": "Cups", "slug": "cups"}]
        counted = {"manage_stock": stock is not None, "stock_quantity": stock, "date_modified_gmt": self._stamp()}
        self.products[number] = {**known, **words, **counted, **changes}
        return self.products[number]

    def touch(self, record: dict[str, Any], **changes: Any) -> None:
        record.update(changes, date_modified_gmt=self._stamp())

    def answer(self, call: Call) -> Reply:
        return contract("woocommerce").checked(call, self._answer(call))

    def _answer(self, call: Call) -> Reply:
        if call.headers.get("authorization") != _AUTH:
            return _error(401, "woocommerce_rest_cannot_view")
        match call.method, call.path.removeprefix(_ROOT).strip("/").split("/"):
            case "GET", ["data", "currencies", "current"]:
                return as_json({"code": "EUR", "name": "Euro", "symbol": "&euro;"})
            case "GET", ["orders"]:
                return self._list(list(self.orders.values()), call.query)
            case "GET", ["products"]:
                return self._list([_as_product(p) for p in self._with_sku(call.query.get("sku"))], call.query)
            case "GET", ["products", number, "variations"]:
                of = [p for p in self.products.values() if p["parent_id"] == int(number)]
                return self._list([_as_variation(p) for p in of], call.query)
            case method, ["orders", number, *rest]:
                return self._order(method, int(number), rest, call.body)
            case method, ["products", number]:
                return self._product(method, int(number), call.body, _as_product)
            case method, ["products", _, "variations", number]:
                return self._product(method, int(number), call.body, _as_variation)
        return _error(404, "rest_no_route")

    def _order(self, method: str, number: int, rest: list[str], body: Any) -> Reply:
        order = self.orders.get(number)
        if order is None:
            return _error(404, "woocommerce_rest_shop_order_invalid_id")
        if method == "POST" and rest == ["refunds"]:
            return self._refund(order, body)
        if method == "PUT":
            self.touch(order, **{k: ({**order["shipping"], **v} if k == "shipping" else v) for k, v in body.items()})
        return as_json(order)

    def _refund(self, order: dict[str, Any], body: Any) -> Reply:
        if self.refuses_refunds:
            return _error(500, "woocommerce_rest_cannot_create_order_refund")
        made = {"id": next(self.ids), "reason": body["reason"], "total": f"-{body['amount']}"}
        self.touch(order, refunds=[*order["refunds"], made])
        told = {"id": made["id"], "amount": body["amount"], "reason": body["reason"], "refunded_payment": body["api_refund"]}
        return as_json(told, status=201)

    def _product(self, method: str, number: int, body: Any, shown: Callable[[dict[str, Any]], dict[str, Any]]) -> Reply:
        product = self.products.get(number)
        if product is None:
            return _error(404, "woocommerce_rest_product_invalid_id")
        if method == "PUT":
            self.touch(product, **body)
        return as_json(shown(product))

    def _with_sku(self, sku: str | None) -> list[dict[str, Any]]:
        found = self.products.values()
        return [p for p in found if p["sku"] == sku] if sku else [p for p in found if not p["parent_id"]]

    def _list(self, found: list[dict[str, Any]], query: dict[str, str]) -> Reply:
        after, per_page = query.get("modified_after", ""), int(query.get("per_page", "10"))
        chosen = sorted((r for r in found if r["date_modified_gmt"] > after), key=lambda r: (r["date_modified_gmt"], r["id"]))
        start = (int(query.get("page", "1")) - 1) * per_page
        headers = {"x_wp_total": str(len(chosen)), "x_wp_totalpages": str(ceil(len(chosen) / per_page))}
        return as_json(chosen[start : start + per_page], status=200, **headers)

    def _stamp(self) -> str:
        self.now += timedelta(seconds=self.seconds)
        return self.now.strftime("%Y-%m-%dT%H:%M:%S")


ADDRESS = {
    "first_name": "Ada",
    "last_name": "Byron",
    "company": "",
    "address_1": "1 Mill Lane",
    "address_2": "",
    "city": "Berlin",
    "state": "",
    "postcode": "10115",
    "country": "DE",
}
BILLING = {**ADDRESS, "email": "ada@example.org"}


@asynccontextmanager
async def woo_double() -> AsyncIterator[tuple[WooDouble, Server]]:
    double = WooDouble()
    async with serving(answer=double.answer) as server:
        yield double, server


def _as_product(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != "image"}


def _as_variation(record: dict[str, Any]) -> dict[str, Any]:
    """What only products have its own product tells."""
    others = ("name", "type", "parent_id", "short_description", "categories", "images")
    return {"image": None, **{name: value for name, value in record.items() if name not in others}}


def _error(status: int, code: str) -> Reply:
    return as_json({"code": code, "message": "Nope.", "data": {"status": status}}, status=status)
