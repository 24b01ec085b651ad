"""What a connected shop says of its orders, its products and its stock, as canonical events. Pure but for looking at the state.

The shop is right about its orders and its stock; what it does not know (a product's cost, its supplier, pack sizes) stays as
it is known here. An order that is new becomes its customer, the order, and a sale a line; one that is known becomes what
happened to it since. A word that is older than the last one means nothing.
"""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from connectors.importers.catalog import CatalogOptions
from connectors.importers.report import ImportReport
from connectors.reading import ReadingSource
from domain.connections import Delivery, Reading
from domain.entities import Address, Customer, Order, OrderStatus, Picture, Product, Refund, Stock, Supplier
from domain.errors import InvalidInput
from domain.event import EventData, NewEvent, new_event
from domain.events import (
    AddressChanged,
    CustomerListed,
    OrderCancelled,
    OrderDelivered,
    OrderPlaced,
    OrderRefunded,
    OrderReinstated,
    OrderShipped,
    ProductListed,
    SaleRecorded,
    StockCounted,
    SupplierListed,
)
from domain.ids import digest, slugify
from domain.money import Money
from domain.ports import State

ORDERS, PRODUCTS = "orders", "products"
READS = {
    ORDERS: "paid orders with their customers and sales, and what happens to them: sent, cancelled, refunded, another address",
    PRODUCTS: "products with their prices, and how many can be sold",
}
_ASSUMED = CatalogOptions()


@dataclass(frozen=True)
class ToldOrder:
    """An order as the shop has it. ``order.as_of`` is when it changed there; ``sold`` says that it was paid or sent once."""

    order: Order
    customer: Customer
    sold: bool = True


@dataclass(frozen=True)
class ToldItem:
    """Something that is sold. ``on_hand`` is None where the shop does not count it, ``picture`` where it shows none."""

    sku: str
    title: str
    price: Money
    as_of: datetime
    description: str = ""
    category: str = ""
    active: bool = True
    on_hand: int | None = None
    picture: Picture | None = None


class ShopSource(ReadingSource):
    """The streams ``orders`` and ``products`` of a shop. A subclass reads, and understands single records."""

    streams: tuple[str, ...] = (ORDERS, PRODUCTS)

    @abstractmethod
    def order_of(self, raw: bytes) -> ToldOrder | None:
        """None for what is no sale (yet). Raises InvalidInput."""

    @abstractmethod
    def items_of(self, raw: bytes) -> Sequence[ToldItem]:
        """A product may be sold as several. Raises InvalidInput."""

    def normalise(self, stream: str, raw: bytes, *, at: datetime) -> ImportReport:
        if stream == PRODUCTS:
            return ImportReport(stream, 1, tuple(e for item in self.items_of(raw) for e in item_events(item, None, None)))
        told = self.order_of(raw)
        return ImportReport(stream, 1, tuple(order_events(told, None)) if told else ())

    async def understand(self, delivery: Delivery, *, stream: str, state: State) -> Reading:
        if stream == PRODUCTS:
            return await self._items(self.items_of(delivery.raw), state)
        told = self.order_of(delivery.raw)
        known = await state.get(Order, told.order.order_id) if told else None
        if told is None or (known is None and not told.sold):
            return Reading(note="not paid, so no sale")
        return Reading(events=tuple(order_events(told, known)), note=_kept_as_placed(told.order, known))

    async def _items(self, items: Sequence[ToldItem], state: State) -> Reading:
        events: list[NewEvent] = []
        for item in items:
            known, stock = await state.get(Product, item.sku), await state.get(Stock, item.sku)
            if known is None and await state.get(Supplier, _supplier().supplier_id) is None:
                events.append(new_event(SupplierListed(supplier=_supplier()), at=item.as_of, key=(digest(_supplier()),)))
            events += item_events(item, known, stock)
        return Reading(events=tuple(events))


def order_events(told: ToldOrder, known: Order | None) -> Iterator[NewEvent]:
    """What is new in ``told``, given the order as it is known."""
    order = told.order
    version = order.as_of.isoformat() if order.as_of else digest(order)
    if known is None:
        for data in _placed(told) if told.sold else ():
            yield new_event(data, at=order.placed_at, key=(data.stream, order.order_id, version))
    elif not _is_older(order.as_of, known.as_of):
        for number, data in enumerate(_happened(order, known)):
            yield new_event(data, at=order.as_of or order.placed_at, key=(order.order_id, version, str(number)))


def item_events(item: ToldItem, known: Product | None, stock: Stock | None) -> Iterator[NewEvent]:
    """What is new in ``item``, given the product and its stock as they are known.

    The shop's first word on a number is new even where the number is not: from then on its own figure is what counts.
    """
    if stock is not None and _is_older(item.as_of, stock.as_of):
        return
    product = _product(item, known)
    if product != known:
        yield _stated(ProductListed(product=product), item, known)
    if item.on_hand is not None and (stock is None or stock.as_of is None or stock.on_hand != item.on_hand):
        counted = StockCounted(sku=item.sku, on_hand=item.on_hand, supplier_id=product.supplier_id, as_of=item.as_of)
        yield _stated(counted, item, stock)


