"""WooCommerce over its REST API v3: orders, products and stock are read; refunds, cancellations, addresses and stock change.

It knows neither idempotency keys nor compare-and-set. A refund carries its mark in its reason; everything else is written as
it is to be, after one more look. Whoever changes the same record between that look and the write, some milliseconds, is
overwritten: for stock that can be a sale, whose units the next count in the shop would show.

API: https://developer.woocommerce.com/docs/apis/rest-api/v3/
"""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
from pydantic import BaseModel, ValidationError

from connectors.changes import Batch, Changed, next_page, next_page_of_all, rest_by_time, time_and_number
from connectors.http import Http, Reply
from connectors.kinds import Kind, Opened, Opening, Setting
from connectors.order_rules import OrderAction, ShopAction, order_diff, stock_diff
from connectors.shop_effects import ShopConnector, mark_in, marked
from connectors.shop_reading import ORDERS, READS, ShopSource, ToldItem, ToldOrder, moment
from connectors.shop_settings import since_day, web_address
from connectors.webhooks import check_woocommerce, is_woocommerce_ping
from connectors.woo_records import NAMES, WooOrder, WooProduct, address_of, order_of, told_items, told_order
from domain.actions import AdjustStock, CancelOrder, Capability, ChangeAddress, RefundOrder, ReinstateOrder
from domain.connections import Page, Record, Webhook
from domain.decisions import Diff
from domain.entities import Address
from domain.errors import InvalidInput, NotCounted, NotFound, Permanent, Stale, Unknown
from domain.ids import digest

_PER_PAGE = 50
_ALL_AGAIN = timedelta(hours=1)  # a variation may change without its product, so products are read whole this often
_REFUSED = "woocommerce_rest_cannot_create_order_refund"  # answered with a 500, and yet a definite no


class _Stub(BaseModel):
    id: int
    date_modified_gmt: str


class _CalledOrder(_Stub):
    """What tells an order's call from others: a product has no lines, and what was deleted has nothing but its id."""

    line_items: list[dict[str, Any]]
    currency: str


class _Currency(BaseModel):
    code: str


class WooShop:
    """See ``shop_effects.RemoteShop``."""

    def __init__(self, http: Http) -> None:
        self.name = http.name
        self._http = http
        self._currency = ""

    async def check(self) -> str:
        reply = await self._http.get("/orders", params={"per_page": "1"})
        reply.parse(list[_Stub])
        return f"{reply.headers.get('x-wp-total', 'some')} orders in {await self.currency()}"

    async def currency(self) -> str:
        """What the shop's prices are in."""
        if not self._currency:
            self._currency = (await self._http.get("/data/currencies/current")).parse(_Currency).code
        return self._currency

    async def look(self, action: ShopAction) -> Diff:
        if isinstance(action, AdjustStock):
            on_hand = await self.units(action.sku)
            return stock_diff(action, on_hand, str(on_hand))
        return _order_diff(action, await self._order(action.order_id))

    async def units(self, sku: str) -> int:
        return _counted(await self._product(sku), sku)

    async def change(self, action: ShopAction, *, mark: str, seen: Diff) -> None:
        match action:
            case RefundOrder():
                await self._refund(action, mark)
            case CancelOrder():
                await self._write(f"/orders/{action.order_id}", {"status": "cancelled"})
            case ReinstateOrder():
                await self._write(f"/orders/{action.order_id}", {"status": NAMES[action.status]})
            case ChangeAddress():
                await self._write(f"/orders/{action.order_id}", {"shipping": _woo_address(action.address)})
            case AdjustStock():
                await self._set_stock(action, seen.before["on_hand"])

    async def has_trace(self, action: ShopAction, *, mark: str) -> bool:
        if isinstance(action, AdjustStock):
            return (await self._product(action.sku)).stock_quantity == action.units_after
        woo = await self._order(action.order_id)
        match action:
            case RefundOrder():
                return any(mark_in(refund.reason or "") == mark for refund in woo.refunds)
            case CancelOrder():
                return woo.status == "cancelled"
            case ReinstateOrder():
                return woo.state is action.status
            case ChangeAddress():
                return address_of(woo) == action.address

    async def _refund(self, action: RefundOrder, mark: str) -> None:
        body = {"amount": str(action.amount.rounded().amount), "reason": marked(action.reason, mark), "api_refund": True}
        try:
            await self._http.send("POST", f"/orders/{action.order_id}/refunds", body=body)
        except Unknown as error:
            if _REFUSED in error.message:
                hint = "the payment's provider refused it, or cannot refund: do it by hand there"
                raise Permanent(f"{self.name} could not refund order {action.order_id}", hint=hint) from None
            raise

    async def _set_stock(self, action: AdjustStock, expected: int) -> None:
        product = await self._product(action.sku)
        if product.stock_quantity != expected:
            raise Stale(f"{self.name} has {product.stock_quantity} of {action.sku} by now, not {expected}")
        path = f"/products/{product.parent_id}/variations/{product.id}" if product.parent_id else f"/products/{product.id}"
        await self._write(path, {"stock_quantity": action.units_after})

    async def _write(self, path: str, body: Mapping[str, Any]) -> None:
        """A PUT may be repeated, but whether it happened has to be known: the next look at the record would be told apart."""
        await self._http.send("PUT", path, body=body, repeatable=False)

    async def _order(self, order_id: str) -> WooOrder:
        if not order_id.isascii() or not order_id.isdecimal():
            raise Permanent(f"{self.name} has no order {order_id[:40]}", hint="its orders have numbers")
        return (await self._http.get(f"/orders/{order_id}")).parse(WooOrder)

    async def _product(self, sku: str) -> WooProduct:
        if sku.startswith("id-") and sku[3:].isdecimal():
            return (await self._http.get(f"/products/{sku[3:]}")).parse(WooProduct)
        found = [p for p in (await self._http.get("/products", params={"sku": sku})).parse(list[WooProduct]) if p.sku == sku]
        if len(found) != 1:
            raise Permanent(f"{self.name} has {len(found)} products with the SKU {sku}, not one")
        return found[0]


