"""Years of a small shop, written through the log: what the pages of the console have to cope with."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice

from demo.shop import shop_events
from domain.actions import Action, RefundOrder, Risk, SendReply
from domain.approvals import Approval, ApprovalDecided, ApprovalRequested, Decision, Verb, Via
from domain.connections import Connection, ConnectionDescribed
from domain.decisions import Diff, GateDecision, GateOutcome, Proposal, Verdict, Why
from domain.entities import ContentPiece, Direction, Message
from domain.event import EventData, NewEvent, new_event
from domain.events import ContentPublished, MessageReceived, SaleRecorded, TicketClosed, TicketTriaged
from domain.experiments import Experiment, ExperimentStarted, Objective
from domain.learning import LearningReport, LearningReported
from domain.money import Money
from domain.runs import Outcome, OutcomeRecorded, RunFinished, RunStarted
from memory.memory import Memory

OPEN = 40
"""So many of the questions wait; the others were decided."""
PAGE, REPORT, TRIAL, CONNECTION = "stoneware-mugs", "2026-01-01", "titles-1", "shared-folder"
"""A page, a learning report, a trial and a connection that there are."""
_BATCH = 2_000
_SKUS = 20
_GAP = timedelta(minutes=5)


async def fill(memory: Memory, *, events: int, approvals: int, now: datetime) -> int:
    """Append the demo shop and then cases and sales until there are ``events``, with ``approvals`` questions; the last seq."""
    await memory.log.append(shop_events(now.date()))
    await memory.log.append([new_event(data, at=now, key=(data.stream,)) for data in _one_of_each(now)])
    there = (await memory.log.head()).seq
    happening = _happenings(approvals, now)
    while there < events and (batch := list(islice(happening, min(_BATCH, events - there)))):
        there = (await memory.log.append(batch))[-1].seq
        await memory.outbox.delivered([item.item_id for item in await memory.outbox.pending(_BATCH)])
    return there


def _one_of_each(now: datetime) -> Iterator[EventData]:
    """What the cases do not bring, so that there is an example for every page."""
    told = {"title": "Stoneware mugs", "description": "Which of our mugs is for you", "body": "# Mugs\n\nThree.", "keyword": "mugs"}
    yield ContentPublished(piece=ContentPiece.model_validate({"slug": PAGE, "kind": "buying-guide", "published_at": now, **told}))
    yield LearningReported(report=LearningReport(day=REPORT, at=now, text="nothing new"))
    trial = Experiment(
        experiment_id=TRIAL,
        policy="titles",
        control=0,
        candidate=1,
        risk=Risk.R1,
        objectives=(Objective(metric="ctr"),),
        salt="years",
        level=0.05,
        started_at=now,
        expires_at=now + timedelta(days=28),
        curve=tuple((n, n / 100, n / 200) for n in range(1, 200)),
    )
    yield ExperimentStarted(experiment=trial)
    yield ConnectionDescribed(
        connection=Connection(name=CONNECTION, kind="folder-site", settings={"folder": "/nowhere"}), by="operator"
    )


def _happenings(approvals: int, now: datetime) -> Iterator[NewEvent]:
    """Cases, the oldest first, then sales without end."""
    for number in range(approvals):
        at = now - _GAP * (approvals - number)
        run_id = f"support/{ticket_of(number)}"
        for place, data in enumerate(_case(number, run_id, at, is_open=number >= approvals - OPEN)):
            yield new_event(data, at=at, key=(run_id, str(place)), correlation_id=run_id)
    number = 0
    while True:
        sale = SaleRecorded(sku=f"YEARS-{number % _SKUS}", units=1, day=now.date(), order_id=f"years-{number}")
        yield new_event(sale, at=now, key=("sale", str(number)))
        number += 1


def _case(number: int, run_id: str, at: datetime, *, is_open: bool) -> Iterator[EventData]:
    """A customer writes, Steward understands and asks, the operator answers, and the case is closed."""
    ticket_id, asked = ticket_of(number), _approval(number, run_id, at)
    message = Message(
        message_id=f"{number}@years.example",
        direction=Direction.INBOUND,
        sender=f"customer{number % 900}@years.example",
        at=at,
        body=f"Hello, where is my order {10_000 + number}? It was to be here on Monday.",
    )
    seen = {"intent": "where-is-my-order", "urgency": "normal", "language": "en", "confidence": 0.9, "engine": "local"}
    yield MessageReceived(ticket_id=ticket_id, source="mail", subject=f"Order {10_000 + number}", message=message)
    yield TicketTriaged.model_validate({"ticket_id": ticket_id, **seen})
    yield RunStarted(run_id=run_id, workflow="support", at=at)
    yield ApprovalRequested(approval=asked)
    if is_open:
        return
    yield ApprovalDecided(approval_id=asked.approval_id, decision=_yes(asked), at=at + timedelta(minutes=4))
    yield OutcomeRecorded(run_id=run_id, outcome=Outcome(metric="first-response-minutes", value=4.0, at=at))
    yield TicketClosed(ticket_id=ticket_id, reason="answered")
    yield RunFinished(run_id=run_id, at=at + timedelta(minutes=5), result="answered")


def ticket_of(number: int) -> str:
    return f"mail/years-{number}"


def approval_of(number: int) -> str:
    return f"years-{number:06d}"


def _approval(number: int, run_id: str, at: datetime) -> Approval:
    action = _action(number)
    return Approval(
        approval_id=approval_of(number),
        proposal=Proposal(
            run_id=run_id,
            workflow="support",
            step="one",
            action=action,
            diff=Diff(record=action.stream, record_version="1", before={"messages": 1}, after={"messages": 2}),
            verdict=Verdict(),
            gate=GateDecision(outcome=GateOutcome.ASK, reasons=("the mode is ask",)),
            why=Why(reason="the playbook for where-is-my-order", confidence=0.9, topic="where-is-my-order"),
            policy_versions={"support": 1},
            proposed_at=at,
        ),
        deciders=("operator",),
        requested_at=at,
        remind_at=at + timedelta(days=10),
        escalate_at=at + timedelta(days=11),
        expires_at=at + timedelta(days=12),
    )


def _action(number: int) -> Action:
    if number % 10 == 0:
        return RefundOrder(order_id=str(10_000 + number), amount=Money.of(20), reason="arrived broken")
    return SendReply(
        ticket_id=ticket_of(number),
        message_id=f"re-{number}@clay.example",
        to=f"customer{number % 900}@years.example",
        sender="hello@clay.example",
        subject=f"Re: Order {10_000 + number}",
        body="Hello,\n\nit left us on Monday and should be with you on Thursday.\n\nKim",
    )


def _yes(asked: Approval) -> Decision:
    return Decision(
        decision_id=f"yes/{asked.approval_id}",
        approval_id=asked.approval_id,
        verb=Verb.APPROVE,
        digest=asked.proposal.digest,
        by="operator",
        via=Via.CONSOLE,
    )
