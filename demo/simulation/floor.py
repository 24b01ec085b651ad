"""The shop floor: what happens to the business by itself, told to one arm's log and to its outside systems."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from connectors.fakes import InMemoryShop
from demo.shop import shop_events
from demo.simulation import market
from demo.simulation.figures import Tally
from demo.simulation.parcels import Parcel, parcels_of
from demo.simulation.scenario import Scenario
from domain.actions import Capability
from domain.catalogue import fold
from domain.decisions import Mode
from domain.entities import ContentMetrics, ContentPiece, ContentStatus, Order, OrderStatus, Product, PurchaseOrder, Stock, Supplier
from domain.event import EventData, new_event
from domain.events import (
    CustomerListed,
    OrderDelivered,
    OrderPlaced,
    OrderShipped,
    PurchaseOrderReceived,
    SaleRecorded,
    StockReceived,
)
from domain.failures import RootCause
from domain.ids import digest
from domain.knowledge import InForce
from domain.policies import POLICY_TYPES, Policy, PolicyActivated, PolicyRecord, PolicyVersion
from domain.ports import Connector
from domain.runs import ModeSet
from learning.assignment import ramp
from learning.candidates.drafting import drafted
from learning.steering import begin, propose
from memory import Memory

OPERATOR = "operator"
_WORLD = "simulation"
_WORKFLOWS = ("support", "replenish", "content")
_TRIAL, _LEVEL = timedelta(days=28), 0.1  # of a change that the scenario has tried: how long, and at which level
_EARLIER_DAYS = 14  # orders that are on their way when the first day begins


class Floor:
    """One arm's shop. What it does is the same in both arms; what comes of it is not."""

    def __init__(
        self, kept: Memory, connectors: dict[Capability, Connector], *, scenario: Scenario, seed: int, tally: Tally
    ) -> None:
        shop = connectors[Capability.SHOP]
        assert isinstance(shop, InMemoryShop)
        self._kept = kept
        self._shop = shop
        self._scenario = scenario
        self._seed = seed
        self._tally = tally
        self.products: dict[str, Product] = {}
        self.parcels: list[Parcel] = []

    async def open(self) -> None:
        """The demo shop as it is on the first morning, run by a careful newcomer: everything is asked."""
        first = self._scenario.midnight(1)
        opening = [e for e in shop_events(first.date(), self._seed) if e.data.entity is not Order]
        await self._kept.log.append(opening)
        await self.tell(first, *(ModeSet(scope=workflow, mode=Mode.ASK, by=OPERATOR) for workflow in _WORKFLOWS))
        for name, change in self._scenario.policies.items():
            await self.put_in_force(name, change, at=first, why="how these days are run")
        self.products = {p.sku: p for p in await self._kept.state.find(Product)}
        for day in range(1 - _EARLIER_DAYS, 1):
            for parcel in self._parcels(day):
                await self.place(parcel)
                for at, step in ((parcel.ships_at, self.ship), (parcel.arrives_at, self.deliver)):
                    if at < first:
                        await step(parcel)

    def todays_parcels(self, day: int) -> list[Parcel]:
        """The orders of ``day``; from then on they are known."""
        return self._parcels(day)

    async def place(self, parcel: Parcel) -> None:
        order = parcel.order
        await self.tell(order.placed_at, CustomerListed(customer=parcel.customer), OrderPlaced(order=order))
        await self._shop.put_orders([order])

    async def ship(self, parcel: Parcel) -> None:
        shipped = OrderShipped(order_id=parcel.order.order_id, at=parcel.ships_at, carrier=parcel.carrier, tracking=parcel.tracking)
        await self._move(shipped, OrderStatus.PAID, parcel.ships_at)

    async def deliver(self, parcel: Parcel) -> None:
        await self._move(
            OrderDelivered(order_id=parcel.order.order_id, at=parcel.arrives_at), OrderStatus.SHIPPED, parcel.arrives_at
        )

    async def sell(self, day: int, at: datetime) -> None:
        """The day's sales; what is not there is not sold. Then the figures of the shelves at closing time."""
        stock = {s.sku: s for s in await self._kept.state.find(Stock)}
        sold: list[EventData] = []
        wanted, out = 0, 0
        for sku, product in self.products.items():
            asked = market.demand(product, day, scenario=self._scenario, seed=self._seed)
            units = min(asked, max(stock[sku].on_hand, 0))
            wanted, out = wanted + asked, out + (units < asked)
            if units:
                sold.append(SaleRecorded(sku=sku, units=units, day=at.date(), revenue=product.price.amount * units))
        await self.tell(at, *sold)
        left = {s.sku: s.on_hand for s in await self._kept.state.find(Stock)}
        self._tally.add(day, wanted=wanted, sold=sum(s.units for s in sold if isinstance(s, SaleRecorded)), stock_outs=out)
        self._tally.add(day, holding=market.holding_cost(left, self.products))

    async def receive(self, order: PurchaseOrder, at: datetime) -> None:
        """A purchase order arrives and goes on the shelf."""
        lines = [StockReceived(sku=x.sku, units=x.units, purchase_order_id=order.purchase_order_id) for x in order.lines]
        await self.tell(at, PurchaseOrderReceived(purchase_order_id=order.purchase_order_id, at=at), *lines)

    async def arrival(self, order: PurchaseOrder) -> datetime:
        supplier = await self._kept.state.get(Supplier, order.supplier_id)
        assert supplier is not None
        return market.delivered_at(order, supplier, scenario=self._scenario, seed=self._seed)

    async def count_visitors(self, day: int) -> None:
        """How the pages that were online on ``day`` were read."""
        today = self._scenario.midnight(day).date()
        for piece in await self._kept.state.find(ContentPiece):
            if piece.status is ContentStatus.PUBLISHED:
                seen = market.read(piece, today, seed=self._seed)
                self._tally.add(day, impressions=seen.impressions, clicks=seen.clicks)

    async def put_in_force(self, name: str, change: Mapping[str, Any], *, at: datetime, why: str) -> None:
        """The policy as it is, with ``change``, as its next version."""
        record = await self._kept.state.get(PolicyRecord, name) or PolicyRecord(name=name)
        _, document = await self._changed(name, change)
        version = PolicyVersion(
            version=record.next_version, document=document, proposed_by=OPERATOR, approved_by=OPERATOR, at=at, why=why
        )
        await self.tell(at, PolicyActivated(name=name, version=version))

    async def try_out(self, name: str, change: Mapping[str, Any], *, at: datetime) -> None:
        """Begin a trial of the policy with ``change``, as the learning cycle does. Raises InvalidInput where another one runs."""
        record = await self._kept.state.get(PolicyRecord, name) or PolicyRecord(name=name)
        found, document = await self._changed(name, change)
        candidate = drafted(
            found,
            POLICY_TYPES[name].model_validate(document),
            why="somebody's bright idea",
            cause=RootCause.POLICY_WRONG,
            metrics=("corrected", "reopened"),
        )
        proposed, version = propose(record, candidate, now=at)
        share, ends = ramp(0, candidate.risk), at + _TRIAL
        trial = begin(proposed.fold(record), version, candidate, level=_LEVEL, share=share, expires_at=ends, now=at)
        await self.tell(at, proposed, *trial)

    async def _changed(self, name: str, change: Mapping[str, Any]) -> tuple[InForce[Policy], dict[str, Any]]:
        """The policy in force, and its document with ``change`` laid over it."""
        found = await self._kept.policies.in_force(POLICY_TYPES[name])
        return found, laid_over(found.document.model_dump(mode="json"), change)

    async def tell(self, at: datetime, *happened: EventData) -> None:
        """Append what happened at ``at``; saying it again changes nothing."""
        events = [
            new_event(
                data, at=at, key=("simulation", at.isoformat(), data.stream, digest(data)[:16]), source="simulation", actor="world"
            )
            for data in happened
        ]
        await self._kept.log.append(events)

    def _parcels(self, day: int) -> list[Parcel]:
        found = list(parcels_of(day, self.products, scenario=self._scenario, seed=self._seed))
        self.parcels += found
        return found

    async def _move(self, moved: OrderShipped | OrderDelivered, before: OrderStatus, at: datetime) -> None:
        """A parcel goes on, unless its order was cancelled."""
        order = await self._kept.state.get(Order, moved.order_id)
        if order is None or order.status is not before:
            return
        await self.tell(at, moved)
        after = fold(order, moved)
        assert isinstance(after, Order)
        await self._shop.put_orders([after])


