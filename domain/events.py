"""What can happen to the business. Each event carries its own fold; read it as a table of contents."""

from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from domain.entities import (
    Address,
    ContentMetrics,
    ContentPiece,
    ContentStatus,
    Customer,
    Direction,
    Message,
    Order,
    OrderStatus,
    Product,
    PurchaseOrder,
    PurchaseOrderStatus,
    Refund,
    SalesDay,
    Shop,
    Stock,
    Supplier,
    Ticket,
    TicketStatus,
    TitlePeriod,
    Unlisted,
)
from domain.event import EventData, FactChange, SalesRow, Topic, Wake, existing
from domain.model import Moment, Name, Text, Value
from domain.passage import Passage

# --- the shop, its catalogue and its people ---------------------------------------------------------------------


class ShopDescribed(EventData):
    type = "shop.described"
    entity = Shop
    shop: Shop

    @property
    def stream(self) -> str:
        return "shop/self"

    def fold(self, state: Shop | None) -> Shop:
        return self.shop


class ProductListed(EventData):
    """A product appears or is described anew; the whole product is carried."""

    type = "product.listed"
    entity = Product
    product: Product

    @property
    def stream(self) -> str:
        return f"product/{self.product.sku}"

    def fold(self, state: Product | None) -> Product:
        return self.product

    def facts(self, at: Moment) -> tuple[FactChange, ...]:
        subject = self.stream
        plain = {"title": self.product.title, "price": str(self.product.price), **self.product.attributes}
        return tuple(FactChange(subject=subject, predicate=p, object=o, valid_from=at) for p, o in plain.items() if o)

    def passages(self, at: Moment) -> tuple[Passage, ...]:
        product = self.product
        attributes = "; ".join(f"{name}: {value}" for name, value in sorted(product.attributes.items()))
        text = "\n".join(part for part in (product.title, product.description, attributes) if part)
        return (Passage(passage_id=self.stream, text=text, entities=(self.stream,), kind="product", at=at),)


class SupplierListed(EventData):
    type = "supplier.listed"
    entity = Supplier
    supplier: Supplier

    @property
    def stream(self) -> str:
        return f"supplier/{self.supplier.supplier_id}"

    def fold(self, state: Supplier | None) -> Supplier:
        return self.supplier

    def facts(self, at: Moment) -> tuple[FactChange, ...]:
        days = f"{self.supplier.lead_time_days:g}"
        return (FactChange(subject=self.stream, predicate="lead-time-days", object=days, valid_from=at),)


class CustomerListed(EventData):
    type = "customer.listed"
    entity = Customer
    customer: Customer

    @property
    def stream(self) -> str:
        return f"customer/{self.customer.customer_id}"

    def fold(self, state: Customer | None) -> Customer:
        return self.customer


# --- stock -------------------------------------------------------------------------------------------------------


class _StockEvent(EventData):
    entity = Stock
    sku: Name

    @property
    def stream(self) -> str:
        return f"stock/{self.sku}"

    def fold(self, state: Stock | None) -> Stock:
        return self.change(state or Stock(sku=self.sku))

    def change(self, stock: Stock) -> Stock:
        return stock

    def wakes(self, before: Stock | None, after: Stock) -> Wake | None:
        """The supplier's replenishment, when this event takes the position across the reorder point."""
        crossed = after.below_reorder_point and not (before is not None and before.below_reorder_point)
        return Wake(topic=Topic.REPLENISH, key=after.supplier_id) if crossed and after.supplier_id else None


class StockCounted(_StockEvent):
    """Somebody counted, or an import or a connected shop stated, what is on the shelf.

    ``lists`` is the purchase order whose units were put on sale with it. Where it names none, a rise by about what waits to be
    put on sale is taken for just that: somebody told the shop by hand. See ``explains``.
    """

    type = "stock.counted"
    on_hand: int
    supplier_id: str = ""
    as_of: Moment | None = None
    lists: str = Field(default="", exclude_if=lambda order: not order)

    def change(self, stock: Stock) -> Stock:
        supplier, as_of = self.supplier_id or stock.supplier_id, self.as_of or stock.as_of
        unlisted = _but(stock.unlisted, self.lists) if self.lists else _not_covered(stock.unlisted, self._rise(stock))
        return stock.model_copy(update={"on_hand": self.on_hand, "supplier_id": supplier, "as_of": as_of, "unlisted": unlisted})

    def _rise(self, stock: Stock) -> int:
        """In units over the last number; the first word of a connected shop is none, since it says nothing of before."""
        first = self.as_of is not None and stock.as_of is None
        return 0 if first else self.on_hand - stock.on_hand


