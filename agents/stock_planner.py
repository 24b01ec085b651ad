"""The stock planner: from the canonical state to purchase orders worth proposing, and a reorder point for every SKU.

It reads and proposes; it holds no port through which anything could be ordered.
"""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from agents.skills.demand_rates import FloatArray, IntArray
from agents.skills.forecast import DemandForecast, forecast_demand
from agents.skills.lead_times import LeadTime
from agents.skills.order_budget import OrderLimits, Outcome
from agents.skills.reorder import Items, ReorderPlan, Suggestion, Terms, aim, per_day, plan_reorders
from agents.skills.smoothed_demand import smoothed_forecast
from agents.skills.stock_arrays import demand_history, items_of, lead_time, micros
from domain.actions import PlacePurchaseOrder
from domain.decisions import Planned, Why
from domain.entities import Product, PurchaseOrder, PurchaseOrderLine, Shop, Stock, Supplier
from domain.event import SalesRow
from domain.events import ReorderPointSet
from domain.ids import digest, slugify
from domain.policies import StockPolicy
from domain.ports import Policies, State

_ROUNDING = 5_000  # micros: half a cent, the most an order's total can gain when it is rounded
_LONG_COVER = 3.0  # an order that lasts this many times the longest cover wanted is looked at by a human
_ALL_TIME = date(1970, 1, 1)
MAX_LINES = 500  # of one order: shown with its before and after it stays far under the 2 MB that a message of Temporal may have


@dataclass(frozen=True)
class StockPicture:
    """What replenishment knows, of one supplier where ``supplier_id`` names one.

    ``until`` is the last day of the sales history; ``stale`` where that is long ago.
    """

    products: tuple[Product, ...]
    stock: dict[str, Stock]
    suppliers: dict[str, Supplier]
    purchase_orders: tuple[PurchaseOrder, ...]
    sales: tuple[SalesRow, ...]
    since: date
    until: date
    stale: bool = False
    supplier_id: str = ""
    sender: str = "shop@localhost"  # whose address stands on the orders


@dataclass(frozen=True)
class StockPlan:
    """``orders``: one a supplier, or more where ``MAX_LINES`` do not suffice.

    ``reorder_points``: those that moved. ``notes``: what was left out, and why.
    """

    orders: tuple[Planned, ...]
    reorder_points: tuple[ReorderPointSet, ...]
    notes: tuple[str, ...]
    policy_version: int


class StockPlanner:
    """Planner role for ``StockReplenishmentWorkflow``."""

    def __init__(self, *, state: State, policies: Policies) -> None:
        self._state = state
        self._policies = policies

    async def plan(self, *, run_id: str, now: datetime, supplier_id: str = "") -> StockPlan:
        """Plan all suppliers, or the one named. ``run_id`` becomes part of the purchase orders' ids."""
        policy = await self._policies.of(run_id).in_force(StockPolicy)
        picture = await self.picture(policy.document, now, supplier_id)
        return await asyncio.to_thread(plan_stock, picture, policy.document, run_id=run_id, now=now, policy_version=policy.version)

    async def picture(self, policy: StockPolicy, now: datetime, supplier_id: str = "") -> StockPicture:
        """Everything a plan looks at, of all suppliers or the one named."""
        only = {"supplier_id": supplier_id} if supplier_id else {}
        products = [p for p in await self._state.find(Product, **only) if p.active]
        skus = [p.sku for p in products] if supplier_id else []
        yesterday = now.date() - timedelta(days=1)
        since, until = yesterday - timedelta(days=policy.history_days - 1), yesterday
        sales = await self._state.sales(since=since, until=until, skus=skus)
        stale = not sales
        if stale and (sales := await self._state.sales(since=_ALL_TIME, until=yesterday, skus=skus)):
            until = max(row.day for row in sales)
            since = until - timedelta(days=policy.history_days - 1)
        shop = await self._state.get(Shop, "self")
        return StockPicture(
            sender=shop.email if shop else "shop@localhost",
            products=tuple(products),
            stock={s.sku: s for s in await self._state.find(Stock)},
            suppliers={s.supplier_id: s for s in await self._state.find(Supplier)},
            purchase_orders=tuple(await self._state.find(PurchaseOrder, **only)),
            sales=tuple(sales),
            since=since,
            until=until,
            stale=stale and bool(sales),
            supplier_id=supplier_id,
        )


