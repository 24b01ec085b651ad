"""Mail for a company that has no mail account connected yet: replies and purchase orders lie ready in a Maildir."""

import asyncio
from datetime import datetime
from email.message import EmailMessage
from typing import Any

from connectors.mails import message_id_for, purchase_mail, reply_mail, reply_message_id
from connectors.outgoing import Outgoing, receipt_of, version_of
from domain.actions import Action, CancelPurchaseOrder, Capability, PlacePurchaseOrder, Receipt, SendReply
from domain.decisions import Diff
from domain.errors import Permanent

PurchaseAction = PlacePurchaseOrder | CancelPurchaseOrder


class MaildirHelpdesk:
    """Replies to tickets. A mail cannot be called back once something has sent it on."""

    name = "maildir-helpdesk"
    capability = Capability.HELPDESK

    def __init__(self, outgoing: Outgoing) -> None:
        self._outgoing = outgoing

    async def check(self) -> str:
        return await asyncio.to_thread(self._outgoing.check)

    async def preview(self, action: Action) -> Diff:
        """The reply as it would be written; its body may still be empty."""
        return reply_diff(_reply(action), len(await asyncio.to_thread(self._outgoing.thread, action.stream)))

    async def execute(self, action: Action, *, key: str, expected_version: str, now: datetime) -> Receipt:
        message = reply_mail(_reply(action), now)
        return await asyncio.to_thread(_add, self._outgoing, action, message, key, expected_version, now)

    async def find_receipt(self, action: Action, *, key: str) -> Receipt | None:
        return await asyncio.to_thread(_find, self._outgoing, action, reply_message_id(_reply(action)), key)


class MaildirSuppliers:
    """Purchase orders and their cancellations as mails."""

    name = "maildir-suppliers"
    capability = Capability.SUPPLIERS

    def __init__(self, outgoing: Outgoing) -> None:
        self._outgoing = outgoing

    async def check(self) -> str:
        return await asyncio.to_thread(self._outgoing.check)

    async def preview(self, action: Action) -> Diff:
        purchase = _purchase(action)
        thread = await asyncio.to_thread(self._outgoing.thread, action.stream)
        return purchase_diff(purchase, [sent.kind for sent in thread], version_of(thread))

    async def execute(self, action: Action, *, key: str, expected_version: str, now: datetime) -> Receipt:
        message = purchase_mail(_purchase(action), now)
        return await asyncio.to_thread(_add, self._outgoing, action, message, key, expected_version, now)

    async def find_receipt(self, action: Action, *, key: str) -> Receipt | None:
        message_id = message_id_for(_purchase(action))
        return await asyncio.to_thread(_find, self._outgoing, action, message_id, key)


def reply_diff(action: SendReply, sent: int) -> Diff:
    """A reply adds one mail to the ``sent`` ones of its thread."""
    after = {"sent_in_thread": sent + 1, "to": action.to, "subject": action.subject, "body": action.body}
    return Diff(record=f"mail/{action.ticket_id}", record_version=str(sent), before={"sent_in_thread": sent}, after=after)


def purchase_diff(action: PurchaseAction, done: list[str], version: str) -> Diff:
    """``done`` are the kinds of the mails about this order so far. Raises Permanent where the next one makes no sense."""
    order = action.purchase_order
    placing = isinstance(action, PlacePurchaseOrder)
    placed, cancelled = "place-purchase-order" in done, "cancel-purchase-order" in done
    if placing and placed:
        raise Permanent(f"purchase order {order.purchase_order_id} was already sent to {action.to}")
    if not placing and not placed:
        raise Permanent(f"purchase order {order.purchase_order_id} was never sent, so there is nothing to cancel")
    if not placing and cancelled:
        raise Permanent(f"purchase order {order.purchase_order_id} is cancelled already")
    details = {"to": action.to, "total": str(order.total), "lines": [_line(line.sku, line.units) for line in order.lines]}
    before: dict[str, Any] = {"status": "not ordered"} if placing else {"status": "ordered", **details}
    after = {"status": "ordered" if placing else "cancelled", **details}
    return Diff(record=f"purchase-order/{order.purchase_order_id}", record_version=version, before=before, after=after)


def _line(sku: str, units: int) -> str:
    return f"{units} x {sku}"


def _reply(action: Action) -> SendReply:
    if not isinstance(action, SendReply):
        raise Permanent(f"the help desk cannot {action.kind}")
    return action


def _purchase(action: Action) -> PurchaseAction:
    if not isinstance(action, PurchaseAction):
        raise Permanent(f"the purchasing mail cannot {action.kind}")
    return action


def _add(outgoing: Outgoing, action: Action, message: EmailMessage, key: str, expected_version: str, now: datetime) -> Receipt:
    sent = outgoing.add(action, message, key=key, expected_version=expected_version, at=now)
    return receipt_of(sent, action, message["Message-ID"])


def _find(outgoing: Outgoing, action: Action, message_id: str, key: str) -> Receipt | None:
    sent = outgoing.find(key)
    return receipt_of(sent, action, message_id) if sent else None