class SaleRecorded(_StockEvent):
    type = "stock.sold"
    units: int = Field(ge=1)
    day: date
    revenue: Decimal = Decimal(0)
    order_id: str = ""
    moves_stock: bool = True  # False where the shop that sold it counts its own stock, and tells it

    def change(self, stock: Stock) -> Stock:
        return stock.model_copy(update={"on_hand": stock.on_hand - self.units}) if self.moves_stock else stock

    def sales(self) -> tuple[SalesRow, ...]:
        return (SalesRow(sku=self.sku, day=self.day, units=self.units, orders=1, revenue=self.revenue),)


class SalesImported(_StockEvent):
    """Past sales of one SKU from a file. They are history: they do not move today's stock."""

    type = "stock.sales-imported"
    days: tuple[SalesDay, ...]

    def sales(self) -> tuple[SalesRow, ...]:
        return tuple(
            SalesRow(
                sku=self.sku, day=d.day, units=d.units, orders=d.orders, returned=d.returned, revenue=d.revenue, additive=False
            )
            for d in self.days
        )


class ReorderPointSet(_StockEvent):
    type = "stock.reorder-point-set"
    reorder_point: int = Field(ge=0)
    supplier_id: Name
    why: str = ""

    def change(self, stock: Stock) -> Stock:
        return stock.model_copy(update={"reorder_point": self.reorder_point, "supplier_id": self.supplier_id})

    def wakes(self, before: Stock | None, after: Stock) -> None:
        """Nobody: the plan that sets the point orders what is under it."""
        return


class StockOrdered(_StockEvent):
    """Units promised to us by a purchase order; negative when it is cancelled."""

    type = "stock.ordered"
    units: int
    purchase_order_id: Name

    def change(self, stock: Stock) -> Stock:
        return stock.model_copy(update={"on_order": max(0, stock.on_order + self.units)})

    def wakes(self, before: Stock | None, after: Stock) -> None:
        """Nobody: an order taken back must not be placed again at once; the next plan looks at it."""
        return


class StockReceived(_StockEvent):
    type = "stock.received"
    units: int = Field(ge=1)
    purchase_order_id: str = ""
    on_sale: bool = Field(default=True, exclude_if=bool)  # False where a connected shop counts its own stock: it has to be told

    @model_validator(mode="after")
    def _waits_under_a_name(self) -> Self:
        if not (self.on_sale or self.purchase_order_id):
            raise ValueError("what is not on sale yet came with a purchase order")
        return self

    def change(self, stock: Stock) -> Stock:
        on_order = max(0, stock.on_order - self.units) if self.purchase_order_id else stock.on_order
        if self.on_sale:
            return stock.model_copy(update={"on_hand": stock.on_hand + self.units, "on_order": on_order})
        return stock.model_copy(
            update={"unlisted": _with(stock.unlisted, self.purchase_order_id, self.units), "on_order": on_order}
        )


class ListingGivenUp(_StockEvent):
    """The shop is not told of what came with a purchase order, for the reason ``why``: its own figure is all that counts then.

    Where no shop ever stated one, or it is not ``counted`` there any more, nobody but Steward counts the units, and they are here.
    """

    type = "stock.listing-given-up"
    purchase_order_id: Name
    why: str
    counted: bool = Field(default=True, exclude_if=bool)

    def change(self, stock: Stock) -> Stock:
        left = _but(stock.unlisted, self.purchase_order_id)
        given_up = stock.model_copy(update={"unlisted": left})
        if self.counted and stock.as_of is not None:
            return given_up
        return given_up.model_copy(update={"on_hand": stock.here - given_up.not_on_sale})

    def wakes(self, before: Stock | None, after: Stock) -> None:
        """Nobody: what is here must not be ordered again at once; the next plan looks at it."""
        return


def explains(rise: int, units: int) -> bool:
    """Whether a rise of a shop's figure is somebody's hand that put ``units`` on sale.

    Three quarters are enough: it goes on selling between two looks at it. Less may be no more than a returned article.
    """
    return 4 * rise >= 3 * units


