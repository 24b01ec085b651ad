"""What may be done to an order, and what it is afterwards: the same rules for every order book kept here."""

from datetime import datetime

from domain.actions import Action, CancelOrder, ChangeAddress, RefundOrder, ReinstateOrder
from domain.entities import Order, OrderStatus, Refund
from domain.errors import Permanent

OrderAction = RefundOrder | CancelOrder | ReinstateOrder | ChangeAddress


def order_action(action: Action) -> OrderAction:
    """``action`` as one an order book understands. Raises Permanent."""
    if isinstance(action, OrderAction):
        return action
    raise Permanent(f"the order book cannot {action.kind}")


def changed(order: Order, action: OrderAction, *, reference: str, at: datetime) -> Order:
    """``order`` after ``action``; ``reference`` becomes the id of a refund. Raises Permanent, saying why it cannot be."""
    match action:
        case RefundOrder():
            return _refunded(order, action, reference, at)
        case CancelOrder():
            return _cancelled(order)
        case ReinstateOrder():
            return _reinstated(order, action)
        case ChangeAddress():
            return _readdressed(order, action)


def _refunded(order: Order, action: RefundOrder, reference: str, at: datetime) -> Order:
    amount = action.amount
    if amount.currency != order.total.currency:
        raise Permanent(f"order {order.order_id} was paid in {order.total.currency}, not {amount.currency}")
    if amount.amount <= 0:
        raise Permanent(f"a refund of {amount} on order {order.order_id} is not more than nothing")
    if amount > order.refundable:
        raise Permanent(f"a refund of {amount} is more than the {order.refundable} left on order {order.order_id}")
    refund = Refund(refund_id=reference, amount=amount, reason=action.reason, at=at)
    return order.model_copy(update={"refunds": (*order.refunds, refund)})


def _cancelled(order: Order) -> Order:
    if order.status is not OrderStatus.PAID:
        raise Permanent(f"order {order.order_id} is {order.status} and cannot be cancelled")
    return order.model_copy(update={"status": OrderStatus.CANCELLED})


def _reinstated(order: Order, action: ReinstateOrder) -> Order:
    if order.status is not OrderStatus.CANCELLED:
        raise Permanent(f"order {order.order_id} is {order.status}; only a cancelled order can be reinstated")
    return order.model_copy(update={"status": action.status})


def _readdressed(order: Order, action: ChangeAddress) -> Order:
    if order.status is not OrderStatus.PAID:
        raise Permanent(f"order {order.order_id} is {order.status}; its address cannot be changed any more")
    return order.model_copy(update={"ship_to": action.address})