class PageReaders:
    """The analytics of an arm's pages: what was read until ``today``, as a search console would report it."""

    def __init__(self, kept: Memory, *, seed: int) -> None:
        self._kept = kept
        self._seed = seed
        self.today = date.min

    async def measure(self, slug: str) -> list[ContentMetrics]:
        piece = await self._kept.state.get(ContentPiece, slug)
        if piece is None or piece.published_at is None:
            return []
        first = piece.published_at.date()
        days: Iterable[int] = range((self.today - first).days)
        return [market.read(piece, first + timedelta(days=n), seed=self._seed) for n in days]


def severity_of_twins(orders: Sequence[PurchaseOrder]) -> list[str]:
    """Purchase orders placed twice: the same lines for the same supplier on one day."""
    seen: dict[str, str] = {}
    twins = []
    for order in orders:
        key = digest([order.supplier_id, str(order.ordered_at.date()), [[x.sku, x.units] for x in order.lines]])
        if key in seen:
            twins.append(f"{order.purchase_order_id} repeats {seen[key]}")
        seen.setdefault(key, order.purchase_order_id)
    return twins


def laid_over(document: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """``document`` with what ``change`` names, however deep."""
    found = dict(document)
    for name, value in change.items():
        deeper = isinstance(value, Mapping) and isinstance(found.get(name), Mapping)
        found[name] = laid_over(found[name], value) if deeper else value
    return found
