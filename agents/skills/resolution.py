"""How a support case is resolved: which situation it is and what is due. Pure rules over canonical state.

Amounts come from the order and permissions from the playbook; the customer's text only says what they would like.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from agents.skills.triage import affected_line, parse_address
from domain.actions import Action, CancelOrder, ChangeAddress, RefundOrder
from domain.entities import Order, OrderLine, OrderStatus, Refund
from domain.money import Money
from domain.playbooks import Playbook
from domain.policies import SupportPolicy


@dataclass(frozen=True, kw_only=True)
class Case:
    """Everything the rules look at. ``text`` is the customer's newest message."""

    intent: str
    text: str
    order: Order
    playbook: Playbook
    policy: SupportPolicy
    now: datetime


@dataclass(frozen=True, kw_only=True)
class Resolution:
    """``actions`` come before the reply; ``order`` is the order as it will be after them, which the reply speaks of."""

    situation: str
    order: Order
    actions: tuple[Action, ...] = ()
    lines: Mapping[str, str] = field(default_factory=dict)  # further fields -> the fact of the order behind them
    asks: Mapping[str, str] = field(default_factory=dict)  # kind of action -> why a person has to look at it
    hand_over: str = ""


def resolve(case: Case) -> Resolution:
    match case.intent:
        case "where-is-my-order" | "late":
            return _where(case)
        case "damaged":
            return _damaged(case)
        case "refund":
            return _refund(case)
        case "cancel":
            return _cancel(case)
        case "change-address":
            return _change_address(case)
    return Resolution(situation=_return_situation(case), order=case.order)


def is_late(order: Order, policy: SupportPolicy, now: datetime) -> bool:
    """Shipped, not delivered, and past the promised day, or past the policy's days where none was promised."""
    if order.status is not OrderStatus.SHIPPED or order.shipped_at is None:
        return False
    due = order.promised_by or order.shipped_at + timedelta(days=policy.late_after_days)
    return now > due


def refund_reason_to_ask(amount: Money, policy: SupportPolicy) -> str:
    """Why a person has to look at this refund; empty where the policy lets it go."""
    if amount.currency != policy.refund_limit.currency:
        return f"no refund limit is set in {amount.currency}"
    return f"a refund of {amount} is above the limit of {policy.refund_limit}" if amount > policy.refund_limit else ""


def price_paid(order: Order, line: OrderLine) -> Money:
    """What one unit of ``line`` cost the customer: a discount on the whole order is shared by all its units."""
    listed = sum((entry.unit_price * entry.units for entry in order.lines), Money.zero(order.total.currency))
    share = min(Decimal(1), order.total.amount / listed.amount) if listed.amount > 0 else Decimal(0)
    return Money(amount=(line.unit_price.amount * share).quantize(Decimal("0.000001")), currency=line.unit_price.currency).rounded()


def _where(case: Case) -> Resolution:
    order = case.order
    match order.status:
        case OrderStatus.PAID | OrderStatus.CANCELLED | OrderStatus.DELIVERED:
            return Resolution(situation=order.status.value, order=order)
        case OrderStatus.SHIPPED:
            late = is_late(order, case.policy, case.now)
    if late and case.playbook.goodwill > 0 and "refund-order" in case.playbook.actions and not order.refunds:
        amount = (order.total * case.playbook.goodwill).rounded()
        return _refunding(case, order, amount, situation="late-goodwill", reason="late delivery")
    tracked = "" if order.tracking and order.carrier else "-untracked"
    return Resolution(situation=("late" if late else "shipped") + tracked, order=order)


def _damaged(case: Case) -> Resolution:
    order = case.order
    if order.status is not OrderStatus.DELIVERED or order.delivered_at is None:
        return Resolution(situation="not-delivered", order=order)
    if not _in_window(case):
        late = f"reported damaged more than {case.policy.refund_window_days} days after delivery"
        return Resolution(situation="", order=order, hand_over=late)
    line = affected_line(case.text, order)
    if line is None:
        return Resolution(situation="which-item", order=order)
    several = f"the order has {line.units} of {line.title}: check how many are damaged" if line.units > 1 else ""
    return _refunding(case, order, price_paid(order, line), situation="refund", reason="damaged", line=line, force_ask=several)


