"""What is asked for of one SKU in the weeks to come, forecast as replenishment forecasts it; for people who look at it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from agents.skills.lead_times import LeadTime
from agents.stock_planner import StockPicture, arrays_of, forecast_of, horizon_of
from domain.entities import Product, PurchaseOrder, Stock, Supplier
from domain.event import SalesRow
from domain.policies import StockPolicy
from domain.ports import Policies, State

_AHEAD = 28  # days that are looked ahead at least once
_COMPANY = 19  # other SKUs of the supplier that a SKU with few sales may lean on; a plan of everything looks at all
_WEEK = 7
_YEARS = 10 * 365


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """``expected`` and ``high`` are units from the day after ``until`` on, up to each of ``days``; ``high`` is the quantile
    of the service level. ``horizon`` is lead time plus review, in days: what the stock has to last for."""

    sku: str
    until: date
    stale: bool
    days: tuple[int, ...]
    expected: tuple[float, ...]
    high: tuple[float, ...]
    daily: float
    horizon: int
    lead: LeadTime
    service_level: float
    method: str
    pattern: str
    weeks: tuple[tuple[date, float], ...]  # (first day, units sold) of the weeks up to ``until``


class StockOutlook:
    def __init__(self, *, state: State, policies: Policies) -> None:
        self._state = state
        self._policies = policies

    async def of(self, product: Product, *, now: datetime, weeks: int = 26) -> Outlook | None:
        """None where the supplier is unknown: then nobody knows how long an order takes."""
        supplier = await self._state.get(Supplier, product.supplier_id)
        if supplier is None:
            return None
        policy = (await self._policies.in_force(StockPolicy)).document
        picture = await self._picture(product, supplier, policy, now)
        return await asyncio.to_thread(outlook, picture, policy, weeks=weeks)

    async def _picture(self, product: Product, supplier: Supplier, policy: StockPolicy, now: datetime) -> StockPicture:
        """The SKU first, and a few that come from the same supplier."""
        others = [p for p in await self._state.find(Product, supplier_id=product.supplier_id) if p.active and p.sku != product.sku]
        products = (product, *others[:_COMPANY])
        until = now.date() - timedelta(days=1)
        sales = await self._sales(products, until, policy)
        stale = not sales
        if stale and (older := await self._state.sales(since=until - timedelta(days=_YEARS), until=until, skus=[product.sku])):
            until = max(row.day for row in older)
            sales = await self._sales(products, until, policy)
        return StockPicture(
            products=products,
            stock={stock.sku: stock} if (stock := await self._state.get(Stock, product.sku)) else {},
            suppliers={supplier.supplier_id: supplier},
            purchase_orders=tuple(await self._state.find(PurchaseOrder, supplier_id=supplier.supplier_id)),
            sales=tuple(sales),
            since=until - timedelta(days=policy.history_days - 1),
            until=until,
            stale=stale and bool(sales),
        )

    async def _sales(self, products: Sequence[Product], until: date, policy: StockPolicy) -> list[SalesRow]:
        since = until - timedelta(days=policy.history_days - 1)
        return await self._state.sales(since=since, until=until, skus=[p.sku for p in products])


def outlook(picture: StockPicture, policy: StockPolicy, *, weeks: int) -> Outlook:
    """Of the first product of the picture. Pure."""
    product = picture.products[0]
    lead_times, items, history = arrays_of(picture, picture.products)
    horizon = int(horizon_of(items, policy)[0])
    days = tuple(sorted({_AHEAD, horizon}))
    each = {day: forecast_of(history, np.full(len(picture.products), day, np.int64), policy) for day in days}
    return Outlook(
        sku=product.sku,
        until=picture.until,
        stale=picture.stale,
        days=days,
        expected=tuple(float(each[day].horizon_mean[0]) for day in days),
        high=tuple(float(each[day].horizon_quantile[0]) for day in days),
        daily=float(each[horizon].mean_daily[0]),
        horizon=horizon,
        lead=lead_times[product.supplier_id],
        service_level=policy.service_level,
        method=each[horizon].method[0],
        pattern=each[horizon].pattern[0],
        weeks=_weeks(history[0].tolist(), picture.until, weeks),
    )


def _weeks(units: Sequence[float], until: date, count: int) -> tuple[tuple[date, float], ...]:
    """The whole weeks that end with ``until``, the oldest first."""
    count = min(count, len(units) // _WEEK)
    starts = [len(units) - _WEEK * n for n in range(count, 0, -1)]
    return tuple((until - timedelta(days=len(units) - 1 - s), sum(units[s : s + _WEEK])) for s in starts)
