"""What may be done to an order or a stock, and what it is afterwards: the same rules for every shop kept here."""

from datetime import datetime

from domain.actions import Action, AdjustStock, CancelOrder, ChangeAddress, RefundOrder, ReinstateOrder
from domain.decisions import Diff
from domain.entities import Order, OrderStatus, Refund
from domain.errors import Permanent

OrderAction = RefundOrder | CancelOrder | ReinstateOrder | ChangeAddress
ShopAction = OrderAction | AdjustStock


def shop_action(action: Action) -> ShopAction:
    """``action`` as one a shop understands. Raises Permanent."""
    if isinstance(action, ShopAction):
        return action
    raise Permanent(f"the shop cannot {action.kind}")


def order_diff(action: OrderAction, order: Order, version: str) -> Diff:
    """What ``action`` makes of ``order``; a new refund is shown without what only its execution gives it. Raises Permanent."""
    after = changed(order, action, reference="to be given", at=order.placed_at).model_dump(mode="json")
    known = len(order.refunds)
    after["refunds"][known:] = [{"amount": r["amount"], "reason": r["reason"]} for r in after["refunds"][known:]]
    return Diff(record=action.stream, record_version=version, before=order.model_dump(mode="json"), after=after)


def stock_diff(action: AdjustStock, on_hand: int, version: str) -> Diff:
    """What ``action`` makes of ``on_hand`` units. Raises Permanent where it was planned from another number."""
    if on_hand != action.units_before:
        hint = "it has to be planned again from that"
        raise Permanent(f"the shop has {on_hand} of {action.sku}, not {action.units_before}", hint=hint)
    before = {"sku": action.sku, "on_hand": on_hand}
    return Diff(record=action.stream, record_version=version, before=before, after={**before, "on_hand": action.units_after})


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
    if order.status is OrderStatus.CANCELLED:
        raise Permanent(f"order {order.order_id} is cancelled already")
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