def _with(unlisted: tuple[Unlisted, ...], purchase_order_id: str, units: int) -> tuple[Unlisted, ...]:
    """Two lines of one order are one delivery."""
    known = sum(came.units for came in unlisted if came.purchase_order_id == purchase_order_id)
    return (*_but(unlisted, purchase_order_id), Unlisted(purchase_order_id=purchase_order_id, units=known + units))


def _but(unlisted: tuple[Unlisted, ...], purchase_order_id: str) -> tuple[Unlisted, ...]:
    return tuple(came for came in unlisted if came.purchase_order_id != purchase_order_id)


def _not_covered(unlisted: tuple[Unlisted, ...], rise: int) -> tuple[Unlisted, ...]:
    """What a rise of the shop's figure by ``rise`` units does not explain.

    A rise by exactly one delivery is that one, the newest of its size: it may be read before its own event is recorded.
    Otherwise it is the oldest first.
    """
    exactly = [came for came in unlisted if came.units == rise]
    if exactly:
        return _but(unlisted, exactly[-1].purchase_order_id)
    left = []
    for came in unlisted:
        if explains(rise, came.units):
            rise -= came.units
        else:
            left.append(came)
    return tuple(left)


# --- orders ------------------------------------------------------------------------------------------------------


class OrderPlaced(EventData):
    type = "order.placed"
    entity = Order
    order: Order

    @property
    def stream(self) -> str:
        return f"order/{self.order.order_id}"

    def fold(self, state: Order | None) -> Order:
        return self.order


class _OrderEvent(EventData):
    entity = Order
    order_id: Name
    as_of: Moment | None = None  # where a connected shop told it: when it changed there

    @property
    def stream(self) -> str:
        return f"order/{self.order_id}"

    def fold(self, state: Order | None) -> Order:
        order: Order = existing(state, self.stream)
        return order.model_copy(update=self.change(order) | ({"as_of": self.as_of} if self.as_of else {}))

    def change(self, order: Order) -> dict[str, Any]:
        return {}


class OrderShipped(_OrderEvent):
    type = "order.shipped"
    at: Moment
    carrier: str = ""
    tracking: str = ""

    def change(self, order: Order) -> dict[str, Any]:
        return {"status": OrderStatus.SHIPPED, "shipped_at": self.at, "carrier": self.carrier, "tracking": self.tracking}


class OrderDelivered(_OrderEvent):
    type = "order.delivered"
    at: Moment

    def change(self, order: Order) -> dict[str, Any]:
        return {"status": OrderStatus.DELIVERED, "delivered_at": self.at}


class OrderCancelled(_OrderEvent):
    type = "order.cancelled"
    reason: str

    def change(self, order: Order) -> dict[str, Any]:
        return {"status": OrderStatus.CANCELLED}


class OrderReinstated(_OrderEvent):
    type = "order.reinstated"
    status: OrderStatus = OrderStatus.PAID

    def change(self, order: Order) -> dict[str, Any]:
        return {"status": self.status}


class AddressChanged(_OrderEvent):
    type = "order.address-changed"
    address: Address

    def change(self, order: Order) -> dict[str, Any]:
        return {"ship_to": self.address}


class PaymentNamed(_OrderEvent):
    """What the payment system calls the payment of an order that was known before without it."""

    type = "order.payment-named"
    payment_reference: Name

    def change(self, order: Order) -> dict[str, Any]:
        return {"payment_reference": self.payment_reference}


class OrderRefunded(_OrderEvent):
    type = "order.refunded"
    refund: Refund

    def change(self, order: Order) -> dict[str, Any]:
        return {"refunds": (*order.refunds, self.refund)}


# --- tickets -----------------------------------------------------------------------------------------------------


class MessageReceived(EventData):
    """A customer's message: opens a ticket, joins one, or reopens a closed one."""

    type = "ticket.message-received"
    entity = Ticket
    ticket_id: Name
    source: Name
    subject: str = ""
    message: Message

    @property
    def stream(self) -> str:
        return f"ticket/{self.ticket_id}"

    def fold(self, state: Ticket | None) -> Ticket:
        if state is None:
            return Ticket(
                ticket_id=self.ticket_id,
                source=self.source,
                sender=self.message.sender,
                subject=self.subject,
                messages=(self.message,),
            )
        reopened = state.reopened + (state.status is TicketStatus.CLOSED)
        return state.model_copy(
            update={"messages": (*state.messages, self.message), "status": TicketStatus.OPEN, "reopened": reopened}
        )

    def passages(self, at: Moment) -> tuple[Passage, ...]:
        return (message_passage(self.stream, self.message, subject=self.subject),)

    def wakes(self, before: Ticket | None, after: Ticket) -> Wake:
        return Wake(topic=Topic.SUPPORT, key=self.ticket_id)