class WooSource(ShopSource):
    """Cursors are times of change. See ``ports.Source``. ``secret`` is the one that its webhooks are signed with."""

    def __init__(self, http: Http, shop: WooShop, *, since: date, secret: str = "") -> None:
        self.name = http.name
        self._http = http
        self._shop = shop
        self._since = datetime(since.year, since.month, since.day, tzinfo=UTC)
        self._secret = secret

    async def read(self, stream: str, cursor: str, *, now: datetime) -> Page:
        if stream == ORDERS:
            return await next_page(stream, cursor, self._orders)
        return await next_page_of_all(stream, cursor, self._products, now=now, every=_ALL_AGAIN)

    def greets(self, request: Webhook) -> bool:
        return bool(self._secret) and is_woocommerce_ping(request)

    def verify_webhook(self, request: Webhook) -> tuple[Record, ...]:
        """An order is in its call as it is when it is read. Any other call is a bell: what changed is read then."""
        if not self._secret:
            raise NotFound(f"{self.name} has no secret to check calls with")
        check_woocommerce(request, self._secret)
        return _told_in(request.body)

    def order_of(self, raw: bytes) -> ToldOrder | None:
        return told_order(raw)

    def items_of(self, raw: bytes) -> tuple[ToldItem, ...]:
        return told_items(raw)

    async def _orders(self, after: datetime | None, rest: str) -> Batch:
        found, then = await self._changed("/orders", max(after or self._since, self._since), rest)
        return Batch([Changed(str(one["id"]), _at(one), _raw(one)) for one in found], then)

    async def _products(self, after: datetime | None, rest: str) -> Batch:
        found, then = await self._changed("/products", after, rest)
        return Batch([Changed(str(one["id"]), _at(one), _raw(await self._listing(one))) for one in found], then)

    async def _listing(self, product: dict[str, Any]) -> dict[str, Any]:
        listing = {"currency": await self._shop.currency(), "product": product, "variations": []}
        if product.get("type") != "variable":
            return listing
        pages = self._http.pages(f"/products/{product['id']}/variations?per_page=100", following=_next_number)
        return {**listing, "variations": [one async for page in pages for one in page.parse(list[dict[str, Any]])]}

    async def _changed(self, path: str, after: datetime | None, rest: str) -> tuple[list[dict[str, Any]], str]:
        """One page, and where the next one begins."""
        start, number = time_and_number(rest, _plain(after))
        query = {"orderby": "modified", "order": "asc", "per_page": str(_PER_PAGE), "page": str(number), "dates_are_gmt": "true"}
        reply = await self._http.get(path, params={**query, **({"modified_after": start} if start else {})})
        stubs, found = reply.parse(list[_Stub]), reply.parse(list[dict[str, Any]])
        if number >= _pages(reply) or not stubs:
            return found, ""
        return found, rest_by_time(start, number, _plain(_at(found[-1]) - timedelta(seconds=1)))


