"""Reads the day back from memory: what the report says is what was recorded, not what the demo believes it did."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from demo.report import (
    ALONE,
    APPROVED,
    OPERATOR,
    SILENT,
    UNDONE,
    WAITING,
    ApprovalRow,
    ContentRow,
    EffectRow,
    PurchaseRow,
    StockRow,
    TicketRow,
)
from domain.actions import Action, PlacePurchaseOrder, PublishContent, SendReply
from domain.approvals import Approval, ApprovalStatus
from domain.decisions import Why
from domain.effects import Effect, EffectStatus
from domain.entities import Product, Stock, Ticket, TicketStatus
from domain.event import Event, SalesRow
from memory import Memory

_PAGE = 1_000
_SALES_DAYS = 28
_DONE = (EffectStatus.COMMITTED, EffectStatus.COMPENSATED)


@dataclass(frozen=True)
class Day:
    """Everything the rows are made from, read once."""

    events: Sequence[Event]
    tickets: Sequence[Ticket]
    approvals: Sequence[Approval]
    effects: Sequence[Effect]
    products: Mapping[str, Product]
    stock: Sequence[Stock]
    sales: Sequence[SalesRow]

    def effects_of(self, run_id: str) -> list[Effect]:
        return [e for e in self.effects if e.run_id == run_id and e.status in _DONE and not e.compensates]

    def pending(self, run_id: str) -> list[Approval]:
        return [a for a in self.approvals if a.proposal.run_id == run_id and a.status is ApprovalStatus.PENDING]


async def read_day(memory: Memory, today: date) -> Day:
    since, until = today - timedelta(days=_SALES_DAYS), today - timedelta(days=1)
    return Day(
        events=await _all_events(memory),
        tickets=await memory.state.find(Ticket),
        approvals=await memory.state.find(Approval),
        effects=sorted(await memory.ledger.effects(), key=lambda e: e.reserved_at),
        products={p.sku: p for p in await memory.state.find(Product)},
        stock=await memory.state.find(Stock),
        sales=await memory.state.sales(since=since, until=until),
    )


async def _all_events(memory: Memory) -> list[Event]:
    events: list[Event] = []
    while page := await memory.log.read(after=events[-1].seq if events else 0, limit=_PAGE):
        events += page
    return events


def engines(day: Day) -> dict[str, int]:
    """Which engine understood how many messages."""
    return dict(Counter(str(e.data["engine"]) for e in day.events if e.type == "ticket.triaged"))


def ticket_rows(day: Day) -> tuple[TicketRow, ...]:
    arrived = _first(day.events, "ticket.message-received")
    answered = _first(day.events, "ticket.reply-sent")
    engine = {e.stream: str(e.data["engine"]) for e in day.events if e.type == "ticket.triaged"}
    rows = []
    for ticket in sorted(day.tickets, key=lambda t: t.messages[0].at):
        stream, run_id = f"ticket/{ticket.ticket_id}", f"support/{ticket.ticket_id}"
        done = day.effects_of(run_id)
        first = answered.get(stream)
        rows.append(
            TicketRow(
                ticket_id=ticket.ticket_id,
                sender=ticket.sender,
                subject=ticket.subject,
                intent=ticket.intent or "",
                language=ticket.language or "",
                engine=engine.get(stream, ""),
                outcome=_ticket_outcome(ticket, done, waiting=bool(day.pending(run_id))),
                seconds=(first - arrived[stream]).total_seconds() if first else None,
                actions=tuple(e.action.summary() for e in done),
            )
        )
    return tuple(rows)


def purchase_rows(day: Day) -> tuple[PurchaseRow, ...]:
    placed = [(e.action, e.run_id, _effect_outcome(e)) for e in day.effects if e.status in _DONE]
    return tuple(
        PurchaseRow(
            supplier=action.purchase_order.supplier_id,
            lines=len(action.purchase_order.lines),
            units=sum(line.units for line in action.purchase_order.lines),
            total=action.purchase_order.total.amount,
            currency=action.purchase_order.total.currency,
            outcome=outcome,
            trigger="a sale that crossed a reorder point" if _is_crossing(run_id) else "the plan of the day",
            why=tuple(f"{line.sku}: {line.why}" for line in action.purchase_order.lines),
        )
        for action, run_id, outcome in (*placed, *_waiting(day))
        if isinstance(action, PlacePurchaseOrder)
    )


def content_rows(day: Day) -> tuple[ContentRow, ...]:
    reasons = {a.proposal.action.stream: a.proposal.why for a in day.approvals}
    placed = [(e.action, e.run_id, _effect_outcome(e)) for e in day.effects if e.status in _DONE and not e.compensates]
    return tuple(
        ContentRow(
            slug=action.piece.slug,
            title=action.piece.title,
            words=len(action.piece.body.split()),
            outcome=outcome,
            why=reasons.get(action.stream, Why(reason="")).reason,
        )
        for action, _, outcome in (*placed, *_waiting(day))
        if isinstance(action, PublishContent)
    )


def approval_rows(day: Day) -> tuple[ApprovalRow, ...]:
    return tuple(
        ApprovalRow(
            approval_id=a.approval_id,
            workflow=a.proposal.workflow,
            summary=a.proposal.action.summary(),
            reasons=a.proposal.gate.reasons,
            answer="open" if a.status is ApprovalStatus.PENDING else str(a.status),
            by=a.decided_by,
            note=a.decision.reason if a.decision else "",
        )
        for a in sorted(day.approvals, key=lambda a: (a.requested_at, a.approval_id))
    )


def effect_rows(day: Day) -> tuple[EffectRow, ...]:
    """Effects by the time at which the log has them."""
    recorded: dict[str, datetime] = {}
    for event in day.events:
        recorded.setdefault(event.causation_id, event.recorded_at)
    rows = [
        EffectRow(
            at=recorded.get(e.key, e.updated_at),
            kind=e.action.kind,
            summary=e.action.summary(),
            status=str(e.status),
            compensates=bool(e.compensates),
        )
        for e in day.effects
    ]
    return tuple(sorted(rows, key=lambda row: row.at))


def stock_rows(day: Day) -> tuple[StockRow, ...]:
    sold: Counter[str] = Counter()
    for row in day.sales:
        sold[row.sku] += row.units
    rows = []
    for stock in day.stock:
        product, daily = day.products[stock.sku], sold[stock.sku] / _SALES_DAYS
        rows.append(
            StockRow(
                sku=stock.sku,
                title=product.title,
                supplier=product.supplier_id,
                units=stock.on_hand,
                ordered=stock.on_order,
                daily=daily,
                before=stock.here / daily if daily else None,
                after=(stock.here + stock.on_order) / daily if daily else None,
            )
        )
    return tuple(rows)


def _first(events: Iterable[Event], event_type: str) -> dict[str, datetime]:
    """When an event of this type was first recorded on each stream."""
    found: dict[str, datetime] = {}
    for event in events:
        if event.type == event_type:
            found.setdefault(event.stream, event.recorded_at)
    return found


def _ticket_outcome(ticket: Ticket, done: Sequence[Effect], *, waiting: bool) -> str:
    if waiting:
        return WAITING
    if ticket.status is TicketStatus.WITH_OPERATOR:
        return OPERATOR
    if not any(isinstance(e.action, SendReply) for e in done):
        return SILENT if ticket.status is TicketStatus.CLOSED else OPERATOR
    return APPROVED if any(e.approval_id for e in done) else ALONE


def _effect_outcome(effect: Effect) -> str:
    if effect.status is EffectStatus.COMPENSATED:
        return UNDONE
    return APPROVED if effect.approval_id else ALONE


def _waiting(day: Day) -> list[tuple[Action, str, str]]:
    return [(a.proposal.action, a.proposal.run_id, WAITING) for a in day.approvals if a.status is ApprovalStatus.PENDING]


def _is_crossing(run_id: str) -> bool:
    """``replenish/<date>`` plans for all; ``replenish/<supplier>`` was woken by a crossing."""
    return not run_id.removeprefix("replenish/")[:4].isdigit()