def _refund(case: Case) -> Resolution:
    order = case.order
    if order.refundable.amount <= 0:
        return Resolution(situation="refunded", order=order)
    if order.status is OrderStatus.CANCELLED:
        return _refunding(case, order, order.refundable, situation="refund", reason="order cancelled")
    if order.refunds:
        return Resolution(situation="", order=order, hand_over=f"{order.refunded} of {order.total} is already refunded")
    return Resolution(situation=_return_situation(case), order=order)


def _cancel(case: Case) -> Resolution:
    order = case.order
    if order.status is not OrderStatus.PAID:
        return Resolution(situation=_return_situation(case), order=order)
    if "cancel-order" not in case.playbook.actions:
        return Resolution(situation="", order=order, hand_over="the playbook does not allow cancelling")
    cancel = CancelOrder(order_id=order.order_id, reason="asked by the customer")
    after = order.model_copy(update={"status": OrderStatus.CANCELLED})
    if order.refundable.amount <= 0 or "refund-order" not in case.playbook.actions:
        return Resolution(situation="cancelled-now", order=after, actions=(cancel,))
    refunding = _refunding(case, after, order.refundable, situation="cancelled-refunded", reason="order cancelled")
    if refunding.hand_over:
        return refunding
    return Resolution(
        situation=refunding.situation,
        order=refunding.order,
        actions=(cancel, *refunding.actions),
        asks=refunding.asks,
    )


def _change_address(case: Case) -> Resolution:
    order = case.order
    if order.status is not OrderStatus.PAID:
        delivered = order.status in {OrderStatus.DELIVERED, OrderStatus.CANCELLED}
        return Resolution(situation=order.status.value if delivered else "not-delivered", order=order)
    address = parse_address(case.text, name=order.ship_to.name, country=order.ship_to.country)
    if address is None or "change-address" not in case.playbook.actions:
        return Resolution(situation="which-address", order=order)
    change = ChangeAddress(order_id=order.order_id, address=address)
    after = order.model_copy(update={"ship_to": address})
    asks: dict[str, str] = {change.kind: "the new address is only the customer's word"}
    return Resolution(situation="changed", order=after, actions=(change,), asks=asks)


def _return_situation(case: Case) -> str:
    """The situation of an order for everything that depends on where it is."""
    match case.order.status:
        case OrderStatus.SHIPPED:
            return "not-delivered"
        case OrderStatus.DELIVERED:
            return "in-window" if _in_window(case) else "too-late"
        case status:
            return status.value


def _in_window(case: Case) -> bool:
    delivered = case.order.delivered_at
    return delivered is not None and case.now - delivered <= timedelta(days=case.policy.refund_window_days)


def _refunding(
    case: Case, order: Order, amount: Money, *, situation: str, reason: str, line: OrderLine | None = None, force_ask: str = ""
) -> Resolution:
    """A refund of at most what is left on the order, and the reply that speaks of it."""
    if amount.currency != order.total.currency:
        return Resolution(
            situation="", order=order, hand_over=f"the item is priced in {amount.currency}, the order in another currency"
        )
    due = min(amount, order.refundable)
    if due.amount <= 0:
        return Resolution(situation="", order=order, hand_over=f"nothing is left to refund on order {order.order_id}")
    if "refund-order" not in case.playbook.actions:
        return Resolution(situation="", order=order, hand_over="the playbook does not allow a refund")
    why = f"{reason}: {line.title}" if line else reason
    refund = Refund(refund_id="planned", amount=due, reason=why, at=case.now)
    again = f"{order.refunded} was refunded on this order before" if order.refunds else ""
    asked = "; ".join(reason for reason in (force_ask, again, refund_reason_to_ask(due, case.policy)) if reason)
    action = RefundOrder(order_id=order.order_id, amount=due, reason=why, payment_reference=order.payment_reference)
    return Resolution(
        situation=situation,
        order=order.model_copy(update={"refunds": (*order.refunds, refund)}),
        actions=(action,),
        lines={"affected": f"order/{order.order_id}#line/{line.sku}"} if line else {},
        asks={str(action.kind): asked} if asked else {},
    )