class _TicketEvent(EventData):
    entity = Ticket
    ticket_id: Name

    @property
    def stream(self) -> str:
        return f"ticket/{self.ticket_id}"

    def fold(self, state: Ticket | None) -> Ticket:
        ticket: Ticket = existing(state, self.stream)
        return ticket.model_copy(update=self.change(ticket))

    def change(self, ticket: Ticket) -> dict[str, Any]:
        return {}


class TicketTriaged(_TicketEvent):
    type = "ticket.triaged"
    intent: str
    urgency: str
    language: str
    confidence: float
    engine: str
    customer_id: str | None = None
    order_id: str | None = None

    def change(self, ticket: Ticket) -> dict[str, Any]:
        seen = {"intent": self.intent, "urgency": self.urgency, "language": self.language}
        return {**seen, "customer_id": self.customer_id, "order_id": self.order_id or ticket.order_id}


class ReplySent(_TicketEvent):
    type = "ticket.reply-sent"
    message: Message

    def passages(self, at: Moment) -> tuple[Passage, ...]:
        return (message_passage(self.stream, self.message),)

    def change(self, ticket: Ticket) -> dict[str, Any]:
        after = ticket.model_copy(update={"messages": (*ticket.messages, self.message)})
        return {"messages": after.messages, "status": TicketStatus.OPEN if after.unanswered else TicketStatus.WAITING_CUSTOMER}


class TicketHandedOver(_TicketEvent):
    """The operator has it now."""

    type = "ticket.handed-over"
    reason: str

    def change(self, ticket: Ticket) -> dict[str, Any]:
        return {"status": TicketStatus.WITH_OPERATOR}


class TicketClosed(_TicketEvent):
    type = "ticket.closed"
    reason: str
    labels: tuple[str, ...] = ()

    def change(self, ticket: Ticket) -> dict[str, Any]:
        return {"status": TicketStatus.CLOSED, "labels": (*ticket.labels, *self.labels)}


class TicketRelabelled(_TicketEvent):
    """The operator corrected the intent: a label the triage model learns from."""

    type = "ticket.relabelled"
    intent: str
    by: str

    def change(self, ticket: Ticket) -> dict[str, Any]:
        return {"intent": self.intent, "corrected_by": self.by}


# --- purchase orders ---------------------------------------------------------------------------------------------


class PurchaseOrderSent(EventData):
    type = "purchase-order.sent"
    entity = PurchaseOrder
    purchase_order: PurchaseOrder

    @property
    def stream(self) -> str:
        return f"purchase-order/{self.purchase_order.purchase_order_id}"

    def fold(self, state: PurchaseOrder | None) -> PurchaseOrder:
        return self.purchase_order


class _PurchaseOrderEvent(EventData):
    entity = PurchaseOrder
    purchase_order_id: Name
    status: ClassVar[PurchaseOrderStatus]

    @property
    def stream(self) -> str:
        return f"purchase-order/{self.purchase_order_id}"

    def fold(self, state: PurchaseOrder | None) -> PurchaseOrder:
        order: PurchaseOrder = existing(state, self.stream)
        return order.model_copy(update=self.change())

    def change(self) -> dict[str, Any]:
        return {"status": self.status}


class PurchaseOrderLate(_PurchaseOrderEvent):
    type = "purchase-order.late"
    status = PurchaseOrderStatus.LATE


class PurchaseOrderCancelled(_PurchaseOrderEvent):
    type = "purchase-order.cancelled"
    status = PurchaseOrderStatus.CANCELLED
    reason: str


class PurchaseOrderReceived(_PurchaseOrderEvent):
    type = "purchase-order.received"
    status = PurchaseOrderStatus.RECEIVED
    at: Moment

    def change(self) -> dict[str, Any]:
        return {"status": self.status, "received_at": self.at}

    def wakes(self, before: PurchaseOrder | None, after: PurchaseOrder) -> Wake:
        """Whoever tells a connected shop what came in."""
        return Wake(topic=Topic.RESTOCK, key=self.purchase_order_id)


