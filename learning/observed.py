"""What a learning cycle looks at, and the bad cases in it: results that were bad, and what a person had to change or write.

A case is one of them before anybody said why it happened; ``learning.failure_rules`` says that.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from domain.actions import SendReply
from domain.approvals import Approval, ApprovalStatus
from domain.entities import Product, PurchaseOrder, Supplier, Ticket
from domain.labels import Label
from domain.metrics import METRICS
from domain.model import Moment
from domain.playbooks import FOLLOW_UP
from domain.policies import SupportPolicy
from domain.runs import Outcome, Run

CORRECTED, UNAIDED = "corrected", "unaided"
_HANDED_OVER = "with the operator: "
_INTENT_NAMED = re.compile(r"\bintent\s*[:=]\s*([a-z][a-z-]*)", re.IGNORECASE)


class Kind(StrEnum):
    EDITED = "edited"
    REJECTED = "rejected"
    HANDED_OVER = "handed-over"  # a person had to write
    ASKED = "asked"  # a doubt of ours, and the operator changed nothing
    EXPIRED = "expired"
    FAILED = "failed"  # an outside system refused
    REFUSED = "refused"  # the auditor, a bound or a breaker did
    MEASURED = "measured"


@dataclass(frozen=True, kw_only=True)
class Case:
    """One bad thing of one run. ``occurrence`` tells it from others of the same metric; ``told`` is what was said about it."""

    kind: Kind
    run_id: str
    metric: str
    occurrence: str
    value: float
    at: Moment
    told: str = ""
    approval: Approval | None = None
    ticket: Ticket | None = None
    guess: str = ""  # the intent it was taken for
    right: str = ""  # the intent a person gave it; empty where nobody did
    topic: str = ""


@dataclass(frozen=True, kw_only=True)
class Observed:
    """The state at one moment. Results and decisions count from ``since`` on; older records explain newer cases.

    ``topics`` says what a run is about (intent, supplier, SKU, slug) where no approval of it does.
    """

    since: Moment | None
    runs: Sequence[Run] = ()
    approvals: Sequence[Approval] = ()
    tickets: Sequence[Ticket] = ()
    labels: Sequence[Label] = ()
    products: Sequence[Product] = ()
    suppliers: Sequence[Supplier] = ()
    purchase_orders: Sequence[PurchaseOrder] = ()
    support: SupportPolicy = field(default_factory=SupportPolicy)
    topics: Mapping[str, str] = field(default_factory=dict)

    def is_new(self, at: Moment | None) -> bool:
        return at is not None and (self.since is None or at >= self.since)

    @cached_property
    def ticket_by_id(self) -> Mapping[str, Ticket]:
        return {ticket.ticket_id: ticket for ticket in self.tickets}

    @cached_property
    def label_by_ticket(self) -> Mapping[str, str]:
        return {label.ticket_id: label.intent for label in self.labels}

    @cached_property
    def approvals_by_run(self) -> Mapping[str, tuple[Approval, ...]]:
        found: dict[str, list[Approval]] = {}
        for approval in sorted(self.approvals, key=lambda a: (a.requested_at, a.approval_id)):
            found.setdefault(approval.proposal.run_id, []).append(approval)
        return {run: tuple(of_run) for run, of_run in found.items()}


def cases(observed: Observed) -> tuple[Case, ...]:
    """Every bad case since then, each once: a result that an approval of the same run explains better is left to it."""
    asked = [case for approval in observed.approvals if (case := _of_approval(approval, observed)) is not None]
    covered = {(case.run_id, case.metric) for case in asked} | {(case.run_id, UNAIDED) for case in asked}
    measured = [case for run in observed.runs for case in _of_run(run, observed) if (case.run_id, case.metric) not in covered]
    broken = [case for run in observed.runs for case in _broken(run, observed)]
    return (*asked, *measured, *broken)


def unwritten(approval: Approval) -> bool:
    """Whether it asked the operator to write a reply."""
    action = approval.proposal.action
    return isinstance(action, SendReply) and not action.body.strip()


def follows_up(approval: Approval) -> bool:
    """Whether it asks a silent customer how it is, which says nothing about what they wrote."""
    return approval.proposal.step == FOLLOW_UP


def by_person(approval: Approval) -> bool:
    return approval.decision is not None and approval.decision.by == approval.decided_by


def confidence_alone(approval: Approval) -> str:
    """The gate's word that confidence was too low, where nothing else made it ask."""
    reasons = approval.proposal.gate.reasons
    return reasons[0] if len(reasons) == 1 and reasons[0].startswith("confidence ") else ""


def intent_guessed(approval: Approval, support: SupportPolicy) -> str:
    """The intent that the ticket was taken for when this was proposed; empty for a follow-up, which is of none."""
    if follows_up(approval):
        return ""
    why = approval.proposal.why
    named = (why.topic, why.facts.get("intent", ""), why.reason.partition(":")[0])
    return next((name for name in named if name in support.playbooks), "")


