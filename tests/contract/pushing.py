"""The source that anybody can push to, as a case of the contract."""

import json
from collections.abc import Mapping
from datetime import datetime
from itertools import count

import memory
from connectors.webhook import WebhookSource
from domain.entities import Order
from tests.contract import signing
from tests.contract.every_called_source import CalledCase

_NUMBERS = count(1)
ORDER = {
    "order_id": "1001",
    "email": "ada@example.org",
    "placed_at": "2026-03-01T10:00:00Z",
    "sku": "MUG",
    "units": 2,
    "unit_price": 14.5,
    "line1": "1 Mill Lane",
    "city": "Berlin",
    "country": "DE",
}


def orders(**changes: object) -> bytes:
    """A push of one order."""
    return json.dumps({"type": "orders", "timestamp": "2026-03-01T10:00:00Z", "data": [{**ORDER, **changes}]}).encode()


def _signed(body: bytes, at: datetime) -> Mapping[str, str]:
    return signing.standard(body, at=at, message_id=f"msg_{next(_NUMBERS)}")


async def _status(kept: memory.Memory) -> object:
    order = await kept.state.get(Order, "1001")
    return order and (order.status, order.shipped_at, order.delivered_at, order.tracking)


def case() -> CalledCase:
    shipped = {"status": "shipped", "shipped_at": "2026-03-02T08:00:00Z", "tracking": "T1", "carrier": "Post"}
    delivered = {**shipped, "status": "delivered", "delivered_at": "2026-03-02T09:00:00Z"}
    bodies = (orders(), orders(**shipped), orders(**delivered))
    return CalledCase(WebhookSource("case", (signing.KEY,)), _signed, bodies, _status)