def plan_stock(picture: StockPicture, policy: StockPolicy, *, run_id: str, now: datetime, policy_version: int = 0) -> StockPlan:
    """The whole plan, purely: the same picture, policy and run give the same orders."""
    products, notes = plannable(picture, policy)
    if not products:
        return StockPlan((), (), tuple(notes), policy_version)
    lead_times, items, history = arrays_of(picture, products)
    forecast = forecast_of(history, horizon_of(items, policy), policy)
    plan = plan_reorders(items, forecast, _terms(policy), _limits(picture, policy, items))
    drafting = _Drafting(picture, policy, products, lead_times, forecast, plan, run_id, now)
    return StockPlan(
        orders=tuple(o for s in sorted({items.supplier[line.index] for line in plan.ordered}) for o in drafting.orders(s)),
        reorder_points=_moved_points(products, picture, plan, forecast, policy),
        notes=(*notes, *_left_out(products, plan)),
        policy_version=policy_version,
    )


def arrays_of(picture: StockPicture, products: Sequence[Product]) -> tuple[dict[str, LeadTime], Items, FloatArray]:
    """Lead times by supplier, the items, and their demand [n_products, n_days]; rows in the order of ``products``."""
    lead_times = {s: lead_time(supplier, picture.purchase_orders) for s, supplier in picture.suppliers.items()}
    history = demand_history(picture.sales, [p.sku for p in products], since=picture.since, until=picture.until)
    return lead_times, items_of(products, picture.stock, lead_times), history


