"""Lists to look through, in memory."""

import json
from datetime import date, timedelta
from typing import Any, TypeVar

from domain.catalogue import KIND_OF
from domain.entities import Product, Stock
from domain.model import Value
from memory.fakes.store import Store
from memory.listings import PACE_DAYS, Listing, StockLine
from memory.state import as_fields

E = TypeVar("E", bound=Value)
_WORDS = ("title", "subject", "sender", "email", "supplier_id", "keyword", "intent")


class InMemoryListings:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def find(self, entity: type[E], *, text: str = "", limit: int, offset: int = 0, **equals: str) -> Listing[E]:
        wanted = as_fields(entity, equals).items()
        last = {event.stream: event.seq for event in self._store.events}
        found = [
            (stream, body)
            for stream, body in self._bodies(KIND_OF[entity])
            if all(body[name] == value for name, value in wanted) and _has(stream, body, text)
        ]
        found.sort(key=lambda row: (-last[row[0]], row[0]))
        rows = [entity.model_validate(body) for _, body in found[offset : offset + limit]]
        return Listing(rows=rows, total=len(found))

    async def stock(self, *, now: date, text: str = "", low: bool = False, limit: int, offset: int = 0) -> Listing[StockLine]:
        until = max((day for _, day in self._store.sales if day < now), default=now)
        lines = [
            StockLine(product=Product.model_validate(body), stock=self._stock(body["sku"]), sold=self._sold(body["sku"], until))
            for stream, body in self._bodies("product")
            if body["active"] and _has(stream, body, text)
        ]
        found = sorted((line for line in lines if not low or _is_low(line)), key=_urgency)
        return Listing(rows=found[offset : offset + limit], total=len(found))

    def _stock(self, sku: str) -> Stock:
        state = self._store.states.get(f"stock/{sku}")
        return Stock.model_validate(state.body) if state else Stock(sku=sku)

    def _sold(self, sku: str, until: date) -> int:
        since = until - timedelta(days=PACE_DAYS)
        rows = ((day, row) for (s, day), row in self._store.sales.items() if s == sku and since < day <= until)
        return sum(max(row.units - max(row.returned, 0), 0) for _, row in rows)

    def _bodies(self, kind: str) -> list[tuple[str, dict[str, Any]]]:
        return [(stream, s.body or {}) for stream, s in self._store.states.items() if stream.startswith(f"{kind}/")]


def _has(stream: str, body: dict[str, Any], text: str) -> bool:
    words = [stream.partition("/")[2], *(str(body.get(name) or "") for name in _WORDS), json.dumps(body.get("lines", ""))]
    return text.lower() in " ".join(words).lower()


def _free(line: StockLine) -> int:
    return line.stock.on_hand - line.stock.reserved


def _is_low(line: StockLine) -> bool:
    return line.stock.below_reorder_point or _free(line) <= 0


def _urgency(line: StockLine) -> tuple[bool, bool, float, str]:
    here = line.stock.here - line.stock.reserved
    return not line.stock.below_reorder_point, line.sold == 0, here / line.sold if line.sold else 0.0, line.product.sku
