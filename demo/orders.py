"""The demo shop's order book: the orders today's mails are about, and a month and a half of others."""

import random
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta

from demo.data import load
from domain.catalogue import fold
from domain.entities import Customer, Order, OrderLine, Product, Refund
from domain.event import EventData, NewEvent, new_event
from domain.events import OrderCancelled, OrderDelivered, OrderPlaced, OrderRefunded, OrderShipped
from domain.model import Value
from domain.money import Money

_FIRST_DRAWN, _LAST_DRAWN = 10355, 10400
_OLDEST_DAYS = 45
_PACKED_AFTER_DAYS = 2
_DELIVERED_AFTER_DAYS = 6
_ANYBODY_BEFORE_DAYS = 20  # younger drawn orders go to customers who did not write today, so that "my order" stays clear
_CANCELLED = {10362, 10381}
_REFUNDED = {10358, 10374}


class OrderRow(Value):
    """One order of the book. Ages are days before the demo's day; ``promised`` may lie ahead (negative)."""

    order_id: str
    customer_id: str
    lines: dict[str, int]
    placed: int
    promised: int
    shipped: int | None = None
    delivered: int | None = None
    cancelled: int | None = None
    refunded: int | None = None
    carrier: str = ""
    tracking: str = ""


def order_events(today: date, products: dict[str, Product], customers: dict[str, Customer], seed: int = 7) -> list[NewEvent]:
    """What happened to every order before ``today``, in the order of their numbers."""
    told = [OrderRow.model_validate(row) for row in load("orders")]
    drawn = _drawn(list(products), list(customers), {row.customer_id for row in told}, seed)
    return [
        new_event(data, at=at, key=(data.stream, f"{at:%Y-%m-%dT%H}"), source="shop", actor="shop")
        for row in (*drawn, *told)
        for at, data in _history(row, today, products, customers)
    ]


def order_book(events: Iterable[NewEvent]) -> list[Order]:
    """The orders as the outside shop system holds them, folded from ``events`` (others are passed over)."""
    orders: dict[str, Order] = {}
    for event in events:
        if event.data.entity is Order:
            orders[event.data.stream] = fold(orders.get(event.data.stream), event.data)
    return list(orders.values())


def _history(
    row: OrderRow, today: date, products: dict[str, Product], customers: dict[str, Customer]
) -> Iterator[tuple[datetime, EventData]]:
    order = _placed(row, today, products, customers[row.customer_id])
    yield order.placed_at, OrderPlaced(order=order)
    if row.shipped is not None:
        at = _moment(today, row.shipped, hour=15)
        yield at, OrderShipped(order_id=row.order_id, at=at, carrier=row.carrier, tracking=row.tracking)
    if row.delivered is not None:
        at = _moment(today, row.delivered, hour=17)
        yield at, OrderDelivered(order_id=row.order_id, at=at)
    if row.cancelled is not None:
        yield _moment(today, row.cancelled, hour=18), OrderCancelled(order_id=row.order_id, reason="the customer asked for it")
    if row.refunded is not None:
        at = _moment(today, row.refunded, hour=19)
        refund = Refund(refund_id=f"r-{row.order_id}", amount=order.lines[0].unit_price, reason="one piece was chipped", at=at)
        yield at, OrderRefunded(order_id=row.order_id, refund=refund)


def _placed(row: OrderRow, today: date, products: dict[str, Product], customer: Customer) -> Order:
    assert customer.address is not None, f"{customer.customer_id} has no address"
    lines = tuple(
        OrderLine(sku=sku, title=products[sku].title, units=n, unit_price=products[sku].price) for sku, n in row.lines.items()
    )
    return Order(
        order_id=row.order_id,
        customer_id=customer.customer_id,
        email=customer.email,
        lines=lines,
        total=sum((line.unit_price * line.units for line in lines), Money.zero()).rounded(),
        placed_at=_moment(today, row.placed, hour=9),
        promised_by=_moment(today, row.promised, hour=18),
        ship_to=customer.address,
    )


def _drawn(skus: list[str], customer_ids: list[str], writing: set[str], seed: int) -> Iterator[OrderRow]:
    draw = random.Random(f"orders/{seed}")  # noqa: S311 - a reproducible demo, not a secret
    quiet = [c for c in customer_ids if c not in writing]
    for number in range(_FIRST_DRAWN, _LAST_DRAWN + 1):
        age = round(_OLDEST_DAYS - (number - _FIRST_DRAWN) * (_OLDEST_DAYS - 1) / (_LAST_DRAWN - _FIRST_DRAWN))
        lines = {sku: draw.choice((1, 1, 1, 2)) for sku in draw.sample(skus, draw.choice((1, 1, 2, 3)))}
        who = draw.choice(customer_ids if age > _ANYBODY_BEFORE_DAYS else quiet)
        row = OrderRow(order_id=str(number), customer_id=who, lines=lines, placed=age, promised=age - _DELIVERED_AFTER_DAYS - 1)
        yield row.model_copy(update=_fate(number, age))


def _fate(number: int, age: int) -> dict[str, int | str]:
    """What became of a drawn order: cancelled, still here, on its way, or delivered; for two of them also a refund."""
    if number in _CANCELLED:
        return {"cancelled": age - 1}
    fate: dict[str, int | str] = {}
    if age > _PACKED_AFTER_DAYS:
        fate |= {"shipped": age - _PACKED_AFTER_DAYS, "carrier": "DHL", "tracking": f"003404341{number}"}
    if age > _DELIVERED_AFTER_DAYS:
        fate["delivered"] = age - _DELIVERED_AFTER_DAYS
    if number in _REFUNDED:
        fate["refunded"] = age - _DELIVERED_AFTER_DAYS - 2
    return fate


def _moment(today: date, age: int, *, hour: int) -> datetime:
    return datetime.combine(today, time(hour), UTC) - timedelta(days=age)
