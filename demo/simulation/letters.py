"""Who writes what on a day: an intent, an order or a product it is about, and the truth behind it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from random import Random

from demo.simulation.chance import chance
from demo.simulation.mails import Written, first_mail
from demo.simulation.parcels import Parcel
from demo.simulation.people import address, customer, stranger
from demo.simulation.scenario import Scenario, ShockKind
from demo.simulation.truth import Asked, Truth
from domain.entities import Customer, OrderLine, Product
from domain.model import Moment, Value
from domain.money import Money

_WEIGHTS = {
    "where-is-my-order": 18,
    "late": 10,
    "damaged": 11,
    "return": 9,
    "refund": 6,
    "cancel": 7,
    "change-address": 5,
    "invoice": 7,
    "product-question": 9,
    "stock-question": 7,
    "complaint": 3,
    "out-of-scope": 4,
    "spam": 5,
    "hostile": 1,
}
_ASKED_OF_PRODUCTS = ("material", "dimensions", "weight", "care", "origin")
_REFUND_WINDOW_DAYS = 30


class Letter(Value):
    """A mail on its way. ``key`` names it in the whole simulation; ``who`` wrote it."""

    key: str
    at: Moment
    who: Customer
    truth: Truth
    written: Written

    @property
    def ticket_id(self) -> str:
        return f"mail/{self.key}@{self.who.email.partition('@')[2]}"


class Post:
    """Writes the first mails of conversations. An order is written about once."""

    def __init__(self, products: Mapping[str, Product], *, scenario: Scenario, seed: int) -> None:
        self._products = products
        self._scenario = scenario
        self._seed = seed
        self._written_about: set[str] = set()

    def letters(self, day: int, parcels: Sequence[Parcel]) -> list[Letter]:
        """The mails of ``day`` in the order of their arrival. ``parcels`` are all orders so far."""
        draw = chance(self._seed, "letters", day)
        count = sum(draw.random() < self._scenario.mails / 30 for _ in range(30))
        moments = sorted(self._scenario.midnight(day) + timedelta(minutes=draw.randint(7 * 60, 21 * 60)) for _ in range(count))
        found = (self._letter(f"d{day}-{n}", at, day, parcels) for n, at in enumerate(moments))
        return [letter for letter in found if letter is not None]

    def _letter(self, key: str, at: datetime, day: int, parcels: Sequence[Parcel]) -> Letter | None:
        draw = chance(self._seed, "letter", key)
        intent = self._intent(draw, day)
        about = self._order_for(intent, at, parcels, draw)
        if about is None and intent in _FITS:
            return None
        who = about.customer if about else self._somebody(intent, key, draw)
        truth = self._truth(intent, about, key, draw)
        written = first_mail(truth, who, seed=self._seed, key=key, jargon=self._scenario.jargon)
        if about:
            self._written_about.add(about.order.order_id)
        return Letter(key=key, at=at, who=who, truth=truth, written=written)

    def _intent(self, draw: Random, day: int) -> str:
        for shock in self._scenario.on(day, ShockKind.NEW_QUESTION):
            if draw.random() < shock.factor:
                return shock.name
        return draw.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]

    def _order_for(self, intent: str, at: datetime, parcels: Sequence[Parcel], draw: Random) -> Parcel | None:
        fits = _FITS.get(intent)
        if fits is None:
            return None
        fresh = [p for p in parcels if p.order.placed_at < at and p.order.order_id not in self._written_about and fits(p, at)]
        return draw.choice(fresh[-30:]) if fresh else None

    def _somebody(self, intent: str, key: str, draw: Random) -> Customer:
        if intent in ("spam", "hostile"):
            return Customer(customer_id=f"x-{key}", name="Alex Stranger", email=stranger(seed=self._seed, purpose=key))
        return customer(50_000 + draw.randint(1, 10_000), seed=self._seed)

    def _truth(self, intent: str, about: Parcel | None, key: str, draw: Random) -> Truth:
        forgets = draw.random() < self._scenario.unnumbered
        given = frozenset(asked for asked in Asked if not (forgets and asked is Asked.ORDER))
        if about is None:
            return Truth(intent=intent, given=given, **self._product(intent, draw))
        line = draw.choice(about.order.lines)
        return Truth(
            intent=intent,
            order_id=about.order.order_id,
            sku=line.sku,
            title=line.title,
            refund=_due(intent, about, line),
            cancel=intent == "cancel",
            address=address(about.customer.name, self._seed, "new", key) if intent == "change-address" else None,
            given=given,
        )

    def _product(self, intent: str, draw: Random) -> dict[str, str]:
        if intent not in ("product-question", "stock-question"):
            return {}
        told = [p for p in self._products.values() if p.active and all(a in p.attributes for a in _ASKED_OF_PRODUCTS)]
        product = draw.choice(told or list(self._products.values()))
        return {"sku": product.sku, "title": product.title}


def _due(intent: str, about: Parcel, line: OrderLine) -> Money | None:
    if intent == "damaged":
        return line.unit_price
    return about.order.total if intent == "cancel" else None


def _on_the_way(parcel: Parcel, at: datetime) -> bool:
    return parcel.order.placed_at + timedelta(hours=12) < at < parcel.arrives_at and not _overdue(parcel, at)


def _overdue(parcel: Parcel, at: datetime) -> bool:
    due = parcel.order.promised_by
    return due is not None and parcel.ships_at < at < parcel.arrives_at and at > due


def _here(parcel: Parcel, at: datetime, *, days: float) -> bool:
    return parcel.arrives_at < at < parcel.arrives_at + timedelta(days=days)


def _not_left(parcel: Parcel, at: datetime) -> bool:
    return at < parcel.ships_at - timedelta(hours=10)


_FITS = {
    "where-is-my-order": _on_the_way,
    "late": _overdue,
    "damaged": lambda parcel, at: _here(parcel, at, days=4),
    "return": lambda parcel, at: _here(parcel, at, days=_REFUND_WINDOW_DAYS + 5),
    "refund": lambda parcel, at: _here(parcel, at, days=_REFUND_WINDOW_DAYS),
    "cancel": _not_left,
    "change-address": _not_left,
    "invoice": lambda parcel, at: parcel.arrives_at < at,
    "gift-wrap": _not_left,
}
