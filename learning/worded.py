"""Texts that a model worded and a person decided: what was shown, what left, and what they were worded from. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from agents.skills.message_text import newest
from agents.skills.reply import fields_of, render
from domain.actions import PublishContent, SendReply
from domain.approvals import Approval, ApprovalStatus
from domain.entities import ContentPiece, Direction
from domain.errors import InvalidInput
from domain.model import Moment
from domain.playbooks import Playbook
from learning.candidates.playbooks import sent_text
from learning.observed import Observed, by_person, intent_guessed, situation_of
from learning.wording import SIGNATURE, Filled, text_of

_UNWORDED = ("", "local", "rules")  # by rules a page keeps its words and gets another picture


@dataclass(frozen=True, kw_only=True)
class Worded:
    """``sent`` is equal to ``shown`` where nothing was changed, and empty where it was refused with the reason ``said``."""

    key: str  # what tells it from others, always the same
    run_id: str
    shown: str
    sent: str
    said: str
    facts: Mapping[str, str]
    at: Moment

    def abstracted(self, text: str) -> str:
        """``text`` with the values of facts put back as {fields}."""
        stated = {ref.partition("#")[2]: value for ref, value in self.facts.items() if value and ref != SIGNATURE}
        return Filled("", stated).abstracted(text)


@dataclass(frozen=True, kw_only=True)
class WordedLetter(Worded):
    """``draft`` is the template's whole letter, ``message`` what the customer wrote."""

    action: SendReply
    draft: str
    message: str

    def bare(self, body: str) -> str:
        """A whole letter without its greeting and signature."""
        return text_of(self.action.model_copy(update={"body": body}))


@dataclass(frozen=True, kw_only=True)
class WordedPage(Worded):
    piece: ContentPiece
    reason: str


def letter_of(approval: Approval, observed: Observed) -> WordedLetter | None:
    """None for one that is a template's, that nobody decided, or that cannot be worded again."""
    action, draft, sent = approval.proposal.action, _draft(approval, observed), _sent(approval)
    if not isinstance(action, SendReply) or approval.decided_at is None or sent is None or draft in ("", action.body):
        return None
    return WordedLetter(
        key=action.message_id,
        run_id=approval.proposal.run_id,
        shown=text_of(action),
        sent=sent,
        said=_said(approval),
        facts=action.facts,
        at=approval.decided_at,
        action=action,
        draft=draft,
        message=_message(action, approval.requested_at, observed),
    )


def page_of(approval: Approval, _observed: Observed) -> WordedPage | None:
    """None for one that no model wrote, or that nobody decided."""
    action, sent = approval.proposal.action, _sent(approval)
    if not isinstance(action, PublishContent) or approval.decided_at is None or sent is None:
        return None
    if approval.proposal.why.engine in _UNWORDED or not action.piece.skus:
        return None
    return WordedPage(
        key=f"{action.piece.slug}/{action.piece.revision}",
        run_id=approval.proposal.run_id,
        shown=page_text(action.piece.description, action.piece.body),
        sent=sent,
        said=_said(approval),
        facts=action.piece.facts,
        at=approval.decided_at,
        piece=action.piece,
        reason=approval.proposal.why.reason,
    )


def page_text(description: str, body: str) -> str:
    """What a model words of a page; the title may come from a template."""
    return f"{description}\n\n{body}"


def _sent(approval: Approval) -> str | None:
    """What left; nothing where it was refused with a reason; None where the decision says nothing about the wording."""
    if approval.status is ApprovalStatus.REJECTED and _said(approval):
        return ""
    if not isinstance(approval.proposal.action, PublishContent):
        return sent_text(approval)
    match approval.status:
        case ApprovalStatus.APPROVED if by_person(approval):
            return page_text(approval.proposal.action.piece.description, approval.proposal.action.piece.body)
        case ApprovalStatus.EDITED if approval.decision and isinstance(edited := approval.decision.action, PublishContent):
            return page_text(edited.piece.description, edited.piece.body)
    return None


def _said(approval: Approval) -> str:
    return approval.decision.reason if approval.decision else ""


def _draft(approval: Approval, observed: Observed) -> str:
    """The letter as the template in force has it; empty where it cannot be made again from the letter's facts."""
    action, playbooks = approval.proposal.action, observed.support.playbooks
    if not isinstance(action, SendReply) or not action.body:
        return ""
    template = playbooks.get(intent_guessed(approval, observed.support), Playbook()).reply(situation_of(approval))
    try:
        text = render(template, fields_of(action.facts)).text
    except InvalidInput:
        return ""
    greeting, signature = action.body.split("\n", 1)[0], action.facts.get(SIGNATURE, "")
    return f"{greeting}\n\n{text}\n\n{signature}" if text else ""


def _message(action: SendReply, until: Moment, observed: Observed) -> str:
    """The customer's last mail before the letter was shown."""
    ticket = observed.ticket_by_id.get(action.ticket_id)
    inbound = [m for m in (ticket.messages if ticket else ()) if m.direction is Direction.INBOUND and m.at <= until]
    return newest(inbound[-1].body) if inbound else ""
