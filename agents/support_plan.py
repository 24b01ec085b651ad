"""What the support planner hands on: the triage, the plan, and the desk that words its proposals."""

from collections.abc import Mapping
from dataclasses import dataclass

from agents.skills.answer import ASKING, Outline
from agents.skills.case_file import CaseFile
from agents.skills.grounding import Facts, facts_of_order, facts_of_shop
from agents.skills.message_text import one_line, reply_subject
from domain.actions import Action, SendReply
from domain.context import ContextPack, Section
from domain.decisions import Planned, Why
from domain.ids import derived_id
from domain.model import Name, Value
from domain.tasks import Label


class Triage(Value):
    """What a ticket is about. ``order_known_by`` is "sender" where the order is the sender's own, else empty."""

    ticket_id: Name
    label: Label
    confidence: float
    engine: str
    customer_id: str | None = None
    order_id: str | None = None
    order_known_by: str = ""
    notes: tuple[str, ...] = ()


class SupportPlan(Value):
    """``planned`` in order: each step supposes the earlier ones; the reply comes last and speaks of them as done.

    With ``close`` nothing is sent. ``hand_over`` says why the operator has to write; ``planned`` then holds an empty
    reply with the facts, or nothing where the sender cannot be answered at all.
    """

    triage: Triage
    planned: tuple[Planned, ...] = ()
    close: bool = False
    close_reason: str = ""
    hand_over: str = ""
    context_pack: str = ""
    asks_back: bool = False  # the reply is a question to the customer: writing again is what we wait for


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Words the proposals about one case. The recipient is always the ticket's sender; ids follow from ticket and turn."""

    triage: Triage
    case: CaseFile
    turn: int
    pack: ContextPack
    run_id: str = ""

    @property
    def lessons(self) -> list[str]:
        return [str(item.body.get("text", "")) for item in self.pack.items(Section.LESSONS)]

    def message_id(self, step: str) -> str:
        """The same step of the same ticket always has the same Message-ID, so a repeat is seen as one."""
        domain = self.case.shop.email.rpartition("@")[2]
        return f"<steward.{derived_id('reply', self.triage.ticket_id, step)}@{domain}>"

    def step(self, name: str) -> str:
        return f"turn-{self.turn}/{name}"

    def plan(self, outline: Outline, body: str, *, ask: bool) -> SupportPlan:
        """The outline's actions, then the reply."""
        always = "the playbook says that a person looks at it" if ask else ""
        actions = tuple(self._action(action, outline, always) for action in outline.actions)
        asked = outline.asks.get("send-reply", "") or always
        reply = self.reply(body, outline.draft.facts, reason=self._reason(outline.situation), force_ask=asked)
        return SupportPlan(
            triage=self.triage,
            planned=(*actions, reply),
            context_pack=self.pack.hash,
            asks_back=outline.situation in ASKING,
        )

    def hand_over(self, reason: str) -> SupportPlan:
        """An empty reply for the operator to write, with everything that is known about the sender's own business."""
        reply = self.reply("", {}, reason=reason, force_ask=reason, known=self._known())
        return SupportPlan(triage=self.triage, planned=(reply,), hand_over=reason, context_pack=self.pack.hash)

    def reply(
        self,
        body: str,
        facts: Facts,
        *,
        reason: str,
        force_ask: str = "",
        known: Mapping[str, str] | None = None,
        step: str = "",
        topic: str = "",
    ) -> Planned:
        """``topic`` where it is not what the customer wrote about."""
        case = self.case
        stated = facts | {r: v for r, v in facts_of_shop(case.shop).items() if body and r == "shop/self#signature"}
        name = step or self.step("reply")
        action = SendReply(
            ticket_id=self.triage.ticket_id,
            message_id=self.message_id(name),
            to=case.sender,
            sender=case.shop.email,
            subject=reply_subject(case.ticket.subject),
            body=body,
            in_reply_to=_header_id(case.message.message_id),
            facts=stated,
        )
        return Planned(step=name, action=action, why=self._why(reason, {**stated, **(known or {})}, force_ask, topic))

    def _action(self, action: Action, outline: Outline, always: str) -> Planned:
        asked = outline.asks.get(action.kind, "") or always
        why = self._why(self._reason(outline.situation), outline.draft.facts, asked)
        return Planned(step=self.step(action.kind), action=action, why=why)

    def _why(self, reason: str, facts: Mapping[str, str], force_ask: str, topic: str = "") -> Why:
        triage = self.triage
        return Why(
            reason=reason,
            confidence=triage.confidence,
            engine=triage.engine,
            facts={"ticket": triage.ticket_id, **facts},
            context_pack=self.pack.hash,
            topic=topic or triage.label.intent,
            force_ask=force_ask,
        )

    def _reason(self, situation: str) -> str:
        return f"{self.triage.label.intent}: {situation}"

    def _known(self) -> Facts:
        case, triage = self.case, self.triage
        told = {"intent": triage.label.intent, "urgency": triage.label.urgency, "language": triage.label.language}
        told |= {"customer": case.customer.name} if case.customer else {"customer": "not known by this address"}
        told |= {f"note {i}": text for i, text in enumerate(triage.notes, start=1)}
        return told | {ref: value for order in case.own[:3] for ref, value in facts_of_order(order).items()}


def _header_id(message_id: str) -> str:
    """The id of the mail that is answered, where it is safe in a header; else empty."""
    return message_id if one_line(message_id, limit=250) == message_id and " " not in message_id else ""
