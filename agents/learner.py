"""The Learner: turns what the operator decided into lessons. It proposes; it approves nothing."""

import re
from difflib import SequenceMatcher
from typing import Any

from agents.skills.message_text import newest
from domain.actions import Action, PlacePurchaseOrder, PublishContent, SendReply
from domain.approvals import Approval, ApprovalStatus, Decision, Verb
from domain.entities import Ticket
from domain.events import TicketRelabelled
from domain.ids import derived_id
from domain.labels import Label, LabelSource
from domain.playbooks import FOLLOW_UP
from domain.ports import State
from domain.runs import Lesson

_INTENT_NAMED = re.compile(r"\bintent\s*[:=]\s*([a-z][a-z-]*[a-z])", re.IGNORECASE)
_CALLED = {
    "send-reply": "the reply",
    "refund-order": "the refund",
    "cancel-order": "the cancellation of the order",
    "reinstate-order": "taking up the cancelled order again",
    "change-address": "the new address for the order",
    "adjust-stock": "the change of the shop's stock",
    "place-purchase-order": "the purchase order",
    "cancel-purchase-order": "the cancellation of the purchase order",
    "publish-content": "the page",
    "unpublish-content": "taking the page down",
    "call-tool": "the call of a tool",
    "add-note": "the note on a customer",
    "archive-note": "taking back the note on a customer",
}
_TYPED_BY_CUSTOMERS = ("address", "subject", "to")
_SHOWN = 300  # characters of a text that a lesson quotes


class Learner:
    """Reads decided approvals. An edit or a rejection is a lesson; an approval as shown teaches nothing new."""

    def __init__(self, *, state: State) -> None:
        self._state = state

    async def lesson_from(self, approval: Approval) -> Lesson | None:
        """What the decision teaches about cases of the same topic, or None."""
        decision = approval.decision
        if decision is None or approval.decided_at is None:
            return None
        text = _text(approval, decision)
        if not text:
            return None
        return Lesson(
            lesson_id=str(derived_id("lesson", approval.approval_id, decision.decision_id)),
            topic=await self._topic(approval.proposal.action),
            text=text,
            source=f"approval/{approval.approval_id}",
            at=approval.decided_at,
        )

    async def relabel_from(self, approval: Approval) -> TicketRelabelled | None:
        """The corrected intent, where the operator's reason names one (``intent: damaged``) and it is another one."""
        action, decision = approval.proposal.action, approval.decision
        named = _INTENT_NAMED.search(decision.reason) if decision else None
        ticket_id = action.ticket_id if isinstance(action, SendReply) else approval.proposal.why.facts.get("ticket", "")
        ticket = await self._state.get(Ticket, ticket_id) if ticket_id else None
        if named is None or decision is None or ticket is None:
            return None
        intent = named[1].lower()
        if intent == ticket.intent:
            return None
        return TicketRelabelled(ticket_id=ticket_id, intent=intent, by=decision.by)

    async def label_from(self, approval: Approval) -> Label | None:
        """What the ticket is about, as the decision says it: the intent it names, or the one it let pass as shown.

        An edit or a rejection without an intent says nothing about what the customer wanted, nor does letting a follow-up go.
        """
        action, decision = approval.proposal.action, approval.decision
        if not isinstance(action, SendReply) or decision is None or approval.decided_at is None:
            return None
        ticket = await self._state.get(Ticket, action.ticket_id)
        named = _INTENT_NAMED.search(decision.reason)
        answered = decision.verb is Verb.APPROVE and approval.proposal.step != FOLLOW_UP
        shown = approval.proposal.why.topic if answered else ""
        intent = named[1].lower() if named else shown
        if ticket is None or not intent or not ticket.messages:
            return None
        return Label(
            ticket_id=ticket.ticket_id,
            text=label_text(ticket),
            intent=intent,
            source=LabelSource.CORRECTED if named else LabelSource.APPROVED,
            by=decision.by,
            at=approval.decided_at,
        )

    async def _topic(self, action: Action) -> str:
        """What later cases ask lessons by: an intent, a supplier, a page."""
        match action:
            case SendReply():
                ticket = await self._state.get(Ticket, action.ticket_id)
                return (ticket.intent if ticket else None) or action.kind
            case PlacePurchaseOrder():
                return action.purchase_order.supplier_id
            case PublishContent():
                return action.piece.slug
        return action.kind


def label_text(ticket: Ticket) -> str:
    """The text of a ticket as the classifier sees it: the subject and the first message."""
    return f"{ticket.subject}\n{newest(ticket.messages[0].body)}".strip()[:4_000]


def _text(approval: Approval, decision: Decision) -> str:
    what = _what(approval.proposal.action)
    reason = f" Reason: {decision.reason.strip()}" if decision.reason.strip() else ""
    match approval.status:
        case ApprovalStatus.REJECTED:
            return f"Rejected: {what}.{reason}"
        case ApprovalStatus.EDITED if decision.action is not None:
            changes = _changes(approval.proposal.action, decision.action)
            return f"Changed: {what}. {changes}{reason}" if changes else ""
    return ""


def _what(action: Action) -> str:
    """The action in Steward's own words and its amount: a lesson is trusted text in later prompts, a customer's words are not."""
    money = action.money()
    return f"{_CALLED[action.kind]} ({money})" if money else _CALLED[action.kind]


def _changes(before: Action, after: Action) -> str:
    """Each field that was edited, with the old and the new value; of long texts only what differs, of a customer's only that."""
    old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
    changed = {name: value for name, value in new.items() if old.get(name) != value}
    return " ".join(f"{n}: changed." if n in _TYPED_BY_CUSTOMERS else f"{n}: {_change(old.get(n), v)}." for n, v in changed.items())


def _change(old: Any, new: Any) -> str:
    if not (isinstance(old, str) and isinstance(new, str) and old):
        return f"{old!s:.{_SHOWN}} -> {new!s:.{_SHOWN}}"
    before, after = old.split(), new.split()
    edits = SequenceMatcher(a=before, b=after, autojunk=False).get_opcodes()
    parts = [f"{' '.join(before[a:b])!r} -> {' '.join(after[c:d])!r}" for tag, a, b, c, d in edits if tag != "equal"]
    return "; ".join(parts)[: 2 * _SHOWN]
