"""Orders of the shop's customers and what becomes of their parcels: drawn when they are placed."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from demo.simulation.chance import chance
from demo.simulation.people import customer
from demo.simulation.scenario import Scenario
from domain.entities import Customer, Order, OrderLine, Product
from domain.model import Moment, Value
from domain.money import Money

_FIRST_NUMBER = 20_000
_RETURNING = 0.25
_PROMISED_DAYS = 7
_CARRIERS = ("DHL", "PostNord", "Colissimo", "GLS")
_LINES = (1, 1, 1, 2, 2)


class Parcel(Value):
    """An order as it is placed, and when its parcel leaves and arrives unless somebody cancels it."""

    order: Order
    customer: Customer
    ships_at: Moment
    arrives_at: Moment
    carrier: str
    tracking: str


def parcels_of(day: int, products: Mapping[str, Product], *, scenario: Scenario, seed: int) -> Iterator[Parcel]:
    """The orders placed on ``day``, which may lie before the first."""
    draw = chance(seed, "orders", day)
    sold = [product for product in products.values() if product.active]
    count = sum(draw.random() < scenario.orders / 20 for _ in range(20))
    for n in range(count):
        at = scenario.midnight(day) + timedelta(hours=7, minutes=draw.randint(0, 14 * 60))
        yield _parcel((day + 400) * 20 + n, at, draw.sample(sold, draw.choice(_LINES)), scenario=scenario, seed=seed)


def _parcel(number: int, at: datetime, bought: Sequence[Product], *, scenario: Scenario, seed: int) -> Parcel:
    draw = chance(seed, "parcel", number)
    regular = draw.random() < _RETURNING
    who = customer(draw.randint(1, 60) if regular else 1_000 + number, seed=seed)
    assert who.address is not None
    lines = tuple(OrderLine(sku=p.sku, title=p.title, units=1, unit_price=p.price) for p in bought)
    ships = at + timedelta(hours=draw.uniform(20, 50))
    days = draw.uniform(2, 5) + (draw.uniform(4, 8) if draw.random() < scenario.late_parcels else 0)
    order = Order(
        order_id=str(_FIRST_NUMBER + number),
        customer_id=who.customer_id,
        email=who.email,
        lines=lines,
        total=sum((line.unit_price * line.units for line in lines), Money.zero()).rounded(),
        placed_at=at,
        promised_by=at + timedelta(days=_PROMISED_DAYS),
        ship_to=who.address,
    )
    return Parcel(
        order=order,
        customer=who,
        ships_at=ships,
        arrives_at=ships + timedelta(days=days),
        carrier=draw.choice(_CARRIERS),
        tracking=f"T{draw.randint(10**9, 10**10 - 1)}",
    )
