"""What happened in a small shop, made by hand: approvals and how they ended, tickets, runs, deliveries."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from domain.actions import Action, PlacePurchaseOrder, SendReply
from domain.approvals import Approval, ApprovalStatus, Decision, Verb
from domain.decisions import Diff, Finding, GateDecision, GateOutcome, Proposal, Severity, Verdict, Why
from domain.entities import Direction, Message, Product, PurchaseOrder, PurchaseOrderLine, Supplier, Ticket
from domain.failures import Failure, Labeller, RootCause
from domain.money import Money
from domain.runs import Outcome, Run

NOW = datetime(2026, 3, 30, 20, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SIGNATURE = "Kind regards\nRobin"
MUG = Product(
    sku="MUG-1",
    title="Stoneware mug",
    price=Money.of(18),
    unit_cost=Money.of(6),
    supplier_id="s-1",
    attributes={"material": "clay"},
)
VASE = Product(
    sku="VASE-2", title="Tall vase", price=Money.of(64), unit_cost=Money.of(20), supplier_id="s-1", attributes={"care": "wipe it"}
)
SUPPLIER = Supplier(supplier_id="s-1", name="Stone & Co", email="orders@stone.example", lead_time_days=7)
_VERBS = {ApprovalStatus.APPROVED: Verb.APPROVE, ApprovalStatus.EDITED: Verb.EDIT, ApprovalStatus.REJECTED: Verb.REJECT}


def reply(text: str, *, number: int = 1, facts: Mapping[str, str] | None = None) -> SendReply:
    """A letter with greeting and signature; without ``text`` a request to write one."""
    body = f"Hello Ada,\n\n{text}\n\n{SIGNATURE}" if text else ""
    return SendReply(
        ticket_id=f"t-{number}",
        message_id=f"<m{number}@shop.example>",
        to=f"ada{number}@mail.example",
        sender="help@shop.example",
        subject="Re: hello",
        body=body,
        facts={**(facts or {}), "shop/self#signature": SIGNATURE} if text else {},
    )


def approval(
    action: Action,
    status: ApprovalStatus = ApprovalStatus.APPROVED,
    *,
    number: int = 1,
    reason: str = "late: shipped",
    said: str = "",
    edited: Action | None = None,
    at: datetime = NOW - DAY,
    gate: tuple[str, ...] = ("the mode is ask",),
    findings: tuple[tuple[str, str], ...] = (),
    facts: Mapping[str, str] | None = None,
    **why: Any,
) -> Approval:
    """A decided question of the run ``support/t-<number>``; ``reason`` is the planner's, ``said`` the operator's."""
    stated = action.facts if isinstance(action, SendReply) else {}
    proposal = Proposal(
        run_id=f"support/t-{number}",
        workflow="support",
        step="turn-1/reply",
        action=action,
        diff=Diff(record="mail", record_version="0", before={}, after={}),
        verdict=Verdict(findings=tuple(Finding(code=c, severity=Severity.HOLD, text=t) for c, t in findings)),
        gate=GateDecision(outcome=GateOutcome.ASK, reasons=gate),
        why=Why(reason=reason, facts={"ticket": f"t-{number}", **stated, **(facts or {})}, **why),
        policy_versions={},
        proposed_at=at,
    )
    verb = _VERBS.get(status)
    decision = verb and Decision(
        decision_id="d", approval_id=f"a-{number}", verb=verb, digest=proposal.digest, by="operator", reason=said, action=edited
    )
    return Approval(
        approval_id=f"a-{number}",
        proposal=proposal,
        deciders=("operator",),
        requested_at=at,
        remind_at=at + DAY,
        escalate_at=at + DAY,
        expires_at=at + 3 * DAY,
        status=status,
        decided_by="operator" if decision else "",
        decided_at=at,
        decision=decision,
    )


def handed_over(because: str, *, number: int = 1, said: str = "my own words", **more: Any) -> Approval:
    """The operator was asked to write, and did."""
    written = reply("I have looked into it for you.", number=number)
    why = {"reason": because, "force_ask": because, **more}
    return approval(reply("", number=number), ApprovalStatus.EDITED, number=number, said=said, edited=written, **why)


def ticket(number: int = 1, *, text: str = "where is it?", intent: str = "late", **more: Any) -> Ticket:
    message = Message(message_id=f"<c{number}@mail.example>", direction=Direction.INBOUND, sender="a", at=NOW - 2 * DAY, body=text)
    base = Ticket(ticket_id=f"t-{number}", source="mail", sender=f"ada{number}@mail.example", messages=(message,), intent=intent)
    return base.model_copy(update=more)


def run(number: int = 1, *, run_id: str = "", outcomes: Mapping[str, float] | None = None, **more: Any) -> Run:
    measured = tuple(Outcome(metric=metric, value=value, at=NOW - DAY) for metric, value in (outcomes or {}).items())
    base = Run(run_id=run_id or f"support/t-{number}", workflow="support", started_at=NOW - 2 * DAY, finished_at=NOW - DAY)
    return base.model_copy(update={"outcomes": measured, **more})


def delivery(number: int, *, days: float, expected: float = 7) -> PurchaseOrder:
    """An order at the supplier that took ``days``."""
    line = PurchaseOrderLine(sku=MUG.sku, title=MUG.title, units=12, unit_cost=MUG.unit_cost)
    at = NOW - 40 * DAY + number * DAY
    return PurchaseOrder(
        purchase_order_id=f"po-{number}",
        supplier_id=SUPPLIER.supplier_id,
        lines=(line,),
        ordered_at=at,
        expected_at=at + expected * DAY,
        received_at=at + days * DAY,
    )


def purchase(supplier: str, total: str) -> PlacePurchaseOrder:
    """One line that comes to ``total``."""
    line = PurchaseOrderLine(sku=MUG.sku, title=MUG.title, units=1, unit_cost=Money.of(Decimal(total)))
    order = PurchaseOrder(purchase_order_id="po-1", supplier_id=supplier, lines=(line,), ordered_at=NOW, expected_at=NOW + DAY)
    return PlacePurchaseOrder(purchase_order=order, to="orders@stone.example", sender="help@shop.example")


def failure(number: int = 1, **more: Any) -> Failure:
    base = Failure(
        failure_id=f"f-{number}",
        run_id=f"support/t-{number}",
        metric="corrected",
        value=1.0,
        topic="late",
        mode="wrong intent: late",
        cause=RootCause.MODEL,
        labelled_by=Labeller.RULES,
        cost=2.0,
        at=NOW - DAY,
    )
    return base.model_copy(update=more)
