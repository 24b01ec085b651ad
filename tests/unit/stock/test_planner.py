"""The stock planner: from canonical state to purchase orders, on states that are not tidy."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Self

import numpy as np
import pytest

from agents.skills.stock_arrays import demand_history, lead_time
from agents.stock_planner import StockPicture, StockPlan, StockPlanner, plan_stock
from domain.actions import PlacePurchaseOrder
from domain.entities import Product, PurchaseOrder, PurchaseOrderLine, Stock, Supplier
from domain.event import SalesRow
from domain.knowledge import InForce
from domain.money import Money
from domain.policies import StockPolicy

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
LAST_DAY = date(2026, 2, 28)
FIRST_DAY = LAST_DAY - timedelta(days=364)


def product(sku: str, *, supplier_id: str = "acme", **more: Any) -> Product:
    given = {"title": sku, "price": Money.of(10), "unit_cost": Money.of("4.125"), "supplier_id": supplier_id, "pack_size": 6}
    return Product.model_validate({"sku": sku, **given, **more})


def supplier(supplier_id: str = "acme", **more: Any) -> Supplier:
    return Supplier.model_validate({"supplier_id": supplier_id, "name": supplier_id, "email": f"orders@{supplier_id}.uk", **more})


def sales(sku: str, *, rate: float = 3.0, last: date = LAST_DAY, days: int = 365) -> list[SalesRow]:
    """Of the last ``days`` of a year."""
    units = np.random.default_rng(sum(map(ord, sku))).poisson(rate, 365)
    return [SalesRow(sku=sku, day=last - timedelta(days=ago), units=int(units[364 - ago])) for ago in reversed(range(days))]


def picture(*products: Product, suppliers: Sequence[Supplier] = (), stock: Sequence[Stock] = (), **more: Any) -> StockPicture:
    known = suppliers or [supplier(s) for s in dict.fromkeys(p.supplier_id for p in products)]
    levels = stock or [Stock(sku=p.sku, on_hand=2, supplier_id=p.supplier_id) for p in products]
    return StockPicture(
        products=products,
        stock={s.sku: s for s in levels},
        suppliers={s.supplier_id: s for s in known},
        purchase_orders=more.pop("purchase_orders", ()),
        sales=tuple(more.pop("sales") if "sales" in more else (row for p in products for row in sales(p.sku))),
        since=FIRST_DAY,
        until=LAST_DAY,
        **more,
    )


def plan(seen: StockPicture, policy: StockPolicy | None = None, *, now: datetime = NOW) -> StockPlan:
    return plan_stock(seen, policy or StockPolicy(), run_id="replenish/2026-03-01", now=now)


def placed(found: StockPlan) -> list[PlacePurchaseOrder]:
    return [p.action for p in found.orders if isinstance(p.action, PlacePurchaseOrder)]


def test_one_order_a_supplier() -> None:
    """Four products of two suppliers are two orders, to the suppliers' addresses, with a reason on every line."""
    found = placed(plan(picture(product("A"), product("B"), product("C", supplier_id="bolt"), product("D", supplier_id="bolt"))))
    assert [(a.purchase_order.supplier_id, a.to) for a in found] == [("acme", "orders@acme.uk"), ("bolt", "orders@bolt.uk")]
    assert all("sells" in line.why and line.units % 6 == 0 for a in found for line in a.purchase_order.lines)


def test_a_long_order_is_sent_in_parts() -> None:
    """1,200 articles of one supplier: three orders of 400, each article once, each with room to be shown and sent."""
    many = [product(f"P{i}") for i in range(1_200)]
    seen = picture(*many, sales=[row for p in many for row in sales(p.sku, days=20)])
    found = plan(seen, StockPolicy(budget=Money.of(10_000_000)))
    orders = [a.purchase_order for a in placed(found)]
    assert [len(o.lines) for o in orders] == [400, 400, 400]
    assert {line.sku for o in orders for line in o.lines} == {p.sku for p in many}
    assert len({o.purchase_order_id for o in orders}) == len({p.step for p in found.orders}) == 3
    assert all(len(p.model_dump_json()) < 2_000_000 / 8 for p in found.orders)


