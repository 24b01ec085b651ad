"""A Vendure of our own on loopback, for what the real one cannot be brought to do at will, and for tests that have to be fast.

Its answers are those of Vendure 3.7 (``tests/peers`` tries the same connector against that): an order has no new time of
change when something happens to it, stock is set without being compared, and each adjustment is written down.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from tests.contract.graphql_double import Root, answered
from tests.contract.scripted_http import Call, Reply, Server, as_json, serving

USER, PASSWORD = "steward", "sesame-1"


@dataclass
class VendureDouble:
    orders: list[dict[str, Any]] = field(default_factory=list)
    variants: list[dict[str, Any]] = field(default_factory=list)
    adjustments: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    token: str = ""
    logins: int = 0
    digits: int = 2
    now: datetime = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
    ids: "count[int]" = field(default_factory=lambda: count(1))

    @property
    def refunds(self) -> int:
        return sum(len(payment["refunds"]) for order in self.orders for payment in order["payments"])

    def order(self, code: str = "", **changes: Any) -> dict[str, Any]:
        """A paid order of two mugs arrives."""
        number, stamp = str(next(self.ids)), self._stamp()
        times = {"createdAt": stamp, "updatedAt": stamp, "orderPlacedAt": stamp}
        known = {"id": number, "code": code or f"CODE{number}", "state": "PaymentSettled", **times}
        money = {"currencyCode": "EUR", "totalWithTax": 2900, "payments": [_payment(number)]}
        ada = {"id": "7", "firstName": "Ada", "lastName": "Byron", "emailAddress": "ada@example.org"}
        line = {"orderPlacedQuantity": 2, "discountedUnitPriceWithTax": 1450, "productVariant": {"sku": "MUG", "name": "Mug"}}
        places = {"customer": ada, "shippingAddress": dict(ADDRESS), "billingAddress": None}
        self.orders.append({**known, **money, **places, "lines": [line], "fulfillments": [], **changes})
        return self.orders[-1]

    def variant(self, sku: str = "MUG", stock: int = 3, **changes: Any) -> dict[str, Any]:
        known = {"id": str(next(self.ids)), "sku": sku, "name": "Mug", "enabled": True, "updatedAt": self._stamp()}
        sold = {"currencyCode": "EUR", "priceWithTax": 1450, "trackInventory": "INHERIT"}
        level = {"stockOnHand": stock, "stockAllocated": 0, "stockLocationId": "1"}
        of = {"name": "Mug", "description": "<p>Red.</p>", "enabled": True, "featuredAsset": None}
        self.variants.append({**known, **sold, "product": of, "featuredAsset": None, "stockLevels": [level], **changes})
        return self.variants[-1]

    def set_stock(self, variant: dict[str, Any], stock_on_hand: int) -> None:
        level = variant["stockLevels"][0]
        moved = {"id": str(next(self.ids)), "createdAt": self._stamp(), "quantity": stock_on_hand - level["stockOnHand"]}
        self.adjustments.append((variant["id"], moved))
        level["stockOnHand"] = stock_on_hand

    def answer(self, call: Call) -> Reply:
        if call.body["query"].startswith("mutation Login"):
            reply = as_json({"data": answered("vendure", call.body, {"login": lambda _, v: self._log_in(v)})})
            return replace(reply, headers={"vendure_auth_token": self.token}) if self.token else reply
        if not self.token or call.headers.get("authorization") != f"Bearer {self.token}":
            return as_json({"errors": [{"message": "no", "extensions": {"code": "FORBIDDEN"}}], "data": None})
        return as_json({"data": answered("vendure", call.body, self._root())})

    def _root(self) -> Root:
        return {
            "globalSettings": {"trackInventory": True, "serverConfig": {"moneyStrategyPrecision": self.digits}},
            "activeChannel": {"code": "__default_channel__", "defaultCurrencyCode": "EUR"},
            "orders": lambda _, v: _list(self.orders, v["options"]),
            "productVariants": lambda _, v: _list(self.variants, v["options"]),
            "productVariant": lambda _, v: {"stockMovements": self._movements(v["id"])},
            "refundOrder": lambda _, v: self._refund(v["input"]),
            "cancelOrder": lambda _, v: self._moved(v["input"]["orderId"], state="Cancelled", totalWithTax=0),
            "transitionOrderToState": lambda _, v: self._moved(v["id"], state=v["state"]),
            "modifyOrder": lambda _, v: self._readdress(v["input"]),
            "updateProductVariants": lambda _, v: self._set_stock(v["input"]),
        }

    def _log_in(self, given: dict[str, Any]) -> dict[str, Any]:
        if (given["username"], given["password"]) != (USER, PASSWORD):
            return {"__typename": "InvalidCredentialsError", "errorCode": "INVALID_CREDENTIALS_ERROR"}
        self.logins += 1
        self.token = f"token-{self.logins}"
        return {"__typename": "CurrentUser", "id": "1"}

    def _refund(self, given: dict[str, Any]) -> dict[str, Any]:
        payment = next(p for order in self.orders for p in order["payments"] if p["id"] == given["paymentId"])
        made = {"id": str(next(self.ids)), "createdAt": self._stamp(), "total": given["amount"], "reason": given["reason"]}
        payment["refunds"].append({**made, "state": "Failed" if given["amount"] == 666 else "Settled"})
        return {"__typename": "Refund", **payment["refunds"][-1]}

    def _moved(self, number: str, **changes: Any) -> dict[str, Any]:
        order = next(order for order in self.orders if order["id"] == number)
        if changes.get("state") in {"Modifying", "Cancelled"} and order["state"] != "PaymentSettled":
            return {"__typename": "OrderStateTransitionError", "errorCode": "ORDER_STATE_TRANSITION_ERROR"}
        order.update(changes)
        return {"__typename": "Order", **order}

    def _readdress(self, given: dict[str, Any]) -> dict[str, Any]:
        told = given["updateShippingAddress"]
        return self._moved(given["orderId"], shippingAddress={name: told[name] for name in ADDRESS})

    def _set_stock(self, wanted: list[dict[str, Any]]) -> list[dict[str, Any]]:
        (given,) = wanted
        variant = next(variant for variant in self.variants if variant["id"] == given["id"])
        self.set_stock(variant, given["stockLevels"][0]["stockOnHand"])
        return [variant]

    def _movements(self, number: str) -> dict[str, Any]:
        items = [{"__typename": "StockAdjustment", **moved} for of, moved in self.adjustments if of == number]
        return {"items": items, "totalItems": len(items)}

    def _stamp(self) -> str:
        self.now += timedelta(seconds=60)
        return self.now.isoformat(timespec="milliseconds").replace("+00:00", "Z")


_HOUSE = {"fullName": "Ada Byron", "streetLine1": "1 Mill Lane", "streetLine2": ""}
ADDRESS = {**_HOUSE, "postalCode": "10115", "city": "Berlin", "countryCode": "DE"}


@asynccontextmanager
async def vendure_double() -> AsyncIterator[tuple[VendureDouble, Server]]:
    double = VendureDouble()
    async with serving(answer=double.answer) as server:
        yield double, server


def _payment(number: str) -> dict[str, Any]:
    return {"id": f"p{number}", "state": "Settled", "amount": 2900, "refunds": []}


def _list(records: list[dict[str, Any]], options: dict[str, Any]) -> dict[str, Any]:
    found = [record for record in records if _fits(record, options.get("filter", {}))]
    for by in options.get("sort", {}):
        found.sort(key=lambda record: str(record[by]))
    start = options.get("skip", 0)
    return {"items": found[start : start + options["take"]], "totalItems": len(found)}


def _fits(record: dict[str, Any], wanted: dict[str, Any]) -> bool:
    return all(record[name] == op["eq"] if "eq" in op else record[name] > op["after"] for name, op in wanted.items())
