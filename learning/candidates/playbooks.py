"""Playbook edits: what the operator keeps changing in the same answer becomes the answer.

An edited letter is laid over the template that the proposed one was made from. Facts go back into their {fields}, so that
what is left is wording; the same change of the same words, made for enough different customers, is what is proposed.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from agents.audit.reply_text import text_findings
from domain.actions import Risk, SendReply
from domain.approvals import Approval, ApprovalStatus
from domain.failures import RootCause
from domain.knowledge import InForce
from domain.learning import Candidate
from domain.playbooks import Playbook
from domain.policies import SupportPolicy
from learning.candidates.drafting import drafted
from learning.observed import intent_guessed, situation_of, unwritten
from learning.wording import Filled, fields_in, filled_from, text_of

LEAST_EDITS = 3
LEAST_SHARE = 0.3  # of the reviewed answers of this kind that were changed in this way
Op = tuple[int, int, tuple[str, ...]]
"""Words [i, j) of the template become these."""


@dataclass(frozen=True, kw_only=True)
class Episode:
    """One reviewed answer that was made from the template: its facts, and the text that was sent, where it was."""

    run_id: str
    ticket_id: str
    filled: Filled
    sent: str  # equal to the proposed text where nothing was changed

    @property
    def ops(self) -> tuple[Op, ...]:
        """What was changed, in words of the template."""
        before, after = _words(self.filled.template), _words(self.filled.abstracted(self.sent))
        codes = SequenceMatcher(a=before, b=after, autojunk=False).get_opcodes()
        return tuple((a, b, tuple(after[c:d])) for tag, a, b, c, d in codes if tag != "equal")


def playbook_candidates(approvals: Sequence[Approval], incumbent: InForce[SupportPolicy]) -> tuple[Candidate, ...]:
    """One for each answer whose wording keeps being changed in the same way."""
    found: dict[tuple[str, str], list[Episode]] = {}
    for key, episode in episodes(approvals, incumbent.document):
        found.setdefault(key, []).append(episode)
    proposals = (_candidate(key, group, incumbent) for key, group in sorted(found.items()))
    return tuple(p for p in proposals if p is not None)


def episodes(approvals: Iterable[Approval], support: SupportPolicy) -> list[tuple[tuple[str, str], Episode]]:
    """((intent, situation), episode) of every decided answer that was made from the template in force."""
    found = []
    for approval in sorted(approvals, key=lambda a: (a.requested_at, a.approval_id)):
        before, sent = approval.proposal.action, sent_text(approval)
        if not isinstance(before, SendReply) or sent is None:
            continue
        key = (intent_guessed(approval, support), situation_of(approval))
        filled = filled_from(support.playbooks.get(key[0], Playbook()).reply(key[1]), text_of(before))
        if filled is not None:
            run_id, ticket_id = approval.proposal.run_id, before.ticket_id
            found.append((key, Episode(run_id=run_id, ticket_id=ticket_id, filled=filled, sent=sent)))
    return found


def common_edit(group: Sequence[Episode]) -> str | None:
    """The template with the changes that enough of the answers share; None where there are none."""
    tickets: dict[Op, set[str]] = {}
    for episode in group:
        for op in episode.ops:
            tickets.setdefault(op, set()).add(episode.ticket_id)
    least = max(LEAST_EDITS, LEAST_SHARE * len(group))
    often = Counter({op: len(who) for op, who in tickets.items() if len(who) >= least})
    template = group[0].filled.template
    return _applied(template, _compatible(often)) if often else None


def _candidate(key: tuple[str, str], group: Sequence[Episode], incumbent: InForce[SupportPolicy]) -> Candidate | None:
    intent, situation = key
    template = group[0].filled.template
    new = common_edit(group)
    if new is None or new == template or not new.strip() or fields_in(new) - fields_in(template):
        return None
    edited = [e for e in group if e.sent != e.filled.render(template)]
    why = (
        f"the answer {intent}/{situation or 'standard'}: in {len(edited)} of {len(group)} cases you changed it in the same way, "
        "so it is proposed as you write it"
    )
    return drafted(
        incumbent,
        _with_template(incumbent.document, intent, situation, new),
        why=why,
        cause=RootCause.POLICY_WRONG,
        metrics=("corrected", "reopened"),
        margin=0.05,
        scope=(intent,),
        expected=round(len(edited) / len(group), 3),
        examples=[e.run_id for e in reversed(edited)],
        risk=Risk.R2 if _promises(new, template) else Risk.R1,
    )


def sent_text(approval: Approval) -> str | None:
    """The text that the operator let go; None where there was none to compare."""
    action, decision = approval.proposal.action, approval.decision
    if unwritten(approval) or not isinstance(action, SendReply):
        return None
    match approval.status:
        case ApprovalStatus.APPROVED:
            return text_of(action)
        case ApprovalStatus.EDITED if decision and isinstance(decision.action, SendReply):
            signed = decision.action.model_copy(update={"facts": action.facts})
            return text_of(signed)
    return None


def _compatible(often: Counter[Op]) -> list[Op]:
    """The commonest changes that do not touch the same words, in the order of the text."""
    chosen: list[Op] = []
    for op in sorted(often, key=lambda o: (-often[o], o)):
        if all(op[1] < other[0] or other[1] < op[0] for other in chosen):
            chosen.append(op)
    return sorted(chosen)


def _applied(template: str, ops: Sequence[Op]) -> str:
    words = _words(template)
    for start, end, new in sorted(ops, reverse=True):
        words[start:end] = new
    return " ".join(words)


def _words(text: str) -> list[str]:
    return text.split()


def _with_template(policy: SupportPolicy, intent: str, situation: str, new: str) -> SupportPolicy:
    """The template where it stands: among the situations, or as the playbook's own."""
    playbook = policy.playbooks[intent]
    special = bool(playbook.situations.get(situation))
    change: Mapping[str, object] = {"situations": {**playbook.situations, situation: new}} if special else {"template": new}
    return policy.model_copy(update={"playbooks": {**policy.playbooks, intent: playbook.model_copy(update=change)}})


def _promises(new: str, template: str) -> bool:
    """Whether the new wording speaks of money, or names figures, that the old one did not."""
    codes = {f.code for f in text_findings(new, facts={}, templates=(template,), mails=(), site_url="")}
    return bool(codes & {"promise-without-ground", "figure-without-fact"})
