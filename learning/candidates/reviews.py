"""Reviews: what a person said about a decision of ours that came with a confidence."""

from collections.abc import Iterable
from dataclasses import dataclass

from scipy.special import betaincinv

from domain.actions import Risk
from domain.approvals import Approval, ApprovalStatus
from domain.entities import Ticket
from domain.gate import doubts
from domain.labels import Label
from domain.model import Moment
from domain.policies import SupportPolicy
from learning.observed import by_person, confidence_alone, intent_guessed, intent_named, unwritten


@dataclass(frozen=True, kw_only=True)
class Review:
    """``kind`` is the kind of action. ``corrected``: the person changed it, or said that it was wrong. ``held``: it was
    asked for want of confidence and for nothing else. ``by_rule``: nothing but a rule about all of its kind, or want of
    confidence, made us ask."""

    kind: str
    topic: str
    confidence: float
    corrected: bool
    held: bool
    risk: Risk
    run_id: str
    at: Moment
    by_rule: bool = True


def reviews_of(approvals: Iterable[Approval]) -> tuple[Review, ...]:
    """Actions that were shown and decided by a person; a reply nobody had written yet is none."""
    found = (
        Review(
            kind=a.proposal.action.kind,
            topic=a.proposal.why.topic,
            confidence=a.proposal.why.confidence,
            corrected=a.status is not ApprovalStatus.APPROVED,
            held=bool(confidence_alone(a)),
            risk=a.proposal.action.risk,
            run_id=a.proposal.run_id,
            at=a.decided_at,
            by_rule=all(doubt.startswith(_UNSURE) for doubt in doubts(a.proposal.gate)),
        )
        for a in approvals
        if a.decided_at and by_person(a) and a.status in _DECIDED and not unwritten(a)
    )
    return tuple(sorted(found, key=lambda r: (r.at, r.run_id)))


_UNSURE = "confidence "  # how the gate's word begins that confidence is under the floor


def intent_reviews(
    approvals: Iterable[Approval], *, tickets: Iterable[Ticket], labels: Iterable[Label], support: SupportPolicy
) -> tuple[Review, ...]:
    """Whether the intent was right, wherever a person said so: in the answers we asked about, and where we were not sure."""
    right = {label.ticket_id: label.intent for label in labels}
    right |= {t.ticket_id: t.intent for t in tickets if t.corrected_by and t.intent}
    found = (_intent_review(a, right, support) for a in approvals)
    return tuple(sorted((r for r in found if r is not None), key=lambda r: (r.at, r.run_id)))


_DECIDED = (ApprovalStatus.APPROVED, ApprovalStatus.EDITED, ApprovalStatus.REJECTED)


def _intent_review(approval: Approval, right: dict[str, str], support: SupportPolicy) -> Review | None:
    proposal, guess = approval.proposal, intent_guessed(approval, support)
    if approval.proposal.action.kind != "send-reply" or not approval.decided_at or approval.decision is None or not guess:
        return None
    ticket_id = proposal.why.facts.get("ticket", "")
    named = intent_named(approval.decision.reason) or right.get(ticket_id, "")
    if not named and (approval.status is not ApprovalStatus.APPROVED or not by_person(approval)):
        return None
    return Review(
        kind="classify",
        topic=guess,
        confidence=proposal.why.confidence,
        corrected=bool(named) and named != guess,
        held=proposal.why.force_ask.startswith("the intent is not clear"),
        risk=Risk.R1,
        run_id=proposal.run_id,
        at=approval.decided_at,
    )


def upper_bound(corrected: int, reviewed: int, certainty: float) -> float:
    """The share of corrections that the true one is under with this certainty (Jeffreys' prior)."""
    return float(betaincinv(0.5 + corrected, 0.5 + reviewed - corrected, certainty))


def lower_bound(corrected: int, reviewed: int, certainty: float) -> float:
    """The share of corrections that the true one is over with this certainty."""
    return float(betaincinv(0.5 + corrected, 0.5 + reviewed - corrected, 1 - certainty))
