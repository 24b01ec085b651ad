"""A shop of one customer, one paid order and one ticket: enough to act on."""

from datetime import UTC, datetime
from typing import Any

from domain.actions import Action, CancelOrder, RefundOrder, SendReply
from domain.decisions import Planned, Why
from domain.entities import Address, Customer, Direction, Message, Order, OrderLine, OrderStatus, Shop
from domain.event import EventData
from domain.events import CustomerListed, MessageReceived, OrderPlaced, ShopDescribed
from domain.money import Money

PLACED = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOME = Address(name="Ada Berg", line1="Elm Road 3", postcode="10115", city="Berlin", country="DE")
TICKET = "mail/one@example.org"


def order(order_id: str = "1001", **given: Any) -> Order:
    line = OrderLine(sku="MUG", title="Mug", units=2, unit_price=Money.of(10))
    values = {
        "order_id": order_id,
        "customer_id": "ada",
        "email": "ada@example.org",
        "lines": (line,),
        "total": Money.of(20),
        "status": OrderStatus.PAID,
        "placed_at": PLACED,
        "ship_to": HOME,
    }
    return Order(**{**values, **given})


def business(*orders: Order) -> list[EventData]:
    message = Message(
        message_id="one@example.org",
        direction=Direction.INBOUND,
        sender="ada@example.org",
        at=PLACED,
        body="Please cancel my order 1001.",
    )
    return [
        ShopDescribed(shop=Shop(name="Clay", email="hello@clay.example", site_url="https://clay.example", signature="Kim, Clay")),
        CustomerListed(customer=Customer(customer_id="ada", name="Ada Berg", email="ada@example.org")),
        *(OrderPlaced(order=o) for o in orders),
        MessageReceived(ticket_id=TICKET, source="mail", subject="Order 1001", message=message),
    ]


def planned(action: Action, step: str = "one", **why: Any) -> Planned:
    return Planned(step=step, action=action, why=Why(**{"reason": "the customer asked", "facts": {"ticket": TICKET}, **why}))


def cancel(order_id: str = "1001", step: str = "cancel") -> Planned:
    return planned(CancelOrder(order_id=order_id, reason="customer asked"), step)


def refund(amount: int = 10, order_id: str = "1001", step: str = "refund") -> Planned:
    return planned(RefundOrder(order_id=order_id, amount=Money.of(amount), reason="damaged"), step)


def reply(body: str) -> Planned:
    words = {"ticket_id": TICKET, "message_id": "re-one@clay.example", "to": "ada@example.org", "sender": "hello@clay.example"}
    return planned(SendReply(**words, subject="Re: Order 1001", body=body, in_reply_to="one@example.org"), "reply")
