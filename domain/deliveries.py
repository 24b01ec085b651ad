"""A purchase order arrives: what that means, whoever says so. Pure."""

from domain.entities import PurchaseOrder, PurchaseOrderStatus
from domain.errors import InvalidInput
from domain.event import EventData
from domain.events import PurchaseOrderReceived, StockReceived
from domain.model import Moment

_OVER = (PurchaseOrderStatus.RECEIVED, PurchaseOrderStatus.CANCELLED)


def arrived(order: PurchaseOrder, *, at: Moment) -> tuple[EventData, ...]:
    """The order is received and its units are on the shelf, to be appended together. Raises InvalidInput where it is over."""
    if order.status in _OVER:
        hint = "`./steward state list purchase-order` shows those that are under way"
        raise InvalidInput(f"purchase order {order.purchase_order_id} is already {order.status}", hint=hint)
    lines = (StockReceived(sku=line.sku, units=line.units, purchase_order_id=order.purchase_order_id) for line in order.lines)
    return PurchaseOrderReceived(purchase_order_id=order.purchase_order_id, at=at), *lines


def days_late(order: PurchaseOrder, *, now: Moment) -> int:
    """Whole days after the promised one, of an order that came or is still awaited; 0 where it is in time or cancelled."""
    if order.status is PurchaseOrderStatus.CANCELLED:
        return 0
    return max(((order.received_at or now) - order.expected_at).days, 0)
