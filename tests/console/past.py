"""What lies behind the furnished business: weeks of decided questions, what was learned of them, and what is tried."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from domain.actions import Risk
from domain.approvals import Approval, ApprovalDecided, ApprovalRequested, Decision, Verb
from domain.autonomy import ClassReviewed, Grant
from domain.entities import Direction, Message, Refund
from domain.event import EventData
from domain.events import MessageReceived, OrderRefunded, TicketClosed, TicketHandedOver, TicketTriaged
from domain.experiments import Evidence, Experiment, ExperimentStarted, Objective
from domain.failures import Failure, FailureFound, Labeller, RootCause
from domain.labels import Label, LabelGiven, LabelSource
from domain.learning import FixItem
from domain.money import Money
from domain.policies import AutonomyPolicy, ContentPolicy, PolicyProposed, PolicyTrialStarted, PolicyVersion

CLASS = "support/send-reply/where-is-my-order/no-money"
DAYS = 30


Asking = Callable[[int, str, datetime], Approval]
"""(number, run, when) -> a question."""


def past(now: datetime, asking: Asking) -> Iterable[tuple[str, datetime, list[EventData]]]:
    """One ticket a day, at noon, that was decided: every fifth was changed, every seventh left to the operator."""
    for n in range(1, DAYS + 1):
        at = (now - timedelta(days=n)).replace(hour=12)
        ticket_id = f"mail/past-{n}@example.org"
        run_id, wrong = f"support/{ticket_id}", n % 5 == 0
        yield run_id, at, [*_came(ticket_id, at), *_decided(asking(n, run_id, at), at, Verb.REJECT if wrong else Verb.APPROVE)]
        yield run_id, at, [_label(ticket_id, at, wrong), ClassReviewed(key=CLASS, ref=run_id, corrected=wrong, at=at)]
        if n % 7 == 0:
            yield run_id, at, [TicketHandedOver(ticket_id=ticket_id, reason="nobody knows that")]
        yield run_id, at + timedelta(hours=1), [TicketClosed(ticket_id=ticket_id, reason="answered")]
    refund = Refund(refund_id="past", amount=Money.of("12.00"), reason="late", at=now - timedelta(days=3))
    yield "", now - timedelta(days=3), [OrderRefunded(order_id="10355", refund=refund)]


def learned(now: datetime) -> list[EventData]:
    """A standing rule that is proposed, a change that is tried, and a failure whose cause is asked."""
    return [
        PolicyProposed(name="autonomy", version=_version(1, _granted(now), now, f"do {CLASS} without asking")),
        PolicyProposed(name="content", version=_version(2, ContentPolicy(pages_per_run=7), now, "more pages a week")),
        PolicyTrialStarted(name="content", experiment_id="content@2"),
        ExperimentStarted(experiment=experiment(now)),
        FailureFound(failure=_failure(now)),
    ]


def experiment(now: datetime) -> Experiment:
    """A trial with a few judgements behind it."""
    return Experiment(
        experiment_id="content@2",
        policy="content",
        control=1,
        candidate=2,
        risk=Risk.R1,
        objectives=(Objective(metric="ctr"),),
        salt="salt",
        level=0.05,
        started_at=now - timedelta(days=6),
        expires_at=now + timedelta(days=22),
        exposed=40,
        evidence=Evidence(exposed=40, exposed_candidate=13, matured=32, matured_candidate=10, win=4.2, harm={"ctr": 0.8}),
        share=0.33,
        curve=tuple((n * 4, 1.0 + n * 0.4, 0.8) for n in range(1, 9)),
    )


def queue() -> tuple[FixItem, ...]:
    """What is most worth mending."""
    why = "3 cases in 30 days at 4.00 each, two of three of such could be mended"
    item = FixItem(
        mode="wrong intent: damaged",
        cause=RootCause.MODEL,
        cases=3,
        cost_per_case=4.0,
        fixable=0.66,
        recency=0.9,
        effort=1.0,
        score=7.1,
        examples=("support/mail/past-5@example.org",),
        why=why,
    )
    return (item,)


def _came(ticket_id: str, at: datetime) -> list[EventData]:
    message = Message(
        message_id=ticket_id.removeprefix("mail/"),
        direction=Direction.INBOUND,
        sender="past@example.org",
        at=at,
        body="Where is my order?",
    )
    seen = {"intent": "where-is-my-order", "urgency": "normal", "language": "en", "confidence": 0.9, "engine": "local"}
    return [
        MessageReceived(ticket_id=ticket_id, source="mail", subject="My order", message=message),
        TicketTriaged.model_validate({"ticket_id": ticket_id, **seen}),
    ]


def _decided(asked: Approval, at: datetime, verb: Verb) -> list[EventData]:
    decision = Decision(
        decision_id=f"past-{asked.approval_id}",
        approval_id=asked.approval_id,
        verb=verb,
        digest=asked.proposal.digest,
        by="operator",
        reason="not like that" if verb is Verb.REJECT else "",
    )
    return [ApprovalRequested(approval=asked), ApprovalDecided(approval_id=asked.approval_id, decision=decision, at=at)]


def _label(ticket_id: str, at: datetime, wrong: bool) -> LabelGiven:
    intent, source = ("late", LabelSource.CORRECTED) if wrong else ("where-is-my-order", LabelSource.APPROVED)
    return LabelGiven(label=Label(ticket_id=ticket_id, text="Where?", intent=intent, source=source, by="operator", at=at))


def _granted(now: datetime) -> AutonomyPolicy:
    return AutonomyPolicy(grants={CLASS: Grant(key=CLASS, limit=0.15, sample=0.1, earned_at=now, why="30 reviews")})


def _version(number: int, document: AutonomyPolicy | ContentPolicy, now: datetime, why: str) -> PolicyVersion:
    """Made from the version before it."""
    return PolicyVersion(
        version=number,
        document=document.model_dump(mode="json"),
        proposed_by="learner",
        at=now,
        why=why,
        parent=number - 1,
        risk=Risk.R1,
    )


def _failure(now: datetime) -> Failure:
    return Failure(
        failure_id="f" * 8,
        run_id="support/mail/past-5@example.org",
        metric="corrected",
        value=1.0,
        mode="wrong intent: damaged",
        cause=RootCause.MODEL,
        labelled_by=Labeller.RULES,
        asked=True,
        at=now - timedelta(days=5),
    )
