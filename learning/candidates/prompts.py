"""Prompt edits: what the operator keeps changing in letters that a model worded becomes an addition to its instructions.

A model proposes the edit from one half of the cases; the other half, which it never sees, is for the replay. Which half a
case is in never changes, so that no later edit is made from what an earlier one was judged by.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agents.skills.message_text import newest
from agents.skills.reply import fields_of, render
from domain.actions import SendReply
from domain.approvals import Approval, ApprovalStatus
from domain.choice import unit_of
from domain.entities import Direction
from domain.errors import InvalidInput
from domain.failures import RootCause
from domain.knowledge import InForce
from domain.learning import Candidate
from domain.model import Moment
from domain.playbooks import Playbook
from domain.policies import PromptPolicy
from domain.tasks import REPLY, PromptEdit
from learning.candidates.drafting import drafted
from learning.candidates.playbooks import sent_text
from learning.failures import SURE
from learning.observed import Observed, intent_guessed, situation_of
from learning.picture import Picture
from learning.wording import SIGNATURE, Filled, text_of

LEAST_SHOWN = 3
LEAST_HELD_BACK = 5  # edited letters; with fewer, no replay passes the offline gate
MOST_SHOWN = 6
MOST_REPLAYED = 12
_GROWTH = 3  # a look is due when so many more letters had to be changed than at the last one
_HALF = 0.5


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A letter that a model worded and a person decided. ``sent`` is empty where it was refused.

    ``draft`` is the template's whole letter, ``message`` what the customer wrote; ``failed``: its wording had to be changed.
    """

    action: SendReply
    run_id: str
    draft: str
    message: str
    sent: str
    said: str
    failed: bool
    at: Moment

    @property
    def shown(self) -> str:
        return text_of(self.action)

    def bare(self, body: str) -> str:
        """A whole letter without its greeting and signature."""
        return text_of(self.action.model_copy(update={"body": body}))

    def abstracted(self, text: str) -> str:
        """``text`` with the values of facts put back as {fields}."""
        stated = {ref.partition("#")[2]: value for ref, value in self.action.facts.items() if value and ref != SIGNATURE}
        return Filled("", stated).abstracted(text)


@dataclass(frozen=True)
class Cases:
    """``seen`` may be shown to the model that proposes; ``held_back`` is for the replay. Both newest first."""

    seen: tuple[Letter, ...] = ()
    held_back: tuple[Letter, ...] = ()
    due: bool = False  # enough in both halves, and enough new since the last look

    @property
    def all(self) -> tuple[Letter, ...]:
        return (*self.seen, *self.held_back)

    @property
    def failed(self) -> tuple[Letter, ...]:
        return tuple(letter for letter in self.all if letter.failed)


def cases_of(picture: Picture) -> Cases:
    """The letters of the look back that a model worded by the version in force: what an earlier one did may be mended already."""
    runs = {f.run_id for f in picture.failures if f.cause is RootCause.PROMPT and f.confidence >= SURE}
    version = picture.record("prompts").active
    letters = sorted(_letters(picture.observed, runs, version), key=lambda x: (x.at, x.run_id), reverse=True)
    seen = tuple(x for x in letters if x.failed and not _is_held_back(x))[:MOST_SHOWN]
    held_back = tuple(x for x in letters if x.sent and _is_held_back(x))[:MOST_REPLAYED]
    enough = len(seen) >= LEAST_SHOWN and sum(x.failed for x in held_back) >= LEAST_HELD_BACK
    failed = [x for x in letters if x.failed]
    before = sum(not picture.observed.is_new(x.at) for x in failed)
    return Cases(seen, held_back, due=enough and len(failed) // _GROWTH > before // _GROWTH)


def prompt_candidate(edit: PromptEdit, incumbent: InForce[PromptPolicy], cases: Cases) -> Candidate | None:
    """The edit as a candidate; None where there is none. Its own reasons are a model's words, and are not kept."""
    addition = " ".join(edit.instruction.split())
    if not addition or addition == incumbent.document.reply:
        return None
    failed = cases.failed
    return drafted(
        incumbent,
        incumbent.document.model_copy(update={REPLY.prompt: addition}),
        why=f"of {len(cases.all)} letters that a model worded you changed {len(failed)}: its instructions get an addition",
        cause=RootCause.PROMPT,
        metrics=("corrected", "reopened"),
        margin=0.05,
        scope=(REPLY.prompt,),
        expected=round(len(failed) / len(cases.all), 3),
        examples=[letter.run_id for letter in failed],
    )


def _letters(observed: Observed, failed: set[str], version: int) -> Iterator[Letter]:
    for approval in observed.approvals:
        if approval.proposal.policy_versions.get("prompts", 0) != version:
            continue
        action, draft, sent = approval.proposal.action, _draft(approval, observed), _sent(approval)
        if not isinstance(action, SendReply) or approval.decided_at is None or sent is None or draft in ("", action.body):
            continue
        yield Letter(
            action=action,
            run_id=approval.proposal.run_id,
            draft=draft,
            message=_message(approval, observed),
            sent=sent,
            said=approval.decision.reason if approval.decision else "",
            failed=approval.proposal.run_id in failed and sent != text_of(action),
            at=approval.decided_at,
        )


def _is_held_back(letter: Letter) -> bool:
    return unit_of("prompt-edit", letter.action.message_id) < _HALF


def _sent(approval: Approval) -> str | None:
    """What left; nothing where it was refused with a reason; None where the decision says nothing about the wording."""
    refused = approval.status is ApprovalStatus.REJECTED and approval.decision is not None and approval.decision.reason
    return "" if refused else sent_text(approval)


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


def _message(approval: Approval, observed: Observed) -> str:
    """The customer's last mail before the letter was shown."""
    action = approval.proposal.action
    ticket = observed.ticket_by_id.get(action.ticket_id) if isinstance(action, SendReply) else None
    messages: Sequence[str] = [
        m.body for m in (ticket.messages if ticket else ()) if m.direction is Direction.INBOUND and m.at <= approval.requested_at
    ]
    return newest(messages[-1]) if messages else ""
