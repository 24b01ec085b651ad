"""The canonical state: what a one-person company consists of. Each entity is a fold of its own event stream."""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints

from domain.model import Moment, Name, Text, Value
from domain.money import Currency, Money

LOOPBACK = frozenset(("localhost", "127.0.0.1", "::1"))
"""Names of this very machine."""
Units = Annotated[int, Field(ge=0, le=10_000_000)]


class Address(Value):
    name: Name
    line1: Name
    line2: str = ""
    postcode: str = ""
    city: Name
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$", description="ISO 3166-1 alpha-2")]

    def __str__(self) -> str:
        return ", ".join(p for p in (self.name, self.line1, self.line2, f"{self.postcode} {self.city}".strip(), self.country) if p)


def _web_picture(url: str) -> str:
    """https, or http on this very machine, where nothing crosses a network. Raises ValueError."""
    parts = urlsplit(url)
    secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    plain = url.startswith(f"{parts.scheme}://") and url.isprintable() and " " not in url
    if not (secure and plain and parts.hostname and "@" not in parts.netloc and parts.port != 0):
        raise ValueError("is not the https address of a picture, without a name or password in it")
    return url


class Picture(Value):
    """Where a picture is fetched, and what it shows in words, for those who do not see it."""

    url: Annotated[str, StringConstraints(max_length=2_000), AfterValidator(_web_picture)]
    alt: Name


class Product(Value):
    sku: Name
    title: Name
    description: Text = ""
    category: str = ""
    price: Money
    unit_cost: Money
    supplier_id: Name
    moq: Annotated[int, Field(ge=1)] = 1
    pack_size: Annotated[int, Field(ge=1)] = 1
    attributes: dict[str, str] = Field(default_factory=dict)
    active: bool = True
    picture: Picture | None = Field(default=None, exclude_if=lambda picture: picture is None)


class Supplier(Value):
    supplier_id: Name
    name: Name
    email: str
    lead_time_days: Annotated[float, Field(gt=0, le=365)] = 7.0
    lead_time_sd_days: Annotated[float, Field(ge=0, le=180)] = 1.0
    minimum_order: Money | None = None


class Unlisted(Value):
    """Units that came with a purchase order, are here, and are not in the connected shop's figure yet."""

    purchase_order_id: Name
    units: Annotated[int, Field(ge=1)]


class Stock(Value):
    """Levels of one SKU, in units.

    Where a connected shop counts its own stock, ``on_hand`` is its figure, and ``unlisted`` is what it has yet to be told of,
    in the order in which it came. Replenishment sets ``reorder_point``; a change that takes ``position`` to it or under it is a
    crossing.
    """

    sku: Name
    supplier_id: str = ""
    on_hand: int = 0
    reserved: Units = 0
    on_order: Units = 0
    reorder_point: Units | None = None
    as_of: Moment | None = None  # the time at which a connected shop said how many there are, by its own clock
    unlisted: tuple[Unlisted, ...] = Field(default=(), exclude_if=lambda units: not units)

    @property
    def not_on_sale(self) -> int:
        """Units that are here and that the connected shop was not told of."""
        return sum(came.units for came in self.unlisted)

    @property
    def here(self) -> int:
        """Units in the house, on sale or not yet."""
        return self.on_hand + self.not_on_sale

    @property
    def position(self) -> int:
        """Inventory position: what is here and promised to us, less what is promised to others."""
        return self.here - self.reserved + self.on_order

    @property
    def below_reorder_point(self) -> bool:
        return self.reorder_point is not None and self.position <= self.reorder_point


class Customer(Value):
    customer_id: Name
    name: Name
    email: str
    locale: str = "en"
    address: Address | None = None


class OrderStatus(StrEnum):
    PAID = "paid"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


class OrderLine(Value):
    sku: Name
    title: Name
    units: Annotated[int, Field(ge=1)]
    unit_price: Money


class Refund(Value):
    refund_id: str
    amount: Money
    reason: str
    at: Moment


class Order(Value):
    """``payment_reference`` is what the payment system calls its payment, where one took it."""

    order_id: Name
    customer_id: Name
    email: str
    lines: tuple[OrderLine, ...]
    total: Money
    status: OrderStatus = OrderStatus.PAID
    placed_at: Moment
    shipped_at: Moment | None = None
    delivered_at: Moment | None = None
    promised_by: Moment | None = None
    carrier: str = ""
    tracking: str = ""
    ship_to: Address
    refunds: tuple[Refund, ...] = ()
    as_of: Moment | None = None  # the last change that a connected shop told us of, by its own clock
    payment_reference: str = Field(default="", max_length=200, exclude_if=lambda reference: not reference)

    @property
    def refunded(self) -> Money:
        return sum((r.amount for r in self.refunds), Money.zero(self.total.currency))

    @property
    def refundable(self) -> Money:
        return self.total - self.refunded