def situation_of(approval: Approval) -> str:
    """The situation the reply was for, as the planner words its reason: ``late: shipped``."""
    return approval.proposal.why.reason.partition(": ")[2]


def intent_named(reason: str) -> str:
    """The intent in the operator's reason (``intent: damaged``), known or new; empty where none is."""
    named = _INTENT_NAMED.search(reason)
    return named[1].lower() if named else ""


def _of_approval(approval: Approval, observed: Observed) -> Case | None:
    kind = _kind(approval)
    if kind is None or not observed.is_new(approval.decided_at) or approval.proposal.step.endswith("/own-words"):
        return None
    proposal, reason = approval.proposal, approval.decision.reason if approval.decision else ""
    ticket = _ticket(approval, observed)
    guess = intent_guessed(approval, observed.support)
    return Case(
        kind=kind,
        run_id=proposal.run_id,
        metric=CORRECTED if kind in (Kind.EDITED, Kind.REJECTED) else UNAIDED,
        occurrence=approval.approval_id,
        value=1.0 if kind in (Kind.EDITED, Kind.REJECTED) else 0.0,
        at=approval.decided_at or approval.requested_at,
        told="; ".join(part for part in (proposal.why.force_ask or confidence_alone(approval), reason) if part),
        approval=approval,
        ticket=ticket,
        guess=guess,
        right=intent_named(reason) or _right(_ticket_id(approval), observed),
        topic=guess or proposal.why.topic or observed.topics.get(proposal.run_id, ""),
    )


def _kind(approval: Approval) -> Kind | None:
    match approval.status:
        case ApprovalStatus.EDITED | ApprovalStatus.REJECTED if unwritten(approval):
            return Kind.HANDED_OVER
        case ApprovalStatus.EDITED:
            return Kind.EDITED
        case ApprovalStatus.REJECTED:
            return Kind.REJECTED
        case ApprovalStatus.EXPIRED:
            return Kind.EXPIRED
        case ApprovalStatus.APPROVED if by_person(approval) and (approval.proposal.why.force_ask or confidence_alone(approval)):
            return Kind.ASKED
    return None


def _of_run(run: Run, observed: Observed) -> Iterator[Case]:
    for outcome in run.outcomes:
        metric = METRICS.get(outcome.metric)
        if metric is not None and metric.bad(outcome.value) and observed.is_new(outcome.at):
            yield _measured(run, outcome, observed)


def _measured(run: Run, outcome: Outcome, observed: Observed) -> Case:
    approvals = observed.approvals_by_run.get(run.run_id, ())
    last = next((a for a in reversed(approvals) if not follows_up(a)), None)
    ticket = _ticket(last, observed) if last else observed.ticket_by_id.get(run.run_id.removeprefix("support/"))
    guess = intent_guessed(last, observed.support) if last else _guess(ticket)
    return Case(
        kind=Kind.MEASURED,
        run_id=run.run_id,
        metric=outcome.metric,
        occurrence=outcome.at.isoformat(),
        value=outcome.value,
        at=outcome.at,
        told=run.result.removeprefix(_HANDED_OVER) if run.result.startswith(_HANDED_OVER) else "",
        approval=last,
        ticket=ticket,
        guess=guess,
        right=_right(ticket.ticket_id if ticket else "", observed),
        topic=guess or observed.topics.get(run.run_id, "") or (last.proposal.why.topic if last else ""),
    )


def _broken(run: Run, observed: Observed) -> Iterator[Case]:
    """Actions of the run that an outside system or our own checks refused."""
    at = run.finished_at or run.started_at
    if not observed.is_new(at):
        return
    for kind, entries in ((Kind.FAILED, run.failed), (Kind.REFUSED, run.refused)):
        for place, told in enumerate(entries):
            yield Case(
                kind=kind,
                run_id=run.run_id,
                metric=UNAIDED,
                occurrence=f"{kind}/{place}",
                value=0.0,
                at=at,
                told=told,
                topic=observed.topics.get(run.run_id, ""),
            )


def _ticket(approval: Approval, observed: Observed) -> Ticket | None:
    return observed.ticket_by_id.get(_ticket_id(approval))


def _ticket_id(approval: Approval) -> str:
    action = approval.proposal.action
    return action.ticket_id if isinstance(action, SendReply) else approval.proposal.why.facts.get("ticket", "")


def _right(ticket_id: str, observed: Observed) -> str:
    """The intent that a person gave the ticket."""
    ticket = observed.ticket_by_id.get(ticket_id)
    corrected = ticket.intent if ticket and ticket.corrected_by else ""
    return corrected or observed.label_by_ticket.get(ticket_id, "")


def _guess(ticket: Ticket | None) -> str:
    return (ticket.intent or "") if ticket and not ticket.corrected_by else ""
