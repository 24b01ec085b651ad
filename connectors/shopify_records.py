"""Shopify's orders and products as its Admin API gives them, and what they are here. Pure.

Objects: https://shopify.dev/docs/api/admin-graphql/2026-10/objects/Order, .../Product and .../ProductVariant.
"""

from decimal import InvalidOperation
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from connectors import shop_reading
from connectors.shop_effects import mark_in, unmarked
from connectors.shop_reading import ToldItem, ToldOrder
from domain.entities import Address, Customer, Order, OrderLine, OrderStatus, Refund
from domain.errors import DomainError, InvalidInput
from domain.money import Money

_SOLD = {"PAID", "PARTIALLY_REFUNDED", "REFUNDED", "AUTHORIZED"}


class Wire(BaseModel):
    """Names are snake case here and camel case there."""

    model_config = ConfigDict(alias_generator=to_camel)


class Amount(Wire):
    amount: str


class Price(Wire):
    """Two currencies are told; the shop's own is what counts here."""

    shop_money: Amount

    def money(self, currency: str) -> Money:
        return Money.of(self.shop_money.amount, currency)


class PageInfo(Wire):
    has_next_page: bool = False
    end_cursor: str | None = None


class Connection(Wire):
    """A part of a list, as it came."""

    nodes: list[dict[str, Any]]
    page_info: PageInfo


class Stub(Wire):
    """What everything that is read has."""

    id: str
    updated_at: AwareDatetime


class Shop(Wire):
    name: str = ""
    currency_code: str


class Place(Wire):
    name: str | None = ""
    address1: str | None = ""
    address2: str | None = ""
    zip: str | None = ""
    city: str | None = ""
    country_code_v2: str | None = ""

    def address(self) -> Address:
        parts = (self.name, self.address1, self.address2, self.zip, self.city, self.country_code_v2)
        return shop_reading.address(*(part or "" for part in parts))


class Buyer(Wire):
    legacy_resource_id: str
    display_name: str = ""
    locale: str | None = None


class Tracking(Wire):
    company: str | None = ""
    number: str | None = ""


class Sent(Wire):
    created_at: AwareDatetime
    delivered_at: AwareDatetime | None = None
    tracking_info: list[Tracking] = []


class Returned(Wire):
    legacy_resource_id: str
    created_at: AwareDatetime | None = None
    note: str | None = ""
    total_refunded_set: Price


class VariantId(Wire):
    legacy_resource_id: str


class Line(Wire):
    title: str
    variant_title: str | None = None
    sku: str | None = None
    quantity: int
    variant: VariantId | None = None
    discounted_unit_price_after_all_discounts_set: Price

    def told(self, currency: str) -> OrderLine:
        sku = self.sku or (f"id-{self.variant.legacy_resource_id}" if self.variant else self.title)
        title = f"{self.title} ({self.variant_title})" if self.variant_title else self.title
        price = self.discounted_unit_price_after_all_discounts_set.money(currency)
        return OrderLine(sku=sku[:200], title=title[:200], units=self.quantity, unit_price=price)


class Lines(Wire):
    nodes: list[Line]


class Payment(Wire):
    """A transaction of an order; only asked for where one is looked at to change it."""

    id: str
    kind: str
    status: str
    gateway: str | None = ""
    maximum_refundable_v2: Amount | None = None


class ShopifyOrder(Wire):
    id: str
    name: str
    email: str | None = ""
    created_at: AwareDatetime
    updated_at: AwareDatetime
    cancelled_at: AwareDatetime | None = None
    currency_code: str
    presentment_currency_code: str
    display_financial_status: str | None = None
    display_fulfillment_status: str
    total_price_set: Price
    customer: Buyer | None = None
    shipping_address: Place | None = None
    billing_address: Place | None = None
    fulfillments: list[Sent] = []
    refunds: list[Returned] = []
    line_items: Lines
    transactions: list[Payment] = []

    @property
    def number(self) -> str:
        """What the customer knows it by."""
        return self.name.removeprefix("#")

    @property
    def state(self) -> OrderStatus | None:
        """None where it is no sale: not paid, not sent, not cancelled."""
        if self.cancelled_at:
            return OrderStatus.CANCELLED
        if self.display_fulfillment_status == "FULFILLED":
            arrived = self.fulfillments and all(sent.delivered_at for sent in self.fulfillments)
            return OrderStatus.DELIVERED if arrived else OrderStatus.SHIPPED
        return OrderStatus.PAID if self.display_financial_status in _SOLD else None

    @property
    def begun(self) -> bool:
        """Part of it is on its way."""
        return self.display_fulfillment_status not in {"UNFULFILLED", "OPEN", "ON_HOLD", "SCHEDULED"}

    @property
    def ship_to(self) -> Address:
        return (self.shipping_address or self.billing_address or Place()).address()

    def order(self) -> Order:
        """The order of a sale, with the time of its last change."""
        assert self.state is not None
        sent = self.fulfillments[-1] if self.fulfillments and self.state is not OrderStatus.CANCELLED else None
        tracking = sent.tracking_info[0] if sent and sent.tracking_info else Tracking()
        return Order(
            order_id=self.number,
            customer_id=self.customer_id,
            email=self.email or "",
            lines=tuple(line.told(self.currency_code) for line in self.line_items.nodes if line.quantity > 0),
            total=self.total_price_set.money(self.currency_code),
            status=self.state,
            placed_at=self.created_at,
            shipped_at=sent.created_at if sent else None,
            delivered_at=sent.delivered_at if sent and self.state is OrderStatus.DELIVERED else None,
            carrier=tracking.company or "",
            tracking=tracking.number or "",
            ship_to=self.ship_to,
            refunds=tuple(_refund(refund, self) for refund in self.refunds if refund.total_refunded_set.money("EUR").amount > 0),
            as_of=self.updated_at,
        )

    @property
    def customer_id(self) -> str:
        return self.customer.legacy_resource_id if self.customer else self.email or f"guest-{self.number}"


