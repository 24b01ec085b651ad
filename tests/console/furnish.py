"""A business to look at: the demo shop with tickets, questions, runs, effects, alerts, a trial and what was learned.

Written as events through the log, so that everything on a page is what the log makes of it.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from demo.shop import shop_events
from domain.actions import Action, ChangeAddress, PlacePurchaseOrder, PublishContent, RefundOrder, SendReply
from domain.approvals import Approval, ApprovalRequested
from domain.decisions import Diff, Finding, GateDecision, GateOutcome, Mode, Proposal, Severity, Verdict, Why
from domain.entities import (
    Address,
    ContentMetrics,
    ContentPiece,
    Direction,
    Message,
    PurchaseOrder,
    PurchaseOrderLine,
)
from domain.event import EventData, NewEvent, new_event
from domain.events import ContentMeasured, ContentPublished, MessageReceived, ProductListed, ReorderPointSet, TicketTriaged
from domain.learning import LearningReport, LearningReported, MetricSummary
from domain.money import Money
from domain.runs import Alert, AlertLevel, AlertRaised, ModeSet, Outcome, OutcomeRecorded, RunFinished, RunStarted
from memory.memory import Memory
from tests.console.effects import past_effects
from tests.console.past import learned, past, queue

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"
"""In a ticket, a subject, a title: it has to be shown as text."""


async def furnish(memory: Memory, *, now: datetime) -> None:
    """Fill an empty memory. ``now`` is the moment the pages are looked at."""
    shop = shop_events(now.date())
    await memory.log.append(shop)
    await memory.log.append(_named(_reorder_points(shop), "", now - timedelta(days=1)))
    await memory.log.append([event for run_id, at, events in _happenings(now) for event in _named(events, run_id, at)])
    await past_effects(memory, now=now)


def _named(events: Iterable[EventData], run_id: str, at: datetime) -> list[NewEvent]:
    return [
        new_event(e, at=at, key=(run_id, e.stream, at.isoformat(), str(n)), correlation_id=run_id) for n, e in enumerate(events)
    ]


def _happenings(now: datetime) -> Iterable[tuple[str, datetime, list[EventData]]]:
    hour = timedelta(hours=1)
    yield from past(now, _asked)
    yield "", now - 30 * hour, [ModeSet(scope="content", mode=Mode.ASK, by="operator")]
    for n in range(6):
        yield _finished(f"support/mail/past-{n}@example.org", now - timedelta(days=n + 1), minutes=2 + n)
    for n, (action, topic, reason) in enumerate(questions(now)):
        run_id = f"support/{ticket_of(n)}" if isinstance(action, (SendReply, RefundOrder, ChangeAddress)) else f"replenish/demo-{n}"
        asked = now - (n + 1) * hour
        yield run_id, asked, [*_ticket(n, topic, asked), RunStarted(run_id=run_id, workflow=_workflow(action), at=asked)]
        yield run_id, asked, [ApprovalRequested(approval=approval(n, action, run_id, topic=topic, reason=reason, now=asked))]
    yield "", now - hour, list(_alerts(now))
    yield "", now - timedelta(days=20), [ContentPublished(piece=piece(now - timedelta(days=20)))]
    yield "", now - hour, [ContentMeasured(slug="choosing-a-mug", metrics=m) for m in metrics(now)]
    yield "learn", now - 6 * hour, [*learned(now), LearningReported(report=report(now))]


def _asked(n: int, run_id: str, at: datetime) -> Approval:
    """A reply that was asked in the past."""
    action, topic, reason = questions(at)[1]
    return approval(1_000 + n, action, run_id, topic=topic, reason=reason, now=at)


_PAGE = "# Care of stoneware\n\n" + "Stoneware goes into the dishwasher, and it lasts for years. " * 12


def questions(now: datetime) -> list[tuple[Action, str, str]]:
    """(action, topic, why it is asked) of every question that waits."""
    refund = RefundOrder(order_id="10001", amount=Money.of("64.00"), reason="arrived broken")
    page = piece(None).model_copy(update={"slug": "care-of-stoneware", "title": "Care of stoneware", "body": _PAGE})
    return [
        (refund, "damaged", "64.00 EUR is over the limit of 40.00 EUR"),
        (_reply(1, "Your order is on its way"), "where-is-my-order", "support/send-reply is asked"),
        (_reply(2, HOSTILE), "product-question", "the confidence of 0.61 is below 0.80"),
        (_purchase(now), "supplier", "320.00 EUR is over the limit of 250.00 EUR"),
        (PublishContent(piece=page), "page", "content/publish-content is asked"),
        (ChangeAddress(order_id="10002", address=_ADDRESS), "change-address", "support/change-address is asked"),
    ]


def approval(n: int, action: Action, run_id: str, *, topic: str, reason: str, now: datetime) -> Approval:
    return Approval(
        approval_id=f"{n:04d}-question",
        proposal=Proposal(
            run_id=run_id,
            workflow=_workflow(action),
            step="one",
            action=action,
            diff=Diff(record=action.stream, record_version="7", before=_before(action), after=_after(action)),
            verdict=Verdict(findings=(Finding(code="tone", severity=Severity.NOTE, text="reads like the last replies"),)),
            gate=GateDecision(outcome=GateOutcome.ASK, reasons=(reason,)),
            why=Why(reason=f"the playbook for {topic}", confidence=0.87, facts={"order/10001#total": "64.00 EUR"}, topic=topic),
            policy_versions={"approval": 1, "support": 1},
            proposed_at=now,
        ),
        deciders=("operator",),
        requested_at=now,
        remind_at=now + timedelta(hours=24),
        escalate_at=now + timedelta(hours=48),
        expires_at=now + timedelta(hours=72),
    )


def ticket_of(n: int) -> str:
    return f"mail/question-{n}@example.org"


def _ticket(n: int, topic: str, at: datetime) -> list[EventData]:
    ticket_id, hostile = ticket_of(n), n == 2
    message = Message(
        message_id=f"question-{n}@example.org",
        direction=Direction.INBOUND,
        sender=f"customer{n}@example.org",
        at=at,
        body=HOSTILE if hostile else "My mug arrived broken. Could you help me, please?",
    )
    subject = HOSTILE if hostile else f"Question {n}"
    seen = {"intent": topic, "urgency": "normal", "language": "en", "confidence": 0.87, "engine": "local"}
    return [
        MessageReceived(ticket_id=ticket_id, source="mail", subject=subject, message=message),
        TicketTriaged.model_validate({"ticket_id": ticket_id, **seen}),
    ]


def _finished(run_id: str, at: datetime, *, minutes: int) -> tuple[str, datetime, list[EventData]]:
    outcome = Outcome(metric="first-response-minutes", value=float(minutes), at=at)
    unaided = Outcome(metric="unaided", value=1.0, at=at)
    return (
        run_id,
        at,
        [
            RunStarted(run_id=run_id, workflow="support", at=at),
            OutcomeRecorded(run_id=run_id, outcome=outcome),
            OutcomeRecorded(run_id=run_id, outcome=unaided),
            RunFinished(run_id=run_id, at=at + timedelta(minutes=minutes), result="answered"),
        ],
    )


def _workflow(action: Action) -> str:
    return {"place-purchase-order": "replenish", "publish-content": "content"}.get(action.kind, "support")


def _before(action: Action) -> dict[str, object]:
    if isinstance(action, PublishContent):
        return {"piece": None}
    return {"refunded": "0.00 EUR", "status": "delivered"} if isinstance(action, RefundOrder) else {"messages": 1}


def _after(action: Action) -> dict[str, object]:
    if isinstance(action, PublishContent):
        return {"piece": action.piece.model_dump(mode="json")}
    return {"refunded": "64.00 EUR", "status": "delivered"} if isinstance(action, RefundOrder) else {"messages": 2}


_ADDRESS = Address(name="Ada Berg", line1="Elm Road 3", postcode="10115", city="Berlin", country="DE")


def _reply(n: int, subject: str) -> SendReply:
    return SendReply(
        ticket_id=ticket_of(n),
        message_id=f"reply-{n}@clay.example",
        to=f"customer{n}@example.org",
        sender="hello@clay.example",
        subject=subject,
        body="Hello,\n\nyour order 10001 left us on Monday and should be with you on Thursday.\n\nKim",
    )


def _purchase(now: datetime) -> PlacePurchaseOrder:
    why = "12 left, 9 a week, 14 days to arrive"
    line = PurchaseOrderLine(sku="MUG-01", title="Mug", units=40, unit_cost=Money.of("8.00"), why=why)
    arrives = now + timedelta(days=14)
    order = PurchaseOrder(purchase_order_id="PO-1007", supplier_id="kiln", lines=(line,), ordered_at=now, expected_at=arrives)
    return PlacePurchaseOrder(purchase_order=order, to="orders@kiln.example", sender="hello@clay.example")


def piece(published_at: datetime | None) -> ContentPiece:
    return ContentPiece(
        slug="choosing-a-mug",
        kind="buying-guide",
        title="Choosing a mug",
        description="How to choose a mug that fits your hand.",
        body="# Choosing a mug\n\nA mug holds **300 ml**.",
        keyword="mug",
        published_at=published_at,
    )


def metrics(now: datetime) -> tuple[ContentMetrics, ...]:
    days = (now.date() - timedelta(days=n) for n in range(14, 0, -1))
    return tuple(ContentMetrics(day=d, impressions=200 + 5 * n, clicks=6 + n % 4, seconds_on_page=40.0) for n, d in enumerate(days))


def report(now: datetime) -> LearningReport:
    return LearningReport(
        day=now.date().isoformat(),
        at=now - timedelta(hours=6),
        outcomes=(MetricSummary(metric="first-response-minutes", count=6, mean=4.5, bad=0),),
        queue=queue(),
        proposed=("let replies to where-is-my-order go out alone",),
        text="Six replies, none corrected.",
    )


def _reorder_points(events: list[NewEvent]) -> list[EventData]:
    products = [event.data.product for event in events if isinstance(event.data, ProductListed)][:8]
    return [ReorderPointSet(sku=p.sku, reorder_point=12, supplier_id=p.supplier_id, why="14 days at 95 %") for p in products]


def _alerts(now: datetime) -> Iterable[EventData]:
    silent = Alert(
        key="connector/shop", level=AlertLevel.WARNING, text="the shop did not answer", what_to_do="look at Connectors", at=now
    )
    late = Alert(key="supplier/kiln", level=AlertLevel.INFO, text="purchase order PO-1001 is late", at=now)
    return (AlertRaised(alert=silent), AlertRaised(alert=late))