def test_the_budget_holds_after_rounding() -> None:
    """Unit costs with fractions of a cent: the rounded totals of all orders stay within the budget."""
    many = [product(f"P{i}", supplier_id=f"s{i % 7}", unit_cost=Money.of("0.4375"), pack_size=1) for i in range(40)]
    policy = StockPolicy(budget=Money.of("99.99"))
    totals = [a.purchase_order.total for a in placed(plan(picture(*many), policy))]
    assert Money.of(90) < sum(totals, Money.zero()) <= policy.budget


def test_the_same_plan_has_the_same_ids() -> None:
    """A repeated step proposes the same orders; the run's next plan proposes others."""
    seen = picture(product("A"))
    assert plan(seen) == plan(seen)
    later = plan(seen, now=NOW + timedelta(hours=1))
    assert later.orders[0].step != plan(seen).orders[0].step


def test_reorder_points_are_set_once() -> None:
    """A point that stands as it is says nothing."""
    first = plan(picture(product("A"))).reorder_points
    assert [p.sku for p in first] == ["A"]
    stock = Stock(sku="A", on_hand=2, supplier_id="acme", reorder_point=first[0].reorder_point)
    assert plan(picture(product("A"), stock=[stock])).reorder_points == ()


def test_what_is_on_order_is_not_ordered_again() -> None:
    """An open order that covers the need ends the matter."""
    assert placed(plan(picture(product("A"), stock=[Stock(sku="A", on_order=500, supplier_id="acme")]))) == []


@pytest.mark.parametrize(
    ("seen", "doubt"),
    [
        (picture(product("A"), stale=True), "known only until 2026-02-28"),
        (picture(product("A"), stock=[Stock(sku="A")]), "never counted: A"),
        (picture(product("A"), suppliers=[supplier(email="x@supplier.invalid")]), "placeholder"),
        (picture(product("A", moq=6_000)), "last very long: A"),
        (picture(product("A")), ""),
    ],
)
def test_doubtful_orders_ask_for_a_human(seen: StockPicture, doubt: str) -> None:
    """Old sales, stock nobody counted, an address that is none, years of stock: whatever the mode, somebody looks."""
    rich = StockPolicy(budget=Money.of(100_000))
    (order,) = plan(seen, rich).orders
    assert doubt in order.why.force_ask
    assert bool(order.why.force_ask) is bool(doubt)


@pytest.mark.parametrize(
    ("seen", "note"),
    [
        (picture(product("A"), suppliers=[supplier("other")]), "supplier is unknown or has no address: A"),
        (picture(product("A"), suppliers=[supplier(email="")]), "supplier is unknown or has no address: A"),
        (picture(product("A", unit_cost=Money.of(4, "GBP"))), "budget is in EUR: A"),
        (picture(product("A"), sales=[*sales("A"), *sales("Z")]), "not in the catalogue or not sold any more: Z"),
        (picture(product("A"), suppliers=[supplier(minimum_order=Money.of(90_000))]), "held under the supplier's minimum: A"),
    ],
)
def test_what_cannot_be_planned_is_noted(seen: StockPicture, note: str) -> None:
    """Nothing is left out in silence."""
    assert any(note in n for n in plan(seen).notes)


def test_nothing_to_plan_is_no_error() -> None:
    """An empty shop has an empty plan."""
    assert plan(picture(sales=[])) == StockPlan((), (), (), 0)


def test_confidence_grows_with_evidence() -> None:
    """A year of history is worth more than ten days, which is worth one half."""
    year, week = plan(picture(product("A"))), plan(picture(product("A"), sales=sales("A")[-10:]))
    assert year.orders[0].why.confidence > 0.75
    assert week.orders[0].why.confidence == 0.5