class Direction(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"


class Message(Value):
    message_id: Name
    direction: Direction
    sender: str
    at: Moment
    body: Text
    in_reply_to: str = ""


class TicketStatus(StrEnum):
    OPEN = "open"
    WAITING_CUSTOMER = "waiting-customer"
    WITH_OPERATOR = "with-operator"
    CLOSED = "closed"


class Ticket(Value):
    """A conversation. ``sender`` is the envelope's address and the only claim about identity that counts."""

    ticket_id: Name
    source: Name
    sender: str
    subject: str = ""
    messages: tuple[Message, ...] = ()
    status: TicketStatus = TicketStatus.OPEN
    customer_id: str | None = None
    order_id: str | None = None
    intent: str | None = None
    urgency: str | None = None
    language: str | None = None
    labels: tuple[str, ...] = ()
    corrected_by: str = ""  # who set the intent, where a person did: then it is an example to learn from
    reopened: int = 0

    @property
    def last_inbound(self) -> Message | None:
        return next((m for m in reversed(self.messages) if m.direction is Direction.INBOUND), None)

    @property
    def unanswered(self) -> tuple[Message, ...]:
        """What came after the message that our latest reply answers.

        A mail that arrives while a reply to an earlier one is on its way stands before that reply, and is unanswered.
        """
        replies = (place for place, m in enumerate(self.messages) if m.direction is Direction.OUTBOUND)
        answered = max((self._answered_by(place) for place in replies), default=-1)
        return tuple(m for m in self.messages[answered + 1 :] if m.direction is Direction.INBOUND)

    def _answered_by(self, place: int) -> int:
        """The place of the message that the reply at ``place`` answers: the one it names, else all before it."""
        named = self.messages[place].in_reply_to.strip("<> ")
        inbound = (i for i, m in enumerate(self.messages[:place]) if m.direction is Direction.INBOUND)
        return max((i for i in inbound if named and self.messages[i].message_id.strip("<> ") == named), default=place)


class PurchaseOrderStatus(StrEnum):
    SENT = "sent"
    LATE = "late"
    RECEIVED = "received"
    CANCELLED = "cancelled"


class PurchaseOrderLine(Value):
    sku: Name
    title: str
    units: Annotated[int, Field(ge=1)]
    unit_cost: Money
    why: str = ""


class PurchaseOrder(Value):
    purchase_order_id: Name
    supplier_id: Name
    lines: Annotated[tuple[PurchaseOrderLine, ...], Field(min_length=1)]
    status: PurchaseOrderStatus = PurchaseOrderStatus.SENT
    ordered_at: Moment
    expected_at: Moment
    received_at: Moment | None = None

    @property
    def total(self) -> Money:
        return sum((line.unit_cost * line.units for line in self.lines), Money.zero(self.lines[0].unit_cost.currency)).rounded()


class ContentStatus(StrEnum):
    PUBLISHED = "published"
    UNPUBLISHED = "unpublished"


class ContentMetrics(Value):
    day: date
    impressions: Units
    clicks: Units
    seconds_on_page: Annotated[float, Field(ge=0)] = 0.0


class TitlePeriod(Value):
    """From ``since`` on a page's title came from ``template``; empty for a title that came from none."""

    template: str
    since: date


class ContentPiece(Value):
    """A page. ``facts`` maps each claim's fact reference (``product/SKU#price``) to the value it was written from.

    ``titles`` are the templates of all its revisions' titles, oldest first, so that each day's clicks go to the title shown.
    ``picture`` is the product's, as it was when the page was written.
    """

    slug: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
    kind: Annotated[str, Field(pattern=r"^(product-guide|faq|buying-guide)$")]
    title: Name
    description: Name
    body: Text
    keyword: str
    skus: tuple[str, ...] = ()
    facts: dict[str, str] = Field(default_factory=dict)
    json_ld: dict[str, object] = Field(default_factory=dict)
    language: str = "en"
    revision: Annotated[int, Field(ge=1)] = 1
    status: ContentStatus = ContentStatus.PUBLISHED
    published_at: Moment | None = None
    metrics: tuple[ContentMetrics, ...] = ()
    title_template: str = ""
    titles: tuple[TitlePeriod, ...] = ()
    picture: Picture | None = Field(default=None, exclude_if=lambda picture: picture is None)


class SalesDay(Value):
    """Units of one SKU sold on one day. ``units`` are net of nothing; ``returned`` is apart."""

    day: date
    units: Units
    orders: Units = 0
    returned: Units = 0
    revenue: Decimal = Decimal(0)


class Shop(Value):
    """Who the company is: used in signatures, content and as the reporting currency."""

    name: Name
    email: str
    currency: Currency = "EUR"
    site_url: str
    signature: str
