"""How well the shelf serves tonight, counted for the replenishment runs of the day."""

from collections.abc import Collection
from datetime import timedelta

from activities.measuring import Measurer
from domain.entities import Product, Stock
from domain.model import Moment
from domain.ports import State
from domain.runs import Run

_DEMAND = timedelta(days=28)
_TELLS_AFTER = timedelta(days=7)  # what was planned shows on the shelf when it has been delivered, not the same night
_WEEK = 7.0


class ShelfWatch:
    """Lost sales leave no trace, so the share of demand that met stock is judged by what is on the shelf at night."""

    def __init__(self, *, measurer: Measurer, state: State) -> None:
        self._measurer = measurer
        self._state = state

    async def measure(self, *, now: Moment) -> int:
        """Record fill rate and stock-out days (a SKU and week) for every run of the day a week ago; how many runs that were."""
        until = now - _TELLS_AFTER
        since = until - timedelta(days=1)
        runs = [r for r in await self._state.since(Run, since, workflow="replenish") if since < r.started_at <= until]
        daily = await self._daily_sales(now) if runs else {}
        for run in runs:
            skus = await self._planned(run.run_id, daily)
            if skus:
                await self._record(run.run_id, skus, daily, now)
        return len(runs)

    async def _daily_sales(self, now: Moment) -> dict[str, float]:
        """Units a day by SKU; what does not sell is not missed either."""
        rows = await self._state.sales(since=(now - _DEMAND).date(), until=now.date())
        sold: dict[str, float] = {}
        for row in rows:
            sold[row.sku] = sold.get(row.sku, 0.0) + row.units / _DEMAND.days
        return {sku: units for sku, units in sold.items() if units > 0}

    async def _planned(self, run_id: str, daily: Collection[str]) -> list[str]:
        """The SKUs a run looks after: those of the supplier it is named for, or all."""
        supplier = run_id.removeprefix("replenish/")
        products = [p for p in await self._state.find(Product) if p.active and p.sku in daily]
        own = [p.sku for p in products if p.supplier_id == supplier]
        return own or [p.sku for p in products]

    async def _record(self, run_id: str, skus: list[str], daily: dict[str, float], now: Moment) -> None:
        stock = {s.sku: s for s in await self._state.find(Stock)}
        out = [sku for sku in skus if sku not in stock or stock[sku].on_hand - stock[sku].reserved <= 0]
        missed = sum(daily[sku] for sku in out) / sum(daily[sku] for sku in skus)
        figures = {"fill-rate": 1 - missed, "stock-out-days": _WEEK * len(out) / len(skus)}
        for metric, value in figures.items():
            occurrence = f"{metric}/{now.date().isoformat()}"
            await self._measurer.measured(run_id=run_id, metric=metric, value=value, now=now, occurrence=occurrence)
