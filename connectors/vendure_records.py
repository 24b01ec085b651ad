"""Vendure's orders and variants as its Admin API gives them, and what they are here. Pure.

Types: https://docs.vendure.io/reference/graphql-api/admin/object-types/. Money is whole minor units; how many digits those
are the shop says, and each record carries it.
"""

from datetime import datetime
from decimal import Decimal
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from connectors import shop_reading
from connectors.shop_effects import mark_in, unmarked
from connectors.shop_reading import ToldItem, ToldOrder
from domain.entities import Address, Customer, Order, OrderLine, OrderStatus, Refund
from domain.errors import DomainError, InvalidInput
from domain.money import Money

_STATUS = {
    "PaymentAuthorized": OrderStatus.PAID,
    "PaymentSettled": OrderStatus.PAID,
    "PartiallyShipped": OrderStatus.PAID,
    "Shipped": OrderStatus.SHIPPED,
    "PartiallyDelivered": OrderStatus.SHIPPED,
    "Delivered": OrderStatus.DELIVERED,
    "Cancelled": OrderStatus.CANCELLED,
}
_PAID = {"Settled", "Authorized"}
ORDER, VARIANT = ("order_fields", "address_fields"), ("variant_fields",)
"""The fragments of the documents that ask for them."""


class Wire(BaseModel):
    """Names are snake case here and camel case there."""

    model_config = ConfigDict(alias_generator=to_camel)


class Person(Wire):
    id: str
    first_name: str = ""
    last_name: str = ""
    email_address: str = ""


class Place(Wire):
    full_name: str | None = ""
    street_line1: str | None = ""
    street_line2: str | None = ""
    postal_code: str | None = ""
    city: str | None = ""
    country_code: str | None = ""

    def address(self) -> Address:
        parts = (self.full_name, self.street_line1, self.street_line2, self.postal_code, self.city, self.country_code)
        return shop_reading.address(*(part or "" for part in parts))


class Article(Wire):
    sku: str
    name: str = ""


class Line(Wire):
    order_placed_quantity: int
    discounted_unit_price_with_tax: int
    product_variant: Article


class Returned(Wire):
    id: str
    created_at: AwareDatetime
    state: str
    total: int
    reason: str | None = ""


class Payment(Wire):
    id: str
    state: str
    amount: int
    refunds: list[Returned] = []

    @property
    def left(self) -> int:
        """What can still go back to it."""
        return self.amount - sum(refund.total for refund in self.refunds if refund.state != "Failed")


class Parcel(Wire):
    created_at: AwareDatetime
    updated_at: AwareDatetime
    state: str
    method: str = ""
    tracking_code: str | None = ""


class VendureOrder(Wire):
    id: str
    code: str
    state: str
    created_at: AwareDatetime
    updated_at: AwareDatetime
    order_placed_at: AwareDatetime | None = None
    currency_code: str
    total_with_tax: int
    customer: Person | None = None
    shipping_address: Place | None = None
    billing_address: Place | None = None
    lines: list[Line]
    payments: list[Payment] | None = None
    fulfillments: list[Parcel] | None = None

    @property
    def status(self) -> OrderStatus | None:
        """None where it is no sale: a cart, a draft, or one that is being modified."""
        return _STATUS.get(self.state)

    @property
    def paid(self) -> list[Payment]:
        return [payment for payment in self.payments or () if payment.state in _PAID]

    @property
    def refunds(self) -> list[Returned]:
        found = [refund for payment in self.payments or () for refund in payment.refunds if refund.state != "Failed"]
        return sorted(found, key=lambda refund: (refund.created_at, refund.id))

    @property
    def placed_at(self) -> datetime:
        return self.order_placed_at or self.created_at

    @property
    def changed_at(self) -> datetime:
        """The latest of what is told; the order itself has no new time of change when it is sent or refunded."""
        parcels = [parcel.updated_at for parcel in self.fulfillments or ()]
        return max([self.updated_at, *parcels, *(refund.created_at for refund in self.refunds)])

    @property
    def begun(self) -> bool:
        """Part of it is on its way or packed."""
        return self.state == "PartiallyShipped" or any(parcel.state != "Cancelled" for parcel in self.fulfillments or ())

    @property
    def ship_to(self) -> Address:
        given = [place for place in (self.shipping_address, self.billing_address) if place and place.street_line1]
        return (given[0] if given else Place(full_name=self.buyer)).address()

    @property
    def buyer(self) -> str:
        return f"{self.customer.first_name} {self.customer.last_name}".strip() if self.customer else ""

    def order(self, digits: int) -> Order:
        """The order of a sale. Its total is what was paid: Vendure takes what is cancelled off its own total."""
        assert self.status is not None
        total = sum(payment.amount for payment in self.paid) or self.total_with_tax
        sent = [parcel for parcel in self.fulfillments or () if parcel.state in {"Shipped", "Delivered"}]
        last = max(sent, key=lambda parcel: parcel.updated_at) if sent else None
        return Order(
            order_id=self.code,
            customer_id=self.customer.id if self.customer else f"guest-{self.code}",
            email=self.customer.email_address if self.customer else "",
            lines=tuple(self._line(line, digits) for line in self.lines if line.order_placed_quantity > 0),
            total=money(total, digits, self.currency_code),
            status=self.status,
            placed_at=self.placed_at,
            shipped_at=last.created_at if last and self.status is not OrderStatus.CANCELLED else None,
            delivered_at=last.updated_at if last and self.status is OrderStatus.DELIVERED else None,
            carrier=last.method if last else "",
            tracking=(last.tracking_code or "") if last else "",
            ship_to=self.ship_to,
            refunds=tuple(self._refund(refund, digits) for refund in self.refunds),
            as_of=self.changed_at,
        )

    def _line(self, line: Line, digits: int) -> OrderLine:
        price = money(line.discounted_unit_price_with_tax, digits, self.currency_code)
        article = line.product_variant
        return OrderLine(sku=article.sku, title=article.name or article.sku, units=line.order_placed_quantity, unit_price=price)

    def _refund(self, refund: Returned, digits: int) -> Refund:
        reason = refund.reason or ""
        amount = money(refund.total, digits, self.currency_code)
        return Refund(refund_id=mark_in(reason) or refund.id, amount=amount, reason=unmarked(reason), at=refund.created_at)


