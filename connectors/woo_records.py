"""WooCommerce's orders and products as its REST API v3 gives them, and what they are here. Pure.

Fields: https://developer.woocommerce.com/docs/apis/rest-api/v3/orders/, .../products/ and .../product-variations/.
"""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from pydantic import BaseModel, ValidationError

from connectors import shop_reading
from connectors.shop_effects import mark_in, unmarked
from connectors.shop_reading import ToldItem, ToldOrder, moment
from domain.entities import Address, Customer, Order, OrderLine, OrderStatus, Refund
from domain.errors import DomainError, InvalidInput
from domain.money import Money

_STATUS = {
    "processing": OrderStatus.PAID,
    "completed": OrderStatus.SHIPPED,
    "cancelled": OrderStatus.CANCELLED,
    "refunded": OrderStatus.CANCELLED,
}
_NO_SALE = {"pending", "on-hold", "failed", "checkout-draft", "auto-draft", "trash"}
NAMES: dict[OrderStatus, str] = {OrderStatus.PAID: "processing", OrderStatus.CANCELLED: "cancelled"}
"""What a status that can be set from here is called there."""


class WooAddress(BaseModel):
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    address_1: str = ""
    address_2: str = ""
    city: str = ""
    postcode: str = ""
    country: str = ""
    email: str = ""

    @property
    def name(self) -> str:
        return " ".join(f"{self.first_name} {self.last_name}".split())

    @property
    def given(self) -> bool:
        return bool(self.address_1 or self.city)


class WooLine(BaseModel):
    product_id: int = 0
    variation_id: int = 0
    name: str = ""
    quantity: int
    sku: str | None = ""
    total: str


class WooRefund(BaseModel):
    id: int
    reason: str | None = ""
    total: str


class WooOrder(BaseModel):
    id: int
    status: str
    currency: str
    date_created_gmt: str
    date_modified_gmt: str
    date_paid_gmt: str | None = None
    date_completed_gmt: str | None = None
    total: str
    customer_id: int = 0
    billing: WooAddress
    shipping: WooAddress
    line_items: list[WooLine]
    refunds: list[WooRefund] = []

    @property
    def state(self) -> OrderStatus | None:
        """None where it is no sale. A status of the shop's own counts as paid once there is a payment."""
        return _STATUS.get(self.status) or (OrderStatus.PAID if self.date_paid_gmt and self.status not in _NO_SALE else None)


class WooImage(BaseModel):
    """One without a number only stands where there is none."""

    id: int = 0
    src: str | None = ""
    alt: str | None = ""


class WooProduct(BaseModel):
    """A product, whose first image is its main one, or one of its variations, which has one. ``type`` is missing for those."""

    id: int
    parent_id: int = 0
    name: str = ""
    sku: str | None = ""
    type: str = "simple"
    status: str = "publish"
    description: str = ""
    short_description: str = ""
    price: str | None = ""
    categories: list[dict[str, Any]] = []
    attributes: list[dict[str, Any]] = []
    images: list[WooImage] = []
    image: WooImage | None = None
    manage_stock: bool | str = False  # "parent": its stock is the parent's
    stock_quantity: int | None = None
    date_modified_gmt: str

    @property
    def key(self) -> str:
        return self.sku or f"id-{self.id}"

    @property
    def main_image(self) -> WooImage:
        return next((image for image in (self.image, *self.images) if image and image.id), WooImage())


class WooListing(BaseModel):
    """A record of the stream of products: a product with its variations, and the shop's currency."""

    currency: str
    product: WooProduct
    variations: list[WooProduct] = []


def told_order(raw: bytes) -> ToldOrder | None:
    """None where it is not paid. Raises InvalidInput."""
    try:
        woo = WooOrder.model_validate_json(raw)
        return _told(woo) if woo.state else None
    except (ValidationError, InvalidOperation, DomainError) as error:
        raise InvalidInput(f"an order does not read: {_first(error)}") from None


def _told(woo: WooOrder) -> ToldOrder:
    sold = woo.state is not OrderStatus.CANCELLED or bool(woo.date_paid_gmt)
    return ToldOrder(order=order_of(woo), customer=_customer(woo), sold=sold)