@dataclass(frozen=True)
class _Drafting:
    """Turns the suggestions for one supplier into purchase orders and says where they come from."""

    picture: StockPicture
    policy: StockPolicy
    products: Sequence[Product]
    lead_times: dict[str, LeadTime]
    forecast: DemandForecast
    plan: ReorderPlan
    run_id: str
    now: datetime

    def orders(self, supplier_id: str) -> list[Planned]:
        """As few as can be, and about as long as each other, so that none falls under the supplier's minimum."""
        lines = [s for s in self.plan.ordered if self.products[s.index].supplier_id == supplier_id]
        count = -(-len(lines) // MAX_LINES)
        return [self._order(supplier_id, lines[part::count], part) for part in range(count)]

    def _order(self, supplier_id: str, lines: Sequence[Suggestion], part: int) -> Planned:
        order = PurchaseOrder(
            purchase_order_id=self._order_id(supplier_id, part),
            supplier_id=supplier_id,
            lines=tuple(self._line(s) for s in lines),
            ordered_at=self.now,
            expected_at=self.now + timedelta(days=self.lead_times[supplier_id].days),
        )
        action = PlacePurchaseOrder(purchase_order=order, to=self.picture.suppliers[supplier_id].email, sender=self.picture.sender)
        return Planned(step=f"order-{order.purchase_order_id}", action=action, why=self._why(order, lines))

    def _order_id(self, supplier_id: str, part: int) -> str:
        """The same plan repeated has the same id; a run that plans again later has another."""
        unique = digest([self.run_id, supplier_id, self.now, part])[:8]
        return f"po-{self.now:%Y%m%d}-{slugify(supplier_id, limit=40)}-{unique}"

    def _line(self, suggestion: Suggestion) -> PurchaseOrderLine:
        product = self.products[suggestion.index]
        return PurchaseOrderLine(
            sku=product.sku, title=product.title, units=suggestion.units, unit_cost=product.unit_cost, why=suggestion.why
        )

    def _why(self, order: PurchaseOrder, lines: Sequence[Suggestion]) -> Why:
        short = sum(s.outcome is Outcome.SHRUNK for s in lines)
        reason = f"{len(lines)} SKUs at or under their reorder point" + (f", {short} cut to the budget" if short else "")
        return Why(
            reason=reason,
            confidence=round(self._confidence(lines), 3),
            engine="statistics",
            facts={
                "total": str(order.total),
                "budget of the run": str(self.policy.budget),
                "service level": aim(self.policy.service_level, self.policy.safety_factor),
                "sales history": f"{self.picture.since} to {self.picture.until}",
            },
            topic=order.supplier_id,
            force_ask=self._doubt(lines),
        )

    def _confidence(self, lines: Sequence[Suggestion]) -> float:
        """0.5 without any evidence, towards 1 as back-tests grow long and their loss small against the demand; by money."""
        chosen = np.array([s.index for s in lines])
        windows = self.forecast.windows[chosen]
        missed = self.forecast.loss[chosen] / np.maximum(self.forecast.horizon_mean[chosen], 1.0)
        each = 0.5 + 0.5 * windows / (windows + 2) * np.clip(1 - missed, 0, 1)
        money = np.array([s.units * float(self.products[s.index].unit_cost.amount) + 1e-9 for s in lines])
        return float(np.average(each, weights=money))

    def _doubt(self, lines: Sequence[Suggestion]) -> str:
        """Why a human should look even in auto mode; empty where nothing speaks for it."""
        if self.picture.stale:
            return f"sales are known only until {self.picture.until}"
        if self.picture.suppliers[self.products[lines[0].index].supplier_id].email.endswith(".invalid"):
            return "the supplier's address is a placeholder"
        skus = [self.products[s.index].sku for s in lines]
        if uncounted := [sku for sku in skus if _never_counted(self.picture.stock.get(sku))]:
            return f"never counted: {_some(uncounted)}"
        longest = _LONG_COVER * _terms(self.policy).max_cover_days
        long = [sku for sku, line in zip(skus, lines, strict=True) if self._cover_days(line) > longest]
        return f"minimum quantities last very long: {_some(long)}" if long else ""

    def _cover_days(self, suggestion: Suggestion) -> float:
        rate = float(self.forecast.mean_daily[suggestion.index])
        return suggestion.units / rate if rate > 0 else math.inf


def _never_counted(stock: Stock | None) -> bool:
    return stock is None or stock == Stock(sku=stock.sku)


def plannable(picture: StockPicture, policy: StockPolicy) -> tuple[list[Product], list[str]]:
    """Products that can be ordered at all, and notes on those that cannot."""
    currency = policy.budget.currency
    reachable = {s.supplier_id for s in picture.suppliers.values() if s.email}
    foreign = [p.sku for p in picture.products if {p.unit_cost.currency, p.price.currency} != {currency}]
    orphaned = [p.sku for p in picture.products if p.supplier_id not in reachable]
    notes = []
    if foreign:
        notes.append(f"not planned, because the budget is in {currency}: {_some(foreign)}")
    if orphaned:
        notes.append(f"not planned, because the supplier is unknown or has no address: {_some(orphaned)}")
    if picture.stale:
        notes.append(f"sales are known only until {picture.until}; planned as of that day")
    listed = {p.sku for p in picture.products}
    if not picture.supplier_id and (unlisted := sorted({s.sku for s in picture.sales} - listed)):
        notes.append(f"not planned, because not in the catalogue or not sold any more: {_some(unlisted)}")
    left_out = {*foreign, *orphaned}
    return [p for p in picture.products if p.sku not in left_out], notes


def horizon_of(items: Items, policy: StockPolicy) -> IntArray:
    """Days until an order placed at the next review would arrive: what the stock has to last for."""
    return np.maximum(np.ceil(items.lead_days + policy.review_days - 1e-9), 1).astype(np.int64)


def forecast_of(history: FloatArray, horizon: IntArray, policy: StockPolicy) -> DemandForecast:
    """By the method that the policy names, for each SKU over its own horizon in days."""
    if policy.memory_days == 0:
        return forecast_demand(history, horizon_days=horizon, service_level=policy.service_level)
    return smoothed_forecast(
        history,
        horizon_days=horizon,
        service_level=policy.service_level,
        memory_days=policy.memory_days,
        pooling=policy.pooling,
    )


def _terms(policy: StockPolicy) -> Terms:
    return Terms(
        service_level=policy.service_level,
        holding_rate=policy.holding_rate,
        order_cost=micros(policy.order_cost.amount),
        review_days=policy.review_days,
        safety_factor=policy.safety_factor,
        lot_factor=policy.lot_factor,
    )


def _limits(picture: StockPicture, policy: StockPolicy, items: Items) -> OrderLimits:
    minimum = {
        s.supplier_id: micros(s.minimum_order.amount)
        for s in picture.suppliers.values()
        if s.minimum_order is not None and s.minimum_order.currency == policy.budget.currency
    }
    slack = _ROUNDING * (len(set(items.supplier)) + len(items.supplier) // MAX_LINES)
    return OrderLimits(budget=max(micros(policy.budget.amount) - slack, 0), minimum_order=minimum)


def _moved_points(
    products: Sequence[Product], picture: StockPicture, plan: ReorderPlan, forecast: DemandForecast, policy: StockPolicy
) -> tuple[ReorderPointSet, ...]:
    moved = []
    for i, product in enumerate(products):
        point, known = int(plan.reorder_point[i]), picture.stock.get(product.sku)
        if known is None or known.reorder_point != point or known.supplier_id != product.supplier_id:
            rate, days, method = per_day(float(forecast.mean_daily[i])), forecast.horizon_days[i], forecast.method[i]
            why = f"sells {rate}, has to last {days} d at {aim(policy.service_level, policy.safety_factor)} ({method})"
            moved.append(ReorderPointSet(sku=product.sku, reorder_point=point, supplier_id=product.supplier_id, why=why))
    return tuple(moved)


def _left_out(products: Sequence[Product], plan: ReorderPlan) -> list[str]:
    notes = []
    for outcome, told in ((Outcome.DROPPED, "left out for lack of budget"), (Outcome.HELD, "held under the supplier's minimum")):
        skus = [products[s.index].sku for s in plan.suggestions if s.outcome is outcome]
        if skus:
            notes.append(f"{told}: {_some(skus)}")
    return notes


def _some(skus: Sequence[str], limit: int = 5) -> str:
    more = f" and {len(skus) - limit} more" if len(skus) > limit else ""
    return ", ".join(skus[:limit]) + more