def _placed(told: ToldOrder) -> Iterator[EventData]:
    yield CustomerListed(customer=told.customer)
    yield OrderPlaced(order=told.order)
    if told.order.status is OrderStatus.CANCELLED:
        return
    sold: dict[str, tuple[int, Decimal]] = {}
    for line in told.order.lines:
        units, revenue = sold.get(line.sku, (0, Decimal(0)))
        sold[line.sku] = (units + line.units, revenue + (line.unit_price * line.units).amount)
    day = told.order.placed_at.date()
    for sku, (units, revenue) in sold.items():
        yield SaleRecorded(sku=sku, units=units, day=day, revenue=revenue, order_id=told.order.order_id, moves_stock=False)


def _happened(order: Order, known: Order) -> Iterator[EventData]:
    about: dict[str, Any] = {"order_id": order.order_id, "as_of": order.as_of}
    if order.status is not known.status:
        yield _moved(order, about)
    if order.ship_to != known.ship_to:
        yield AddressChanged(address=order.ship_to, **about)
    for refund in _new_refunds(order.refunds, known.refunds):
        yield OrderRefunded(refund=refund, **about)


def _moved(order: Order, about: Mapping[str, Any]) -> EventData:
    match order.status:
        case OrderStatus.SHIPPED:
            sent = {"at": order.shipped_at or order.as_of, "carrier": order.carrier, "tracking": order.tracking}
            return OrderShipped.model_validate({**about, **sent})
        case OrderStatus.DELIVERED:
            return OrderDelivered.model_validate({**about, "at": order.delivered_at or order.as_of})
        case OrderStatus.CANCELLED:
            return OrderCancelled.model_validate({**about, "reason": "cancelled in the shop"})
        case OrderStatus.PAID:
            return OrderReinstated.model_validate(about)


def _new_refunds(told: Sequence[Refund], known: Sequence[Refund]) -> Iterator[Refund]:
    """By their ids. One that the operator vouched for is known by another name, so it is recognised by its amount."""
    ids = {refund.refund_id for refund in told}
    vouched = [refund.amount for refund in known if refund.refund_id not in ids]
    for refund in told:
        if refund.refund_id in {known_one.refund_id for known_one in known}:
            continue
        if refund.amount in vouched:
            vouched.remove(refund.amount)
            continue
        yield refund


def _kept_as_placed(order: Order, known: Order | None) -> str:
    differs = known is not None and (order.lines, order.total) != (known.lines, known.total)
    return "its lines or its total changed in the shop; they are kept as they were placed" if differs else ""


def _product(item: ToldItem, known: Product | None) -> Product:
    says = {"title": item.title, "description": item.description, "category": item.category, "price": item.price}
    if known is not None:
        return known.model_copy(update={**says, "active": item.active, "picture": item.picture})
    share = (item.price.amount * _ASSUMED.cost_ratio).quantize(Decimal("0.0001"))
    cost = Money(amount=share, currency=item.price.currency)
    ours = {"sku": item.sku, "unit_cost": cost, "supplier_id": _supplier().supplier_id}
    return Product.model_validate({**says, **ours, "active": item.active, "picture": item.picture})


def _supplier() -> Supplier:
    """Whoever supplies what nobody has said a supplier of."""
    return Supplier(supplier_id=slugify(_ASSUMED.supplier), name=_ASSUMED.supplier, email=_ASSUMED.supplier_email)


def _stated(data: EventData, item: ToldItem, before: object) -> NewEvent:
    """An id of its own for going back to an earlier value."""
    return new_event(data, at=item.as_of, key=(data.stream, digest(data), digest(before)))


def _is_older(told: datetime | None, known: datetime | None) -> bool:
    return told is not None and known is not None and told < known


def moment(text: str | None) -> datetime | None:
    """An ISO time with or without a zone (then UTC); None for nothing. Raises InvalidInput."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"{text[:40]!r} is no time") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def picture(url: str | None, alt: str | None, title: str) -> Picture | None:
    """None for what no page could show, such as one without https: no reason to refuse the product."""
    try:
        return Picture(url=url or "", alt=(alt or "").strip()[:200] or title[:200])
    except ValidationError:
        return None


def address(name: str, line1: str = "", line2: str = "", postcode: str = "", city: str = "", country: str = "") -> Address:
    """What is not given is said to be so: an order of something that is not sent has no address, and is an order all the same."""
    land = country.strip().upper()
    return Address(
        name=name.strip()[:200] or _NOT_GIVEN,
        line1=line1.strip()[:200] or _NOT_GIVEN,
        line2=line2.strip(),
        postcode=postcode.strip(),
        city=city.strip()[:200] or _NOT_GIVEN,
        country=land if len(land) == 2 and land.isascii() and land.isalpha() else "ZZ",
    )


_NOT_GIVEN = "(not given)"
