"""Vendure over its Admin GraphQL API: orders, variants and stock are read; see ``vendure_shop`` for what changes.

API: https://docs.vendure.io/reference/graphql-api/admin/
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from connectors.changes import Batch, Changed, next_page_of_all, rest_by_time, time_and_number
from connectors.graphql import Answer
from connectors.http import Http
from connectors.kinds import Kind, Opened, Opening, Setting
from connectors.shop_effects import ShopConnector
from connectors.shop_reading import ORDERS, READS, ShopSource, ToldItem, ToldOrder
from connectors.shop_settings import since_day, web_address
from connectors.vendure_api import VendureGraph
from connectors.vendure_records import ORDER, VARIANT, Variant, VendureOrder, told_items, told_order
from connectors.vendure_shop import VendureShop
from domain.actions import Capability
from domain.connections import Page

_AGAIN = timedelta(minutes=10)  # what is sent, refunded or readdressed has no new time of change there, nor has a stock
_RECENT = timedelta(days=60)  # orders that are read again


class VendureSource(ShopSource):
    """Orders are read as they are placed, variants as they change, and all of the last time again every ten minutes: a time of
    change is not told of most changes. See ``ports.Source``.
    """

    def __init__(self, graph: VendureGraph, *, since: datetime, per_page: int = 50) -> None:
        self.name = graph.name
        self._graph = graph
        self._since = since
        self._per_page = per_page

    async def read(self, stream: str, cursor: str, *, now: datetime) -> Page:
        async def orders(after: datetime | None, rest: str) -> Batch:
            return await self._orders(max(after or self._first(cursor, now), self._since), rest)

        fetch = orders if stream == ORDERS else self._variants
        return await next_page_of_all(stream, cursor, fetch, now=now, every=_AGAIN)

    def order_of(self, raw: bytes) -> ToldOrder | None:
        return told_order(raw)

    def items_of(self, raw: bytes) -> tuple[ToldItem, ...]:
        return told_items(raw)

    def _first(self, cursor: str, now: datetime) -> datetime:
        """Where a pass begins that is not the first: orders of long ago do not change any more."""
        return max(self._since, now - _RECENT) if cursor else self._since

    async def _orders(self, after: datetime | None, rest: str) -> Batch:
        digits = (await self._graph.settings()).digits
        answer, start, number = await self._page("orders", "orderPlacedAt", after, rest, ORDER)
        read, found = answer.read("orders.items", list[VendureOrder]), answer.read("orders.items", list[dict[str, Any]])
        items = [_record(one.id, one.placed_at, {"digits": digits, "order": raw}) for one, raw in zip(read, found, strict=True)]
        return Batch(items, self._rest(items, start, number, answer.read("orders.totalItems", int)))

    async def _variants(self, after: datetime | None, rest: str) -> Batch:
        settings = await self._graph.settings()
        common = {"digits": settings.digits, "counts": settings.counts}
        answer, start, number = await self._page("variants", "updatedAt", after, rest, VARIANT)
        read = answer.read("productVariants.items", list[Variant])
        found = answer.read("productVariants.items", list[dict[str, Any]])
        items = [_record(one.id, one.updated_at, {**common, "variant": raw}) for one, raw in zip(read, found, strict=True)]
        return Batch(items, self._rest(items, start, number, answer.read("productVariants.totalItems", int)))

    async def _page(
        self, document: str, by: str, after: datetime | None, rest: str, fragments: tuple[str, ...]
    ) -> tuple[Answer, str, int]:
        """One page in the order of the time ``by``, from which moment it is, and its number from there."""
        start, number = time_and_number(rest, _iso(after or datetime.fromtimestamp(0, UTC)))
        place = {"take": self._per_page, "skip": (number - 1) * self._per_page, "sort": {by: "ASC"}}
        options = {**place, "filter": {by: {"after": start}}}
        return await self._graph.ask(document, {"options": options}, fragments=fragments), start, number

    def _rest(self, items: Sequence[Changed], start: str, number: int, total: int) -> str:
        if number * self._per_page >= total or not items:
            return ""
        return rest_by_time(start, number, _iso(items[-1].at - timedelta(milliseconds=1)))


def _record(key: str, at: datetime, whole: Mapping[str, Any]) -> Changed:
    raw = json.dumps(whole, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    return Changed(key, at, raw)


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _open(opening: Opening) -> Opened:
    given, day = opening.settings, date.fromisoformat(opening.settings["since"])
    http = Http(given["url"], name=opening.name)
    graph = VendureGraph(http, path=given["path"], username=given["username"], password=opening.secret("password"))
    shop = VendureShop(graph)
    return Opened(
        check=shop.check,
        connectors=dict.fromkeys((Capability.SHOP, Capability.PAYMENTS), ShopConnector(shop, attempts=opening.attempts)),
        source=VendureSource(graph, since=datetime(day.year, day.month, day.day, tzinfo=UTC)),
        close=http.close,
    )


KIND = Kind(
    name="vendure",
    title="a Vendure shop: reads orders, products and stock; refunds, cancels, readdresses, sets stock",
    settings=(
        Setting(name="url", ask="The server's address, such as https://api.shop.example", check=web_address),
        Setting(name="path", ask="The path of the Admin API", default="/admin-api"),
        Setting(name="username", ask="An administrator's name; empty where you have an API key", default=""),
        Setting(name="password", ask="The administrator's password, or the API key", secret=True),
        Setting(name="since", ask="Read orders from this day on: year, today or a date", default="year", check=since_day),
    ),
    open=_open,
    reads=READS,
    does={
        Capability.SHOP: "cancels and readdresses orders, sets stock where it lies at one place",
        Capability.PAYMENTS: "refunds to the payment",
    },
)
