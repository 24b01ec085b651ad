"""The demo shop as events: its catalogue, suppliers, customers, stock, history, orders, policies and modes."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from demo.data import load
from demo.demand import sales_days
from demo.orders import order_events
from domain.decisions import Mode
from domain.entities import Address, Customer, Product, PurchaseOrder, PurchaseOrderLine, Shop, Supplier
from domain.event import EventData, NewEvent, new_event
from domain.events import (
    CustomerListed,
    ProductListed,
    PurchaseOrderSent,
    SalesImported,
    ShopDescribed,
    StockCounted,
    StockOrdered,
    SupplierListed,
)
from domain.money import Money
from domain.policies import PolicyActivated, PolicyVersion
from domain.runs import ModeSet

SOURCE = "demo"
OPERATOR = "operator"
_OPENED_DAYS_AGO = 200


def shop_events(today: date, seed: int = 7) -> list[NewEvent]:
    """Everything Steward knows on the morning of ``today``. The same arguments give the same ids and amounts."""
    morning = datetime.combine(today, time(), UTC)
    opened = morning - timedelta(days=_OPENED_DAYS_AGO)
    products = catalogue()
    dated = [
        *((opened, data) for data in (*_people(), *(ProductListed(product=p) for p in products.values()))),
        *((morning, data) for data in _stock(products, today, seed)),
        *_incoming(products, morning),
        *((morning, data) for data in _rules(morning)),
    ]
    events = [_event(data, at, str(n)) for n, (at, data) in enumerate(dated)]
    return [*events, *order_events(today, products, customers(), seed)]


def catalogue() -> dict[str, Product]:
    """The products by SKU."""
    plain = ({k: v for k, v in row.items() if k not in {"demand", "on_hand"}} for row in load("products"))
    listed = (
        Product.model_validate({**row, "price": _money(row["price"]), "unit_cost": _money(row["unit_cost"])}) for row in plain
    )
    return {product.sku: product for product in listed}


def customers() -> dict[str, Customer]:
    """The customers by id."""
    found = {}
    for row in load("customers"):
        address = Address.model_validate({k: row[k] for k in ("name", "line1", "postcode", "city", "country")})
        who = {k: row[k] for k in ("customer_id", "name", "email", "locale")}
        found[row["customer_id"]] = Customer(**who, address=address)
    return found


def _people() -> Iterator[EventData]:
    shop = load("shop")
    yield ShopDescribed(shop=Shop.model_validate(shop["shop"]))
    for row in shop["suppliers"]:
        yield SupplierListed(supplier=Supplier.model_validate({**row, "minimum_order": _money(row["minimum_order"])}))
    yield from (CustomerListed(customer=customer) for customer in customers().values())


def _stock(products: dict[str, Product], today: date, seed: int) -> Iterator[EventData]:
    for row in load("products"):
        product, demand = products[row["sku"]], row["demand"]
        days = sales_days(sku=product.sku, **demand, price=product.price.amount, today=today, seed=seed)
        yield SalesImported(sku=product.sku, days=days)
        yield StockCounted(sku=product.sku, on_hand=row["on_hand"], supplier_id=product.supplier_id)


def _incoming(products: dict[str, Product], morning: datetime) -> Iterator[tuple[datetime, EventData]]:
    """Purchase orders that are already on their way, each with the units it promises."""
    for row in load("shop")["purchase_orders"]:
        ordered = morning - timedelta(days=row["ordered"])
        lines = tuple(
            PurchaseOrderLine(sku=sku, title=products[sku].title, units=units, unit_cost=products[sku].unit_cost)
            for sku, units in row["lines"].items()
        )
        order = PurchaseOrder(
            purchase_order_id=row["purchase_order_id"],
            supplier_id=row["supplier_id"],
            lines=lines,
            ordered_at=ordered,
            expected_at=morning - timedelta(days=row["expected"]),
        )
        yield ordered, PurchaseOrderSent(purchase_order=order)
        for line in lines:
            yield ordered, StockOrdered(sku=line.sku, units=line.units, purchase_order_id=order.purchase_order_id)


def _rules(morning: datetime) -> Iterator[EventData]:
    """The owner's policies, and every workflow in auto mode so that the gate decides."""
    shop = load("shop")
    for name, document in shop["policies"].items():
        version = PolicyVersion(
            version=1, document=document, proposed_by=OPERATOR, approved_by=OPERATOR, at=morning, why="how this shop is run"
        )
        yield PolicyActivated(name=name, version=version)
    yield from (ModeSet(scope=scope, mode=Mode(mode), by=OPERATOR) for scope, mode in shop["modes"].items())


def _event(data: EventData, at: datetime, key: str) -> NewEvent:
    return new_event(data, at=at, key=(SOURCE, f"{at:%Y-%m-%d}", data.stream, key), source=SOURCE, actor=OPERATOR)


def _money(amount: Any) -> Money:
    return Money.of(Decimal(str(amount)))
