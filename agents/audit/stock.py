"""Invariants of what the shop is told of its stock: a real product, a real change, never less than nothing."""

from collections.abc import AsyncIterator

from agents.audit.findings import block, hold
from domain.actions import AdjustStock
from domain.decisions import Finding
from domain.entities import Product, Stock
from domain.ports import State


class StockAudit:
    def __init__(self, *, state: State) -> None:
        self._state = state

    async def adjust(self, action: AdjustStock) -> AsyncIterator[Finding]:
        if await self._state.get(Product, action.sku) is None:
            yield block("product-unknown", f"there is no product {action.sku}")
            return
        if min(action.units_before, action.units_after) < 0:
            yield block("stock-below-nothing", f"there cannot be {action.units_after} of {action.sku}")
        if action.units_before == action.units_after:
            yield block("no-change", f"the stock of {action.sku} would stay at {action.units_after}")
        stock = await self._state.get(Stock, action.sku)
        if stock is not None and stock.on_hand not in (action.units_before, action.units_after):
            yield hold("stock-differs", f"{stock.on_hand} of {action.sku} are known to be there, not {action.units_before}")
