"""What happened, event by event, in words."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from domain.approvals import (
    ApprovalDecided,
    ApprovalDecisionRefused,
    ApprovalEnded,
    ApprovalReminded,
    ApprovalRequested,
    ApprovalTakenBack,
)
from domain.catalogue import load_event
from domain.errors import InvalidInput
from domain.event import Event, EventData
from domain.events import (
    ContentPublished,
    MessageReceived,
    OrderRefunded,
    PurchaseOrderSent,
    ReplySent,
    TicketClosed,
    TicketHandedOver,
    TicketTriaged,
)
from domain.runs import (
    ActionFailed,
    ActionRefused,
    ActionSuggested,
    AlertRaised,
    OutcomeRecorded,
    RunFinished,
    RunReverted,
    RunStarted,
)
from domain.steering_words import steered


def story(events: Sequence[Event]) -> list[tuple[datetime, str]]:
    """(when, one line) of each event; many of a kind in a row that need no words of their own are one line."""
    lines: list[tuple[datetime, str]] = []
    for (own, kind), group in groupby(((event, told(event)) for event in events), key=_kind):
        members = list(group)
        if own or len(members) == 1:
            lines += [(event.at, text or f"{kind}: {event.stream}") for event, text in members]
        else:
            lines.append((members[-1][0].at, f"{kind}: {len(members):,} times"))
    return lines


def told(event: Event) -> str:
    """One line; empty where the event has no words of its own, or only a newer version knows it."""
    try:
        data = load_event(event.type, event.data)
    except InvalidInput:
        return ""
    return _of_run(data) or _of_approval(data) or _of_business(data) or steered(data)


def _kind(member: tuple[Event, str]) -> tuple[bool, str]:
    event, text = member
    return bool(text), event.type.replace(".", " ")


def _of_run(data: EventData) -> str:
    match data:
        case RunStarted():
            return "started"
        case RunFinished(status=status, result=result):
            return f"{status}: {result}" if result else status
        case RunReverted(compensated=undone, impossible=stays):
            return f"taken back: {len(undone)} undone, {len(stays)} stay"
        case ActionSuggested(proposal=proposal):
            return f"suggests: {proposal.action.summary()}"
        case ActionRefused(summary=summary, reasons=reasons):
            return f"refused: {summary} ({'; '.join(reasons)})"
        case ActionFailed(summary=summary, error=error):
            return f"failed: {summary} ({error})"
        case OutcomeRecorded(outcome=outcome):
            return f"measured: {outcome.metric} {outcome.value:g}"
        case AlertRaised(alert=alert):
            return f"{alert.level} alert: {alert.text}"
    return ""


def _of_approval(data: EventData) -> str:
    match data:
        case ApprovalRequested(approval=approval):
            proposal = approval.proposal
            return f"asks you [{approval.approval_id[:8]}]: {proposal.action.summary()} ({'; '.join(proposal.gate.reasons)})"
        case ApprovalDecided(decision=decision, approval_id=approval_id):
            reason = f": {decision.reason}" if decision.reason else ""
            return f"{decision.verb} by {decision.by} [{approval_id[:8]}]{reason}"
        case ApprovalTakenBack(by=by, approval_id=approval_id):
            return f"taken back by {by} [{approval_id[:8]}]"
        case ApprovalDecisionRefused(reason=reason, approval_id=approval_id):
            return f"a decision did not count [{approval_id[:8]}]: {reason}"
        case ApprovalReminded(approval_id=approval_id, escalation=escalation):
            return f"{'urges' if escalation else 'reminds'} you [{approval_id[:8]}]"
        case ApprovalEnded(approval_id=approval_id, status=status, reason=reason):
            return f"question {status} [{approval_id[:8]}]: {reason}"
    return ""


def _of_business(data: EventData) -> str:
    match data:
        case MessageReceived(message=message):
            return f"mail from {message.sender}"
        case TicketTriaged(intent=intent, urgency=urgency, confidence=confidence, engine=engine):
            return f"understood as {intent}, urgency {urgency} (confidence {confidence:.2f} by {engine})"
        case ReplySent(message=message):
            return f"reply written: {' '.join(message.body.split())[:100]}"
        case TicketHandedOver(reason=reason):
            return f"handed to you: {reason}"
        case TicketClosed(reason=reason):
            return f"ticket closed: {reason}"
        case OrderRefunded(order_id=order_id, refund=refund):
            return f"refunded {refund.amount} on order {order_id}"
        case PurchaseOrderSent(purchase_order=order):
            return f"purchase order {order.purchase_order_id} sent to {order.supplier_id}, {order.total}"
        case ContentPublished(piece=piece):
            return f"page {piece.slug} published: {piece.title}"
    return ""