def _told_in(body: bytes) -> tuple[Record, ...]:
    """By what it is, since only the body is signed. Named as what is read is: the same order in the same words is no news."""
    try:
        order = _CalledOrder.model_validate_json(body)
        at = moment(order.date_modified_gmt)
    except (ValidationError, InvalidInput):
        return ()
    return (Record(stream=ORDERS, external_id=Changed(str(order.id), at, body).external_id, raw=body),) if at else ()


def _order_diff(action: OrderAction, woo: WooOrder) -> Diff:
    if woo.state is None:
        raise Permanent(f"order {woo.id} is {woo.status}: it is not paid, or no order")
    if isinstance(action, ReinstateOrder) and (woo.status != "cancelled" or action.status not in NAMES):
        raise Permanent(f"order {woo.id} is {woo.status} and cannot become {action.status} again")
    order = order_of(woo).model_copy(update={"as_of": None})
    return order_diff(action, order, digest(order)[:16])


def _counted(product: WooProduct, sku: str) -> int:
    if product.manage_stock is not True or product.stock_quantity is None:
        raise NotCounted(f"the shop does not count {sku} itself", hint="turn on its stock management there")
    return product.stock_quantity


def _woo_address(address: Address) -> dict[str, str]:
    """A company or a state that was there before goes: they belonged to another place."""
    first, _, last = address.name.partition(" ")
    street = {"address_1": address.line1, "address_2": address.line2, "company": "", "state": ""}
    place = {"city": address.city, "postcode": address.postcode, "country": address.country}
    return {"first_name": first, "last_name": last.strip(), **street, **place}


def _pages(reply: Reply) -> int:
    told = reply.headers.get("x-wp-totalpages", "")
    if not told.isdecimal():
        raise Permanent(f"{reply.system} does not say how many pages there are", hint="a proxy may strip X-WP-TotalPages")
    return int(told)


def _next_number(reply: Reply) -> str | None:
    return None if _pages(reply) <= 1 else _too_many(reply)


def _too_many(reply: Reply) -> str:
    raise Permanent(f"{reply.system} has a product with more than 100 variations", hint="it is not read")


def _at(one: Mapping[str, Any]) -> datetime:
    found = moment(str(one["date_modified_gmt"]))
    return found or datetime.fromtimestamp(0, UTC)


def _plain(at: datetime | None) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S") if at else ""


def _raw(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _open(opening: Opening) -> Opened:
    given = opening.settings
    auth = httpx.BasicAuth(opening.secret("consumer_key"), opening.secret("consumer_secret"))
    http = Http(f"{given['url']}/wp-json/wc/v3", name=opening.name, auth=auth, explain=lambda body: str(body["code"]))
    shop = WooShop(http)
    return Opened(
        check=shop.check,
        connectors=dict.fromkeys((Capability.SHOP, Capability.PAYMENTS), ShopConnector(shop, attempts=opening.attempts)),
        source=WooSource(http, shop, since=date.fromisoformat(given["since"]), secret=opening.secret("webhook_secret").strip()),
        close=http.close,
    )


KIND = Kind(
    name="woocommerce",
    title="a WooCommerce shop: reads orders, products and stock; refunds, cancels, readdresses, sets stock",
    settings=(
        Setting(name="url", ask="The shop's address, such as https://shop.example", check=web_address),
        Setting(name="consumer_key", ask="The consumer key (WooCommerce > Settings > Advanced > REST API)", secret=True),
        Setting(name="consumer_secret", ask="Its consumer secret, with read/write permission", secret=True),
        Setting(
            name="webhook_secret",
            ask="The secret of its webhooks (WooCommerce > Settings > Advanced > Webhooks; one for all of them); empty without any",
            secret=True,
            default="",
        ),
        Setting(name="since", ask="Read orders from this day on: year, today or a date", default="year", check=since_day),
    ),
    open=_open,
    called=True,
    reads=READS,
    does={
        Capability.SHOP: "cancels and readdresses orders, sets stock",
        Capability.PAYMENTS: "refunds through the payment's provider",
    },
)
