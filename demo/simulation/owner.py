"""The simulated operator of many days: looks at each question, compares it with what the customer meant, decides."""

from dataclasses import dataclass

from demo.simulation.chance import chance
from demo.simulation.conversations import Conversation, Conversations
from demo.simulation.truth import Judgement, judge
from domain.actions import PlacePurchaseOrder, SendReply
from domain.approvals import Approval, Decision, Verb
from domain.decisions import Proposal
from domain.ids import derived_id
from domain.playbooks import FOLLOW_UP

_MINUTES = {Verb.APPROVE: 0.5, Verb.EDIT: 4.0, Verb.REJECT: 1.0, Verb.SNOOZE: 0.2}
ANSWERING_MINUTES = 5.0  # a ticket that was handed over
_MOST_COVER_UNITS = 2_000  # of one line of a purchase order; nobody here sells as much in years


@dataclass(frozen=True)
class Answered:
    """A decision, and the minutes it took."""

    decision: Decision
    minutes: float


class Owner:
    """``noticed`` is the share of wrong proposals that it sees to be wrong."""

    def __init__(self, *, name: str, signature: str, talks: Conversations, seed: int, noticed: float) -> None:
        self.name = name
        self._signature = signature
        self._talks = talks
        self._seed = seed
        self._noticed = noticed

    def answer(self, approval: Approval) -> Answered:
        """What it decides about one approval."""
        decision = self._decision(approval)
        return Answered(decision, _MINUTES[decision.verb])

    def _decision(self, approval: Approval) -> Decision:
        action = approval.proposal.action
        talk = self._talk(approval.proposal)
        if talk is not None:
            talk.helped += 1
            return self._about_ticket(approval, talk)
        if isinstance(action, PlacePurchaseOrder) and any(line.units > _MOST_COVER_UNITS for line in action.purchase_order.lines):
            return self._make(approval, Verb.REJECT, reason="far too much")
        return self._make(approval, Verb.APPROVE)

    def _talk(self, proposal: Proposal) -> Conversation | None:
        ticket = proposal.action.ticket_id if isinstance(proposal.action, SendReply) else proposal.why.facts.get("ticket", "")
        return self._talks.by_ticket.get(ticket)

    def _about_ticket(self, approval: Approval, talk: Conversation) -> Decision:
        action, step = approval.proposal.action, approval.proposal.step
        if isinstance(action, SendReply) and not action.body.strip():
            return self._unwritten(approval, talk)
        if step == FOLLOW_UP or (isinstance(action, SendReply) and action.body in talk.own_words):
            return self._make(approval, Verb.APPROVE)
        found = judge(action, talk.truth, intent=talk.taken_for)
        if found.right or not self._notices(approval.proposal):
            return self._make(approval, Verb.APPROVE)
        return self._wrong(approval, talk, found)

    def _unwritten(self, approval: Approval, talk: Conversation) -> Decision:
        if talk.truth.intent == "spam":
            return self._make(approval, Verb.REJECT, reason="intent: spam")
        return self._own_words(approval, talk)

    def _wrong(self, approval: Approval, talk: Conversation, found: Judgement) -> Decision:
        if talk.truth.intent == "spam":
            return self._make(approval, Verb.REJECT, reason="intent: spam")
        if isinstance(approval.proposal.action, SendReply):
            return self._own_words(approval, talk, why=found.why)
        return self._make(approval, Verb.REJECT, reason=f"{found.why}; intent: {talk.truth.label}")

    def _own_words(self, approval: Approval, talk: Conversation, why: str = "") -> Decision:
        """A letter without figures, and what the mail was about, which is a label to learn from."""
        action = approval.proposal.action
        assert isinstance(action, SendReply)
        first = talk.letter.who.name.split()[0]
        body = f"Dear {first},\n\nthank you for writing. I have looked into this myself and taken care of it.\n\n{self._signature}"
        talk.own_words.add(body)
        reason = "; ".join(part for part in (why, f"intent: {talk.truth.label}") if part)
        edited = action.model_copy(update={"body": body, "facts": {}})
        return self._make(approval, Verb.EDIT, reason=reason, action=edited)

    def _notices(self, proposal: Proposal) -> bool:
        return chance(self._seed, "notice", proposal.run_id, proposal.step).random() < self._noticed

    def _make(self, approval: Approval, verb: Verb, *, reason: str = "", action: SendReply | None = None) -> Decision:
        return Decision(
            decision_id=str(derived_id("simulated-decision", approval.approval_id)),
            approval_id=approval.approval_id,
            verb=verb,
            digest=approval.proposal.digest,
            by=self.name,
            reason=reason,
            action=action,
        )
