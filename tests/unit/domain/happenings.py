"""Events that could happen to a small shop, for property tests."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from domain.access import LoggedIn, Scope, TokenIssued
from domain.entities import Address, Direction, Message, Order, OrderLine, Product, Refund, SalesDay
from domain.errors import InvalidInput
from domain.event import EventData, FactChange, FactOp, NewEvent, new_event
from domain.events import (
    FactStated,
    ListingGivenUp,
    MessageReceived,
    OrderCancelled,
    OrderPlaced,
    OrderRefunded,
    OrderShipped,
    ProductListed,
    ReorderPointSet,
    SaleRecorded,
    SalesImported,
    StockCounted,
    StockOrdered,
    StockReceived,
    TicketClosed,
)
from domain.money import Money
from domain.passkeys import PasskeyAdded, PasskeyRemoved
from domain.runs import KillSwitchSet
from memory.folding import Folder

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
HOME = Address(name="Ada", line1="1 Road", city="Town", country="DE")
SKUS = st.sampled_from(["MUG", "LAMP"])
IDS = st.sampled_from(["1001", "1002"])
UNITS = st.integers(min_value=1, max_value=50)
AMOUNTS = st.decimals(min_value=0, max_value=999, places=2)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=30).filter(str.strip)
MOMENTS = st.integers(min_value=0, max_value=60 * 24 * 90).map(lambda minutes: NOW + timedelta(minutes=minutes))
DAYS = st.integers(min_value=0, max_value=5).map(lambda n: date(2026, 2, 1) + timedelta(days=n))


def product(sku: str = "MUG", *, price: str = "12.50", **attributes: str) -> Product:
    return Product(
        sku=sku, title=f"The {sku}", price=Money.of(price), unit_cost=Money.of("4"), supplier_id="acme", attributes=attributes
    )


def order(order_id: str = "1001", *, total: str = "40") -> Order:
    line = OrderLine(sku="MUG", title="The MUG", units=2, unit_price=Money.of("20"))
    return Order(
        order_id=order_id,
        customer_id="c1",
        email="ada@example.com",
        lines=(line,),
        total=Money.of(total),
        placed_at=NOW,
        ship_to=HOME,
    )


def message(message_id: str, body: str) -> Message:
    return Message(message_id=message_id, direction=Direction.INBOUND, sender="ada@example.com", at=NOW, body=body)


def sale(number: int, sku: str = "MUG", units: int = 1) -> NewEvent:
    """The ``number``-th sale; the same number is the same sale."""
    return new_event(SaleRecorded(sku=sku, units=units, day=NOW.date(), revenue=Decimal("12.50")), at=NOW, key=(str(number),))


def stated(subject: str, predicate: str, object_: str, *, start: datetime = NOW, **more: Any) -> FactStated:
    return FactStated(fact=FactChange(subject=subject, predicate=predicate, object=object_, valid_from=start, **more))


def _refund(amount: Decimal, number: int) -> Refund:
    return Refund(refund_id=f"r{number}", amount=Money(amount=amount), reason="late", at=NOW)


def _days(rows: Sequence[tuple[date, int]]) -> tuple[SalesDay, ...]:
    return tuple(SalesDay(day=day, units=units) for day, units in dict(rows).items())


PURCHASES = st.sampled_from(["po1", "po2"])

STOCK = st.one_of(
    st.builds(StockCounted, sku=SKUS, on_hand=st.integers(-5, 100), supplier_id=st.just("acme")),
    st.builds(StockCounted, sku=SKUS, on_hand=st.integers(-5, 100), as_of=MOMENTS),
    st.builds(StockCounted, sku=SKUS, on_hand=st.integers(0, 100), lists=PURCHASES),
    st.builds(SaleRecorded, sku=SKUS, units=UNITS, day=DAYS, revenue=AMOUNTS),
    st.builds(ReorderPointSet, sku=SKUS, reorder_point=st.integers(0, 40), supplier_id=st.just("acme")),
    st.builds(StockOrdered, sku=SKUS, units=st.integers(-20, 50), purchase_order_id=st.just("po1")),
    st.builds(StockReceived, sku=SKUS, units=UNITS),
    st.builds(StockReceived, sku=SKUS, units=UNITS, purchase_order_id=PURCHASES, on_sale=st.booleans()),
    st.builds(ListingGivenUp, sku=SKUS, purchase_order_id=PURCHASES, why=st.just("rejected")),
    st.builds(SalesImported, sku=SKUS, days=st.lists(st.tuples(DAYS, UNITS), max_size=4).map(_days)),
)

STATEMENTS = st.builds(
    lambda predicate, object_, start, length, op, functional: FactStated(
        fact=FactChange(
            subject="product/MUG",
            predicate=predicate,
            object=object_,
            valid_from=start,
            valid_to=start + timedelta(days=length) if length else None,
            op=op,
            functional=functional,
        )
    ),
    st.sampled_from(["price", "colour"]),
    st.sampled_from(["red", "blue", "9"]),
    MOMENTS,
    st.sampled_from([0, 0, 1, 30]),
    st.sampled_from(FactOp),
    st.booleans(),
)

HAPPENINGS: st.SearchStrategy[EventData] = st.one_of(
    STOCK,
    STATEMENTS,
    st.builds(ProductListed, product=st.builds(product, SKUS, price=AMOUNTS.map(str), colour=TEXTS)),
    st.builds(OrderPlaced, order=st.builds(order, IDS)),
    st.builds(OrderShipped, order_id=IDS, at=MOMENTS, tracking=TEXTS),
    st.builds(OrderCancelled, order_id=IDS, reason=TEXTS),
    st.builds(OrderRefunded, order_id=IDS, refund=st.builds(_refund, AMOUNTS, UNITS)),
    st.builds(MessageReceived, ticket_id=IDS, source=st.just("mail"), message=st.builds(message, IDS, TEXTS)),
    st.builds(TicketClosed, ticket_id=IDS, reason=TEXTS),
    st.builds(KillSwitchSet, by=st.just("operator"), on=st.booleans(), reason=TEXTS),
    st.builds(LoggedIn, network=st.just("this machine"), refused=st.integers(0, 9), at=MOMENTS),
    st.builds(TokenIssued, name=IDS, scopes=st.just((Scope.READ,)), at=MOMENTS),
    st.builds(PasskeyAdded, name=IDS, rp_id=st.just("localhost"), at=MOMENTS),
    st.builds(PasskeyRemoved, name=IDS, at=MOMENTS),
)


def possible(happenings: Iterable[EventData]) -> list[EventData]:
    """Those that can happen in this order: an order ships only after it was placed."""
    folder, kept = Folder({}), []
    for data in happenings:
        try:
            folder.fold(data)
        except InvalidInput:
            continue
        kept.append(data)
    return kept


STORIES = st.lists(HAPPENINGS, min_size=1, max_size=25).map(possible)


def as_events(happenings: Sequence[EventData], *, prefix: str = "story") -> list[NewEvent]:
    return [new_event(data, at=NOW + timedelta(minutes=n), key=(prefix, str(n))) for n, data in enumerate(happenings)]