class ListingDue(_PurchaseOrderEvent):
    """What came with it and waits is to be proposed again: the shop is live by now, or the operator wants it."""

    type = "purchase-order.listing-due"

    def change(self) -> dict[str, Any]:
        return {}

    def wakes(self, before: PurchaseOrder | None, after: PurchaseOrder) -> Wake:
        return Wake(topic=Topic.RESTOCK, key=self.purchase_order_id)


# --- content -----------------------------------------------------------------------------------------------------


class ContentPublished(EventData):
    type = "content.published"
    entity = ContentPiece
    piece: ContentPiece

    @property
    def stream(self) -> str:
        return f"content/{self.piece.slug}"

    def fold(self, state: ContentPiece | None) -> ContentPiece:
        titles = state.titles if state else ()
        if at := self.piece.published_at:
            titles = (*titles, TitlePeriod(template=self.piece.title_template, since=at.date()))
        return self.piece.model_copy(update={"metrics": state.metrics if state else (), "titles": titles})

    def passages(self, at: Moment) -> tuple[Passage, ...]:
        about = (self.stream, *(f"product/{sku}" for sku in self.piece.skus))
        return (Passage(passage_id=self.stream, text=f"{self.piece.title}\n{self.piece.body}", entities=about, kind="page", at=at),)


class _ContentEvent(EventData):
    entity = ContentPiece
    slug: Name

    @property
    def stream(self) -> str:
        return f"content/{self.slug}"

    def fold(self, state: ContentPiece | None) -> ContentPiece:
        return self.change(existing(state, self.stream))

    def change(self, piece: ContentPiece) -> ContentPiece:
        return piece


class ContentUnpublished(_ContentEvent):
    type = "content.unpublished"
    reason: str = ""

    def change(self, piece: ContentPiece) -> ContentPiece:
        return piece.model_copy(update={"status": ContentStatus.UNPUBLISHED})


class ContentMeasured(_ContentEvent):
    """Analytics of one day; a later figure for the same day replaces the earlier one."""

    type = "content.measured"
    metrics: ContentMetrics

    def change(self, piece: ContentPiece) -> ContentPiece:
        kept = tuple(m for m in piece.metrics if m.day != self.metrics.day)
        return piece.model_copy(update={"metrics": tuple(sorted((*kept, self.metrics), key=lambda m: m.day))})


# --- facts -------------------------------------------------------------------------------------------------------


class FactSubject(Value):
    """The entity behind a fact stream: how many statements were made about it. The statements are in the facts table."""

    subject: Name
    statements: int = 0


class FactStated(EventData):
    """Somebody states something that no other event implies: the operator, a learned parameter, a document."""

    type = "fact.stated"
    entity = FactSubject
    fact: FactChange
    why: Text = ""

    @property
    def stream(self) -> str:
        return f"fact/{self.fact.subject}"

    def fold(self, state: FactSubject | None) -> FactSubject:
        return FactSubject(subject=self.fact.subject, statements=(state.statements if state else 0) + 1)

    def facts(self, at: Moment) -> tuple[FactChange, ...]:
        return (self.fact,)


# --- notes -------------------------------------------------------------------------------------------------------


class NoteTaken(EventData):
    """Something worth remembering that no other event says: the operator's own words."""

    type = "note.taken"
    entity = Passage
    note: Passage

    @property
    def stream(self) -> str:
        return f"note/{self.note.passage_id}"

    def fold(self, state: Passage | None) -> Passage:
        return self.note

    def passages(self, at: Moment) -> tuple[Passage, ...]:
        return (self.note,)


def message_passage(stream: str, message: Message, *, subject: str = "") -> Passage:
    text = f"{subject}\n{message.body}".strip()
    return Passage(passage_id=f"message/{message.message_id}"[:200], text=text, entities=(stream,), kind="message", at=message.at)


def outbound(message_id: str, sender: str, at: Moment, body: str, in_reply_to: str = "") -> Message:
    return Message(message_id=message_id, direction=Direction.OUTBOUND, sender=sender, at=at, body=body, in_reply_to=in_reply_to)
