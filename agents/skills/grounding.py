"""Facts by reference: ``order/1001#status`` -> "shipped". The planner writes from them and the auditor checks against them.

Both use the same pure functions, but each reads the canonical state for itself: what was true when a reply was
planned must still be true when it leaves.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from domain.entities import Order, OrderLine, Product, PurchaseOrder, PurchaseOrderStatus, Shop, Stock
from domain.policies import SupportPolicy
from domain.ports import Policies, State

Facts = dict[str, str]


def day(moment: datetime) -> str:
    """ "12 March 2026"."""
    return f"{moment.day} {moment:%B %Y}"


def facts_of_order(order: Order) -> Facts:
    """Every fact of an order that a reply may state, by reference; what is not known is absent."""
    plain = {
        "order_id": order.order_id,
        "status": order.status.value,
        "total": str(order.total),
        "placed_on": day(order.placed_at),
        "shipped_on": day(order.shipped_at) if order.shipped_at else "",
        "delivered_on": day(order.delivered_at) if order.delivered_at else "",
        "promised_by": day(order.promised_by) if order.promised_by else "",
        "carrier": order.carrier,
        "tracking": order.tracking,
        "items": ", ".join(_line(line) for line in order.lines),
        "address": str(order.ship_to),
        "refunded": str(order.refunded) if order.refunds else "",
        "last_refund": str(order.refunds[-1].amount) if order.refunds else "",
        **{f"line/{line.sku}": line.title for line in order.lines},
    }
    return _referenced(f"order/{order.order_id}", plain)


def facts_of_product(product: Product, stock: Stock | None, expected: datetime | None = None) -> Facts:
    """Facts of a product; ``expected`` is when the next purchase order with it arrives."""
    free = stock.on_hand - stock.reserved if stock else 0
    plain = {
        **product.attributes,
        "title": product.title,
        "price": str(product.price),
        "availability": "it is in stock" if free > 0 else "it is sold out at the moment",
        "expected_on": day(expected) if expected and free <= 0 else "",
    }
    return _referenced(f"product/{product.sku}", plain)


def facts_of_shop(shop: Shop) -> Facts:
    return _referenced(
        "shop/self", {"name": shop.name, "email": shop.email, "site_url": shop.site_url, "signature": shop.signature}
    )


def facts_of_policy(policy: SupportPolicy) -> Facts:
    return _referenced("policy/support", {"refund_window": str(policy.refund_window_days)})


def next_arrival(sku: str, orders: Sequence[PurchaseOrder]) -> datetime | None:
    """When the earliest open purchase order with ``sku`` is expected."""
    open_ones = (o for o in orders if o.status in {PurchaseOrderStatus.SENT, PurchaseOrderStatus.LATE})
    return min((o.expected_at for o in open_ones if any(line.sku == sku for line in o.lines)), default=None)


async def product_facts(product: Product, state: State) -> Facts:
    """``facts_of_product`` with stock and arrival read from the state."""
    orders = await state.find(PurchaseOrder, status=PurchaseOrderStatus.SENT.value)
    return facts_of_product(product, await state.get(Stock, product.sku), next_arrival(product.sku, orders))


class FactReader:
    """Reads the present value behind a fact reference, each entity once."""

    def __init__(self, *, state: State, policies: Policies) -> None:
        self._state = state
        self._policies = policies
        self._read: dict[str, Facts] = {}

    async def value(self, ref: str) -> str | None:
        """The canonical value now, or None where the reference names nothing that is known."""
        stream = ref.partition("#")[0]
        if stream not in self._read:
            self._read[stream] = await self._facts(stream)
        return self._read[stream].get(ref)

    async def differing(self, claimed: Mapping[str, str]) -> dict[str, str | None]:
        """The references whose claimed value is not the canonical one, with what is canonical."""
        now = {ref: await self.value(ref) for ref in claimed}
        return {ref: now[ref] for ref, value in claimed.items() if now[ref] != value}

    async def _facts(self, stream: str) -> Facts:
        kind, _, key = stream.partition("/")
        match kind:
            case "order":
                order = await self._state.get(Order, key)
                return facts_of_order(order) if order else {}
            case "product":
                product = await self._state.get(Product, key)
                return await product_facts(product, self._state) if product else {}
            case "shop":
                shop = await self._state.get(Shop, key)
                return facts_of_shop(shop) if shop else {}
            case "policy" if key == "support":
                return facts_of_policy((await self._policies.in_force(SupportPolicy)).document)
        return {}


def _line(line: OrderLine) -> str:
    return f"{line.units} x {line.title}" if line.units > 1 else line.title


def _referenced(subject: str, plain: Mapping[str, str]) -> Facts:
    return {f"{subject}#{name}": text for name, text in plain.items() if text}
