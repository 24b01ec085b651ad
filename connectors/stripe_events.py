"""What Stripe tells: refunds that somebody made there or that came to nothing, and disputes.

Sources: docs.stripe.com/api/events/types; a refund may fail weeks after it was made, and the money is then back at Stripe.
"""

from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connectors.stripe_account import Refund
from connectors.stripe_amounts import from_minor
from domain import entities
from domain.connections import Delivery, Reading
from domain.entities import Order
from domain.errors import InvalidInput
from domain.event import EventData, new_event
from domain.events import OrderRefunded
from domain.ids import digest
from domain.ports import State
from domain.runs import Alert, AlertClosed, AlertLevel, AlertRaised

EFFECT, ACTION, MOMENT = "steward_effect", "steward_action", "steward_at"
"""Metadata of a refund: whose it is, for which action, and since when."""
_REFUNDS = ("refund.created", "refund.updated", "refund.failed", "charge.refund.updated")
_DISPUTES = ("charge.dispute.created", "charge.dispute.updated", "charge.dispute.closed")
TYPES = (*_REFUNDS, *_DISPUTES)
_WON = ("won", "warning_closed", "prevented")
_FAILED, _LOST = "did not arrive", "is lost"


class Told(BaseModel):
    """An event; ``object`` is what it is about, as it was then."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str = Field(pattern=r"^evt_[A-Za-z0-9_]{1,190}$")
    type: str
    created: int = Field(ge=0, le=253_402_300_799)
    data: dict[str, Any]

    @property
    def object(self) -> dict[str, Any]:
        found = self.data.get("object")
        return found if isinstance(found, dict) else {}

    @property
    def at(self) -> datetime:
        return datetime.fromtimestamp(self.created, UTC)


class Dispute(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    amount: int
    currency: str = Field(pattern=r"^[A-Za-z]{3}$")
    status: str
    reason: str = ""
    charge: str | None = None
    payment_intent: str | None = None


def told(raw: bytes) -> Told:
    """Raises InvalidInput, repeating nothing of it."""
    try:
        return Told.model_validate_json(raw)
    except (ValidationError, RecursionError):
        raise InvalidInput("this is no event of Stripe") from None


async def understand(delivery: Delivery, state: State) -> Reading:
    """Raises InvalidInput."""
    event = told(delivery.raw)
    try:
        if event.type in _REFUNDS:
            found, note = await _refund(Refund.model_validate(event.object), event, state)
        elif event.type in _DISPUTES:
            found, note = await _dispute(Dispute.model_validate(event.object), event, state)
        else:
            return Reading(note=f"nothing follows from {event.type[:60]}")
    except ValidationError:
        raise InvalidInput(f"this {event.type[:60]} is not as Stripe describes it") from None
    return Reading(events=tuple(new_event(data, at=event.at, key=(event.id, digest(data))) for data in found), note=note)


async def _refund(refund: Refund, event: Told, state: State) -> tuple[list[EventData], str]:
    """One that came to nothing is told, whoever made it; one that was made at Stripe itself is put on the order."""
    order = await _order(refund.payment_intent, refund.charge, state)
    known = await state.get(Alert, _key("refund", refund.id))
    if refund.failed or refund.status == "requires_action":
        told_before = known is not None and (not refund.failed or _FAILED in known.text)
        return ([], "told before") if told_before else ([AlertRaised(alert=_trouble(refund, order, event))], "")
    if refund.metadata.get(EFFECT):
        return [], "a refund of ours: the ledger has it"
    if order is None:
        return [], "no order has this payment"
    if known is not None or refund.id in {r.refund_id for r in order.refunds}:
        return [], "known already"
    made = entities.Refund(
        refund_id=refund.id,
        amount=from_minor(refund.amount, refund.currency),
        reason=f"made at Stripe: {refund.reason or 'no reason given'}"[:200],
        at=datetime.fromtimestamp(refund.created, UTC),
    )
    if made.amount.currency != order.total.currency:
        return [], f"it is in {made.amount.currency}, the order in {order.total.currency}"
    return [OrderRefunded(order_id=order.order_id, refund=made)], ""


def _trouble(refund: Refund, order: Order | None, event: Told) -> Alert:
    amount, whose = from_minor(refund.amount, refund.currency), _whose(order)
    if refund.status == "requires_action":
        what, why = "waits for the customer", "Stripe has asked them for what it needs; look whether they answered"
    else:
        what = f"{_FAILED} ({_word(refund.failure_reason or refund.status or 'failed')})"
        why = f"the money is back at Stripe: give it back in another way, and tell the customer; {refund.id} in Stripe"
    return Alert(
        key=_key("refund", refund.id),
        level=AlertLevel.URGENT if refund.failed else AlertLevel.WARNING,
        text=f"the refund of {amount} on {whose} {what}",
        what_to_do=why,
        at=event.at,
    )


async def _dispute(dispute: Dispute, event: Told, state: State) -> tuple[list[EventData], str]:
    """Told when it begins and when it is lost; over when it is won. What comes late changes nothing any more."""
    key = _key("dispute", dispute.id)
    known = await state.get(Alert, key)
    if known is not None and _is_behind(dispute, known):
        return [], "told before"
    what = (
        f"{from_minor(dispute.amount, dispute.currency)} for {_whose(await _order(dispute.payment_intent, dispute.charge, state))}"
    )
    if dispute.status == "lost":
        text, level, todo = f"the dispute over {what} {_LOST}", AlertLevel.WARNING, "the money is gone; nothing is left to do"
    else:
        text, level = f"a customer disputes {what} ({_word(dispute.reason)})", AlertLevel.URGENT
        todo = f"answer it in Stripe before its time is up: {_word(dispute.id)}"
    raised = AlertRaised(alert=Alert(key=key, level=level, text=text, what_to_do=todo, at=event.at))
    if dispute.status not in _WON:
        return [raised], ""
    closed = AlertClosed(key=key, by="stripe")
    return ([closed] if known is not None else [raised, closed]), ""


def _is_behind(dispute: Dispute, known: Alert) -> bool:
    if dispute.status == "lost":
        return _LOST in known.text
    return not known.open if dispute.status in _WON else True


async def _order(payment: str | None, charge: str | None, state: State) -> Order | None:
    for reference in (payment, charge):
        if reference:
            found = await state.find(Order, payment_reference=reference)
            if found:
                return found[0]
    return None


def _whose(order: Order | None) -> str:
    return f"order {order.order_id}" if order else "a payment that no order has"


def _key(kind: str, name: str) -> str:
    return f"{kind}/{_word(name)}"


def _word(text: str) -> str:
    """One of Stripe's own words; nothing else comes through."""
    return "".join(c for c in text[:100] if c.isascii() and (c.isalnum() or c in "_- ")) or "no reason given"
