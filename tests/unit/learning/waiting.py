"""What may wait for the operator of a small shop, made by hand."""

from datetime import datetime, timedelta
from typing import Any

from domain.actions import Action, CancelOrder, RefundOrder
from domain.approvals import Approval, ApprovalStatus
from domain.attention import Notice
from domain.money import Money
from domain.runs import Alert, AlertLevel
from tests.unit.learning.happened import approval

NOON = datetime.fromisoformat("2026-03-30T12:00:00+02:00")  # Monday, in the default time zone of the operator
NIGHT = datetime.fromisoformat("2026-03-30T22:30:00+02:00")


def refund(number: int = 1, amount: int = 20) -> RefundOrder:
    return RefundOrder(order_id=str(1000 + number), amount=Money.of(amount), reason="damaged")


def question(action: Action | None = None, *, number: int = 1, at: datetime = NOON, **more: Any) -> Approval:
    """Pending since ``at``, for three days."""
    asked = approval(action or CancelOrder(order_id="1001", reason="asked"), ApprovalStatus.PENDING, number=number, at=at)
    return asked.model_copy(update={"expires_at": at + timedelta(days=3), **more})


def alert(key: str = "late/po-1", level: AlertLevel = AlertLevel.WARNING, **more: Any) -> Alert:
    return Alert(**{"key": key, "level": level, "text": "words", "what_to_do": "look", "at": NOON, **more})


def notice(key: str = "one", value: float = 10.0, *, level: AlertLevel = AlertLevel.INFO, **more: Any) -> Notice:
    base = {"kind": "send-reply", "text": "it waits", "what_to_do": "look", "about": (f"approval/{key}",), "at": NOON}
    return Notice(**{"key": key, "level": level, "value_at_risk": value, **base, **more})