class Inventory(Wire):
    tracked: bool


class Variant(Wire):
    legacy_resource_id: str
    title: str = ""
    sku: str | None = None
    price: str
    inventory_quantity: int | None = None
    inventory_item: Inventory


class Location(Wire):
    id: str


class Quantity(Wire):
    quantity: int


class Level(Wire):
    location: Location
    quantities: list[Quantity]


class Levels(Wire):
    nodes: list[Level]


class InventoryItem(Wire):
    id: str
    tracked: bool
    inventory_levels: Levels


class Stocked(Wire):
    """A variant with what is there of it at each location; of the locations two are enough to know that it is not one."""

    legacy_resource_id: str
    sku: str | None = None
    inventory_item: InventoryItem


class Variants(Wire):
    nodes: list[Variant]


class Image(Wire):
    url: str = ""
    alt_text: str | None = None


class Preview(Wire):
    image: Image | None = None


class Media(Wire):
    """A picture, or a video or a model with one that stands for it."""

    preview: Preview | None = None


class ShopifyProduct(Wire):
    title: str
    description: str = ""
    product_type: str = ""
    status: str
    updated_at: AwareDatetime
    featured_media: Media | None = None
    variants: Variants

    @property
    def image(self) -> Image:
        preview = self.featured_media.preview if self.featured_media else None
        return (preview.image if preview else None) or Image()


class ShopifyListing(Wire):
    """A record of the stream of products: a product with its variants, and the shop's currency."""

    currency: str
    product: ShopifyProduct


def told_order(raw: bytes) -> ToldOrder | None:
    """None where it is no sale. Raises InvalidInput."""
    try:
        read = ShopifyOrder.model_validate_json(raw)
        if read.state is None:
            return None
        sold = read.state is not OrderStatus.CANCELLED or read.display_financial_status in _SOLD
        return ToldOrder(order=read.order(), customer=_customer(read), sold=sold)
    except (ValidationError, InvalidOperation, DomainError) as error:
        raise InvalidInput(f"an order does not read: {_first(error)}") from None


def told_items(raw: bytes) -> tuple[ToldItem, ...]:
    """A product is sold as its variants. Raises InvalidInput."""
    try:
        listing = ShopifyListing.model_validate_json(raw)
        return tuple(_item(variant, listing.product, listing.currency) for variant in listing.product.variants.nodes)
    except (ValidationError, InvalidOperation, DomainError) as error:
        raise InvalidInput(f"a product does not read: {_first(error)}") from None


def _item(variant: Variant, of: ShopifyProduct, currency: str) -> ToldItem:
    named = variant.title not in {"", "Default Title"}  # the only variant of a product without options
    title = f"{of.title} ({variant.title})" if named else of.title
    return ToldItem(
        sku=variant.sku or f"id-{variant.legacy_resource_id}",
        title=title,
        price=Money.of(variant.price, currency),
        as_of=of.updated_at,
        description=of.description,
        category=of.product_type,
        active=of.status == "ACTIVE",
        on_hand=variant.inventory_quantity if variant.inventory_item.tracked else None,
        picture=shop_reading.picture(of.image.url, of.image.alt_text, title),
    )


def _refund(refund: Returned, of: ShopifyOrder) -> Refund:
    note = refund.note or ""
    return Refund(
        refund_id=mark_in(note) or refund.legacy_resource_id,
        amount=refund.total_refunded_set.money(of.currency_code),
        reason=unmarked(note),
        at=refund.created_at or of.updated_at,
    )


def _customer(read: ShopifyOrder) -> Customer:
    name = read.customer.display_name if read.customer else ""
    lives = read.billing_address or read.shipping_address
    return Customer(
        customer_id=read.customer_id,
        name=name or (lives.name if lives else "") or read.email or read.customer_id,
        email=read.email or "",
        locale=(read.customer.locale if read.customer else None) or "en",
        address=lives.address() if lives else None,
    )


def _first(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return ".".join(map(str, error.errors(include_input=False)[0]["loc"])) or "it is no JSON"
    return type(error).__name__
