"""Invariants of purchase orders: real products at their known cost, in whole packs, from their supplier, once."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from agents.audit.findings import block, hold, note
from domain.actions import CancelPurchaseOrder, PlacePurchaseOrder
from domain.decisions import Finding
from domain.entities import Product, PurchaseOrder, PurchaseOrderLine, PurchaseOrderStatus, Stock, Supplier
from domain.policies import StockPolicy
from domain.ports import Policies, State

_YEAR = timedelta(days=365)
_OPEN = (PurchaseOrderStatus.SENT, PurchaseOrderStatus.LATE)


class ProcurementAudit:
    def __init__(self, *, state: State, policies: Policies) -> None:
        self._state = state
        self._policies = policies

    async def place(self, action: PlacePurchaseOrder, now: datetime) -> AsyncIterator[Finding]:
        order = action.purchase_order
        async for finding in self._supplier(action):
            yield finding
        for sku, times in Counter(line.sku for line in order.lines).items():
            if times > 1:
                yield block("line-twice", f"{sku} stands on {times} lines")
        for line in order.lines:
            async for finding in self._line(line, order):
                yield finding
        for finding in (*await self._open_orders(order, now), *await self._more_than_a_year(order, now)):
            yield finding
        policy = (await self._policies.in_force(StockPolicy)).document
        if order.total.currency != policy.budget.currency or order.total > policy.budget:
            yield hold("over-budget", f"{order.total} is over the budget of {policy.budget}")

    async def cancel(self, action: CancelPurchaseOrder) -> AsyncIterator[Finding]:
        wanted = action.purchase_order
        known = await self._state.get(PurchaseOrder, wanted.purchase_order_id)
        if known is None or known.status not in _OPEN:
            yield block("purchase-order-not-open", f"purchase order {wanted.purchase_order_id} is not open")
        elif (known.supplier_id, known.lines) != (wanted.supplier_id, wanted.lines):
            yield block("purchase-order-differs", f"purchase order {wanted.purchase_order_id} was sent otherwise")
        async for finding in self._supplier(action):
            yield finding

    async def _supplier(self, action: PlacePurchaseOrder | CancelPurchaseOrder) -> AsyncIterator[Finding]:
        order = action.purchase_order
        supplier = await self._state.get(Supplier, order.supplier_id)
        if supplier is None:
            yield block("supplier-unknown", f"there is no supplier {order.supplier_id}")
            return
        if action.to.lower() != supplier.email.lower():
            yield block("wrong-recipient", f"the order goes to {action.to}, {supplier.name} has {supplier.email}")
        least = supplier.minimum_order
        if isinstance(action, PlacePurchaseOrder) and least and least.currency == order.total.currency and order.total < least:
            yield hold("under-minimum-order", f"{order.total} is under the {least} that {supplier.name} accepts")

    async def _line(self, line: PurchaseOrderLine, order: PurchaseOrder) -> AsyncIterator[Finding]:
        product = await self._state.get(Product, line.sku)
        if product is None:
            yield block("product-unknown", f"there is no product {line.sku}")
            return
        if product.supplier_id != order.supplier_id:
            yield block("other-supplier", f"{line.sku} comes from {product.supplier_id}, not {order.supplier_id}")
        if line.unit_cost != product.unit_cost:
            yield block("other-cost", f"{line.sku} costs {product.unit_cost}, the order says {line.unit_cost}")
        if line.units % product.pack_size:
            yield block("not-whole-packs", f"{line.units} of {line.sku} is no multiple of the pack of {product.pack_size}")
        if line.units < product.moq:
            yield block("under-moq", f"{line.units} of {line.sku} is under the minimum of {product.moq}")
        if not product.active:
            yield hold("product-retired", f"{line.sku} is not sold any more")

    async def _open_orders(self, order: PurchaseOrder, now: datetime) -> list[Finding]:
        """A SKU ordered again within a day is most likely a mistake; with an older order on its way it is worth a note."""
        findings = []
        for status in _OPEN:
            for other in await self._state.find(PurchaseOrder, supplier_id=order.supplier_id, status=status.value):
                both = {line.sku for line in other.lines} & {line.sku for line in order.lines}
                if other.purchase_order_id == order.purchase_order_id or not both:
                    continue
                text = f"{', '.join(sorted(both))} already ordered with {other.purchase_order_id}"
                again = now - other.ordered_at < timedelta(days=1)
                findings.append(hold("ordered-again", text) if again else note("on-its-way", text))
        return findings

    async def _more_than_a_year(self, order: PurchaseOrder, now: datetime) -> list[Finding]:
        """Nobody needs more of a product than a year's sales, beyond the least that can be bought."""
        skus = [line.sku for line in order.lines]
        sold: Counter[str] = Counter()
        for row in await self._state.sales(since=(now - _YEAR).date(), until=now.date(), skus=skus):
            sold[row.sku] += row.units
        findings = []
        for line in order.lines:
            product, stock = await self._state.get(Product, line.sku), await self._state.get(Stock, line.sku)
            least = max(product.moq, product.pack_size) if product else 0
            after = (stock.position if stock else 0) + line.units
            if after > max(sold[line.sku], least):
                findings.append(hold("more-than-a-year", f"{after} of {line.sku} is more than the {sold[line.sku]} sold in a year"))
        return findings
