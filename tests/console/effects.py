"""Effects in the ledger, as a run of the past left them there."""

from datetime import datetime, timedelta

from domain.actions import Action, CancelOrder, Receipt, SendReply
from domain.decisions import Diff
from domain.effects import Effect, Reservation, effect_key
from memory.memory import Memory

RUN = "support/mail/past-0@example.org"


async def past_effects(memory: Memory, *, now: datetime) -> None:
    """The run of yesterday cancelled an order and wrote to its customer."""
    await commit(memory, CancelOrder(order_id="10002", reason="asked for it"), at=now - timedelta(days=1))
    await commit(memory, reply(), at=now - timedelta(hours=23))


async def commit(memory: Memory, action: Action, *, at: datetime, run_id: str = RUN) -> Effect:
    """Approved by somebody, and done."""
    reservation = Reservation(
        key=effect_key(run_id, "one", action),
        run_id=run_id,
        workflow="support",
        step="one",
        action=action,
        diff=Diff(record=action.stream, record_version="1", before={"status": "paid"}, after={"status": "cancelled"}),
        approval_id="0000-question",
        now=at,
    )
    await memory.ledger.reserve(reservation, connector="local-shop")
    await memory.ledger.begin(reservation.key, now=at)
    return await memory.ledger.commit(reservation.key, Receipt(reference="r-1", at=at), [])


def reply() -> SendReply:
    return SendReply(
        ticket_id="mail/past-0@example.org",
        message_id="answer-0@clay.example",
        to="customer@example.org",
        sender="hello@clay.example",
        subject="Your order is cancelled",
        body="Hello,\n\nit is cancelled.\n\nKim",
    )