class Asset(Wire):
    preview: str = ""


class Listed(Wire):
    name: str
    description: str = ""
    enabled: bool
    featured_asset: Asset | None = None


class Level(Wire):
    stock_on_hand: int
    stock_allocated: int
    stock_location_id: str


class Variant(Wire):
    id: str
    sku: str
    name: str
    enabled: bool
    updated_at: AwareDatetime
    currency_code: str
    price_with_tax: int
    track_inventory: Literal["TRUE", "FALSE", "INHERIT"]
    product: Listed
    featured_asset: Asset | None = None
    stock_levels: list[Level] = []

    def counted(self, *, by_default: bool) -> bool:
        return self.track_inventory == "TRUE" or (self.track_inventory == "INHERIT" and by_default)

    @property
    def on_hand(self) -> int:
        """What can be sold: what is there less what is promised."""
        return sum(level.stock_on_hand - level.stock_allocated for level in self.stock_levels)

    @property
    def image(self) -> Asset:
        """Its own, or its product's."""
        return self.featured_asset or self.product.featured_asset or Asset()


class OrderRecord(BaseModel):
    """A record of the stream of orders."""

    digits: int
    order: VendureOrder


class VariantRecord(BaseModel):
    """A record of the stream of products. ``counts`` is what the shop does where a variant does not say."""

    digits: int
    counts: bool
    variant: Variant


def told_order(raw: bytes) -> ToldOrder | None:
    """None where it is no sale. Raises InvalidInput."""
    try:
        record = OrderRecord.model_validate_json(raw)
        read = record.order
        if read.status is None:
            return None
        order = read.order(record.digits)
        return ToldOrder(order=order, customer=_customer(read, order), sold=read.order_placed_at is not None)
    except (ValidationError, DomainError, ArithmeticError) as error:
        raise InvalidInput(f"an order does not read: {_first(error)}") from None


def told_items(raw: bytes) -> tuple[ToldItem, ...]:
    """Raises InvalidInput."""
    try:
        record = VariantRecord.model_validate_json(raw)
        variant = record.variant
        item = ToldItem(
            sku=variant.sku,
            title=variant.name,
            price=money(variant.price_with_tax, record.digits, variant.currency_code),
            as_of=variant.updated_at,
            description=variant.product.description,
            active=variant.enabled and variant.product.enabled,
            on_hand=variant.on_hand if variant.counted(by_default=record.counts) else None,
            picture=shop_reading.picture(variant.image.preview, None, variant.name),
        )
    except (ValidationError, DomainError, ArithmeticError) as error:
        raise InvalidInput(f"a product does not read: {_first(error)}") from None
    return (item,)


def money(minor: int, digits: int, currency: str) -> Money:
    return Money(amount=Decimal(minor).scaleb(-digits), currency=currency)


def _customer(read: VendureOrder, order: Order) -> Customer:
    return Customer(
        customer_id=order.customer_id,
        name=read.buyer or order.email or order.customer_id,
        email=order.email,
        address=order.ship_to if read.shipping_address or read.billing_address else None,
    )


def _first(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return ".".join(map(str, error.errors(include_input=False)[0]["loc"])) or "it is no JSON"
    return type(error).__name__