def test_deliveries_correct_the_stated_lead_time() -> None:
    """A supplier who says 7 days and took 13 three times takes 10, and less surely."""
    late = [_delivered(13.0), _delivered(13.0), _delivered(13.0)]
    learned = lead_time(supplier(lead_time_days=7, lead_time_sd_days=1), late)
    assert learned.days == 10.0
    assert learned.sd > 1.0


def test_what_came_back_the_same_day_was_no_demand() -> None:
    """Eighty thousand sold and returned on one day are none sold; other returns are not negative sales."""
    rows = [SalesRow(sku="A", day=LAST_DAY, units=80_000, returned=80_000), SalesRow(sku="A", day=FIRST_DAY, units=1, returned=5)]
    assert demand_history(rows, ["A"], since=FIRST_DAY, until=LAST_DAY).sum() == 0


async def test_the_planner_reads_the_state() -> None:
    """Inactive products are left out, one supplier can be planned alone, and today's unfinished sales do not count."""
    state = _State(
        entities=[product("A"), product("B", active=False), product("C", supplier_id="bolt"), supplier(), supplier("bolt")],
        rows=[*sales("A"), *sales("B"), *sales("C"), SalesRow(sku="A", day=NOW.date(), units=9_999)],
    )
    planner = StockPlanner(state=state, policies=_Policies())
    everything = await planner.plan(run_id="replenish/1", now=NOW)
    assert [line.sku for a in placed(everything) for line in a.purchase_order.lines] == ["A", "C"]
    one = await planner.plan(run_id="replenish/1", now=NOW, supplier_id="bolt")
    assert [a.purchase_order.supplier_id for a in placed(one)] == ["bolt"]


async def test_old_sales_are_planned_as_of_their_last_day() -> None:
    """An export that ends years ago is used, noted and asked about."""
    ended = date(2011, 12, 9)
    state = _State(entities=[product("A"), supplier()], rows=sales("A", last=ended))
    found = await StockPlanner(state=state, policies=_Policies()).plan(run_id="replenish/1", now=NOW)
    assert "2011-12-09" in found.notes[0]
    assert "2011-12-09" in found.orders[0].why.force_ask


def _delivered(days: float) -> PurchaseOrder:
    return PurchaseOrder(
        purchase_order_id=f"po-{days}",
        supplier_id="acme",
        lines=(PurchaseOrderLine(sku="A", title="A", units=1, unit_cost=Money.of(1)),),
        ordered_at=NOW,
        expected_at=NOW,
        received_at=NOW + timedelta(days=days),
    )


class _State:
    """The ``State`` port over plain lists."""

    def __init__(self, *, entities: Sequence[Any], rows: Sequence[SalesRow]) -> None:
        self._entities = entities
        self._rows = rows

    async def get(self, entity: type[Any], key: str) -> Any:
        return next((e for e in await self.find(entity) if key in (getattr(e, "sku", ""), e.supplier_id)), None)

    async def find(self, entity: type[Any], **equals: str) -> list[Any]:
        found = [e for e in self._entities if isinstance(e, entity)]
        return [e for e in found if all(getattr(e, k) == v for k, v in equals.items())]

    async def since(self, entity: type[Any], moment: datetime, **equals: str) -> list[Any]:
        """Everything here is of today."""
        return await self.find(entity, **equals)

    async def version(self, entity: type[Any], key: str) -> int:
        return int(await self.get(entity, key) is not None)

    async def sales(self, *, since: date, until: date, skus: Sequence[str] = ()) -> list[SalesRow]:
        return [r for r in self._rows if since <= r.day <= until and (not skus or r.sku in skus)]


class _Policies:
    async def in_force(self, policy: type[Any]) -> InForce[Any]:
        return InForce(name="stock", version=0, document=policy())

    async def versions(self) -> dict[str, int]:
        return {}

    async def arms(self) -> dict[str, str]:
        return {}

    def of(self, run_id: str) -> Self:
        return self