def order_of(woo: WooOrder) -> Order:
    """The order of a sale, with the time of its last change."""
    assert woo.state is not None
    return Order(
        order_id=str(woo.id),
        customer_id=_customer_id(woo),
        email=woo.billing.email,
        lines=tuple(_line(line, woo.currency) for line in woo.line_items),
        total=_money(woo.total, woo.currency),
        status=woo.state,
        placed_at=_time(woo.date_created_gmt),
        shipped_at=moment(woo.date_completed_gmt),
        ship_to=address_of(woo),
        refunds=tuple(_refund(refund, woo) for refund in sorted(woo.refunds, key=lambda r: r.id)),
        as_of=_time(woo.date_modified_gmt),
    )


def address_of(woo: WooOrder) -> Address:
    place = woo.shipping if woo.shipping.given else woo.billing
    name = place.name or woo.billing.name or place.company
    return shop_reading.address(name, place.address_1, place.address_2, place.postcode, place.city, place.country)


def told_items(raw: bytes) -> tuple[ToldItem, ...]:
    """A variable product is sold as its variations. Raises InvalidInput."""
    try:
        listing = WooListing.model_validate_json(raw)
        if listing.product.type == "variable":
            return tuple(_item(v, listing.product, listing.currency) for v in listing.variations if v.price)
        return (_item(listing.product, listing.product, listing.currency),) if listing.product.price else ()
    except (ValidationError, InvalidOperation, DomainError) as error:
        raise InvalidInput(f"a product does not read: {_first(error)}") from None


def _item(sold: WooProduct, of: WooProduct, currency: str) -> ToldItem:
    options = " / ".join(str(a.get("option", "")) for a in sold.attributes) if sold is not of else ""
    managed = of if sold.manage_stock == "parent" else sold
    title = f"{of.name} ({options})" if options else of.name
    image = sold.main_image if sold.main_image.id else of.main_image
    return ToldItem(
        sku=sold.key,
        title=title,
        price=_money(sold.price or "", currency),
        as_of=max(_time(sold.date_modified_gmt), _time(of.date_modified_gmt)),
        description=sold.description or of.description or of.short_description,
        category=str(of.categories[0].get("name", "")) if of.categories else "",
        active=sold.status == "publish" and of.status == "publish",
        on_hand=managed.stock_quantity if managed.manage_stock is True else None,
        picture=shop_reading.picture(image.src, image.alt, title),
    )


def _line(line: WooLine, currency: str) -> OrderLine:
    each = Money(amount=(Decimal(line.total) / max(line.quantity, 1)).quantize(Decimal("0.0001")), currency=currency)
    sku = line.sku or f"id-{line.variation_id or line.product_id}"
    return OrderLine(sku=sku, title=line.name or sku, units=line.quantity, unit_price=each)


def _refund(refund: WooRefund, woo: WooOrder) -> Refund:
    """Its own time is not told with the order; the order changed when it was made, or later."""
    reason = refund.reason or ""
    amount = _money(refund.total.removeprefix("-"), woo.currency)
    at = _time(woo.date_modified_gmt)
    return Refund(refund_id=mark_in(reason) or str(refund.id), amount=amount, reason=unmarked(reason), at=at)


def _customer(woo: WooOrder) -> Customer:
    place = woo.billing
    lives = shop_reading.address(place.name, place.address_1, place.address_2, place.postcode, place.city, place.country)
    return Customer(
        customer_id=_customer_id(woo),
        name=place.name or place.email or _customer_id(woo),
        email=place.email,
        address=lives if place.given else None,
    )


def _customer_id(woo: WooOrder) -> str:
    """Guests have no number: they are their addresses."""
    return str(woo.customer_id) if woo.customer_id else woo.billing.email or f"guest-{woo.id}"


def _money(text: str, currency: str) -> Money:
    return Money(amount=Decimal(text), currency=currency)


def _time(text: str) -> datetime:
    found = moment(text)
    if found is None:
        raise InvalidInput("a time is missing")
    return found.astimezone(UTC)


def _first(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return ".".join(map(str, error.errors(include_input=False)[0]["loc"])) or "it is no JSON"
    return type(error).__name__
