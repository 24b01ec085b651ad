"""The support Planner: turns a ticket into typed proposals. It reads; it has no right to do anything.

Order of work: whose ticket is it, what is it about, may it be answered by rule, which facts answer it. Every doubt
on the way hands the ticket over to the operator, with the facts attached.
"""

from datetime import datetime

from agents.prompting import prompt_of
from agents.skills.answer import Outline, about_order, about_product, about_stock, which_order
from agents.skills.case_file import CaseFile, open_case
from agents.skills.grounding import product_facts
from agents.skills.message_text import only_thanks
from agents.skills.polish import Polish
from agents.skills.reply import letter
from agents.skills.resolution import Case, resolve
from agents.skills.triage import OrderMatch, match_product, names_any, refined
from agents.support_plan import Desk, SupportPlan, Triage
from domain.context import ContextPack, ContextRequest
from domain.decisions import Planned
from domain.entities import Product, TicketStatus
from domain.errors import InvalidInput
from domain.playbooks import ASK_ORDER, FOLLOW_UP, INTENTS, Playbook
from domain.policies import PromptPolicy, RoutingPolicy, SupportPolicy
from domain.ports import ContextPacks, Model, Policies, State
from domain.tasks import CLASSIFY, Label, Question

__all__ = ["SupportPlan", "SupportPlanner", "Triage"]

_ROBOTS = ("mailer-daemon", "postmaster", "no-reply", "noreply", "do-not-reply", "donotreply", "bounce")
_CARRIED_ON = 0.8  # how sure we are that a mail which names what we asked for answers our question
_UNCLEAR = 0.5
_SURELY_SPAM = 0.8  # under it, or from somebody we know, a person looks before it is dropped


class SupportPlanner:
    def __init__(self, *, state: State, packs: ContextPacks, policies: Policies, model: Model) -> None:
        self._state = state
        self._packs = packs
        self._policies = policies
        self._model = model

    async def triage(self, ticket_id: str, *, now: datetime, run_id: str = "") -> Triage:
        """What the ticket is about. Raises NotFound or InvalidInput where it cannot be read, and what the model raises."""
        case = await open_case(ticket_id, state=self._state)
        prompts = await self._policies.of(run_id).in_force(PromptPolicy)
        question = Question(
            task=CLASSIFY,
            trusted={"intents": list(INTENTS)},
            untrusted={"subject": case.subject, "message": case.text},
            prompt=prompt_of(CLASSIFY, prompts.document),
            prompt_version=prompts.version,
            asked_at=now,
            run_id=run_id,
        )
        answer = await self._model.answer(question)
        triage = Triage(ticket_id=ticket_id, label=answer.value, confidence=answer.confidence, engine=answer.engine)
        triage = _refined(_carried_on(triage, case), case)
        intent, policy = triage.label.intent, (await self._policies.of(run_id).in_force(SupportPolicy)).document
        needed = "order" in policy.playbooks.get(intent, Playbook()).needs
        return _matched(triage, case, case.order_for(intent, now, needed=needed))

    async def plan(self, triage: Triage, *, now: datetime, turn: int, run_id: str = "") -> SupportPlan:
        """What to do about the newest message; ``turn`` counts the customer's messages and names the steps."""
        case = await open_case(triage.ticket_id, state=self._state)
        policy = (await self._policies.of(run_id).in_force(SupportPolicy)).document
        playbook = policy.playbooks.get(triage.label.intent)
        if not case.sender or case.sender.startswith(_ROBOTS) or case.sender == case.shop.email.lower():
            return SupportPlan(triage=triage, hand_over=f"{case.ticket.sender!r} cannot be answered by mail")
        if reason := _reason_to_close(triage, case, playbook, policy):
            return SupportPlan(triage=triage, close=True, close_reason=reason)
        desk = Desk(triage=triage, case=case, turn=turn, pack=await self._pack(triage, case, now), run_id=run_id)
        doubt = await self._doubt(triage, case, playbook, policy, run_id)
        if doubt or playbook is None:
            return desk.hand_over(doubt)
        return await self._answered(desk, playbook, policy, now)

    async def follow_up(self, ticket_id: str, *, now: datetime, run_id: str = "") -> Planned | None:
        """One friendly mail to a customer who has not answered; None where it was sent or does not fit."""
        case = await open_case(ticket_id, state=self._state)
        policy = (await self._policies.of(run_id).in_force(SupportPolicy)).document
        template = policy.playbooks.get(FOLLOW_UP, Playbook()).template
        label = Label(intent=case.ticket.intent or FOLLOW_UP, urgency="low", language=case.ticket.language or "und")
        waiting = case.ticket.status is TicketStatus.WAITING_CUSTOMER and label.language in policy.languages
        if not (waiting and template and case.sender):
            return None
        triage = Triage(ticket_id=ticket_id, label=label, confidence=1.0, engine="rules")
        desk = Desk(triage=triage, case=case, turn=0, pack=await self._pack(triage, case, now))
        if any(m.message_id == desk.message_id(FOLLOW_UP) for m in case.answered):
            return None
        body = letter(template, customer=case.customer, shop=case.shop)
        return desk.reply(body, {}, reason="the customer has not answered", step=FOLLOW_UP, topic=FOLLOW_UP)

    async def _answered(self, desk: Desk, playbook: Playbook, policy: SupportPolicy, now: datetime) -> SupportPlan:
        case = desk.case
        try:
            outline = await self._outline(desk, playbook, policy, now)
        except InvalidInput as missing:
            return desk.hand_over(missing.message)
        body = letter(outline.draft.text, customer=case.customer, shop=case.shop)
        if any(m.body == body for m in case.answered):
            return desk.hand_over("this answer was given before, and the customer writes again")
        return desk.plan(outline, await self._polished(desk, outline, body, now), ask=playbook.ask)

    async def _doubt(self, triage: Triage, case: CaseFile, playbook: Playbook | None, policy: SupportPolicy, run_id: str) -> str:
        """Why a person has to write; empty where the rules may."""
        floor = (await self._policies.of(run_id).in_force(RoutingPolicy)).document.local_confidence
        if not any(sign.isalnum() for sign in case.text):
            return "the customer writes no words"
        if playbook is None:
            return f"there is no playbook for {triage.label.intent}"
        if triage.label.language == "und" and "und" not in policy.languages:
            return "it is not clear in which language the customer writes"
        if triage.label.language not in policy.languages:
            return f"the customer writes in another language ({triage.label.language})"
        if triage.confidence < floor:
            return f"the intent is not clear ({triage.label.intent}, {triage.confidence:.0%})"
        if playbook.close_silently:
            return f"it looks like {triage.label.intent}, but not surely enough to drop it"
        if not (playbook.template or playbook.situations):
            return f"{triage.label.intent} is always answered by a person"
        return ""

    async def _outline(self, desk: Desk, playbook: Playbook, policy: SupportPolicy, now: datetime) -> Outline:
        """Raises InvalidInput, saying why a person has to write."""
        case, intent = desk.case, desk.triage.label.intent
        if "product" in playbook.needs:
            return await self._about_product(case, intent, playbook)
        match = case.order_for(intent, now, needed=True)
        if match.order is None:
            return which_order(match, policy.playbooks.get(ASK_ORDER, Playbook()))
        resolution = resolve(Case(intent=intent, text=case.text, order=match.order, playbook=playbook, policy=policy, now=now))
        if resolution.hand_over:
            raise InvalidInput(resolution.hand_over)
        return about_order(resolution, playbook, policy)

    async def _about_product(self, case: CaseFile, intent: str, playbook: Playbook) -> Outline:
        product = match_product(case.claim, await self._state.find(Product))
        if product is None:
            raise InvalidInput("it is not clear which product is meant")
        facts = await product_facts(product, self._state)
        if intent == "stock-question":
            return about_stock(product, facts, playbook)
        return about_product(case.text, product, facts, playbook)

    async def _polished(self, desk: Desk, outline: Outline, body: str, now: datetime) -> str:
        """The model's wording where it keeps to the facts, else the template's."""
        facts, case = outline.draft.facts, desk.case
        polish = Polish(draft=body, facts=facts, message=case.text, shop=case.shop, lessons=desk.lessons)
        prompts = await self._policies.of(desk.run_id).in_force(PromptPolicy)
        answer = await self._model.answer(polish.question(prompts, now=now, context_pack=desk.pack.hash))
        return polish.taken(answer.value)

    async def _pack(self, triage: Triage, case: CaseFile, now: datetime) -> ContextPack:
        streams = [f"ticket/{triage.ticket_id}"]
        streams += [f"customer/{case.customer.customer_id}"] if case.customer else []
        streams += [f"order/{o.order_id}" for o in case.own if o.order_id == triage.order_id]
        request = ContextRequest(
            policies=("support",), streams=tuple(streams), query=case.text[:400], topic=triage.label.intent, as_of=now
        )
        return await self._packs.compile(request)


def _reason_to_close(triage: Triage, case: CaseFile, playbook: Playbook | None, policy: SupportPolicy) -> str:
    """Why nothing is answered: thanks after our answer, or spam from somebody nobody here knows."""
    if case.answered and only_thanks(case.text):
        return "the customer says thanks"
    known = case.customer or case.own or case.answered
    sure = triage.confidence >= _SURELY_SPAM and triage.label.language in policy.languages
    return triage.label.intent if playbook and playbook.close_silently and sure and not known else ""


def _carried_on(triage: Triage, case: CaseFile) -> Triage:
    """A mail that only names what we asked for answers our question, so the thread keeps its intent."""
    before, label = case.ticket.intent, triage.label
    unclear = label.intent == "out-of-scope" or triage.confidence < _UNCLEAR
    if not (before in INTENTS and case.answered and unclear and names_any(case.text, case.own)):
        return triage
    language = case.ticket.language if label.language == "und" and case.ticket.language else label.language
    return triage.model_copy(
        update={
            "label": label.model_copy(update={"intent": before, "language": language}),
            "confidence": _CARRIED_ON,
            "engine": "rules",
            "notes": ("it answers our question",),
        }
    )


def _refined(triage: Triage, case: CaseFile) -> Triage:
    intent = refined(triage.label.intent, case.text)
    if intent == triage.label.intent:
        return triage
    note = f"{triage.label.intent} is asked for something {intent}"
    label = triage.label.model_copy(update={"intent": intent})
    return triage.model_copy(update={"label": label, "notes": (*triage.notes, note)})


def _matched(triage: Triage, case: CaseFile, match: OrderMatch) -> Triage:
    customer, order = case.customer, match.order
    foreign = ("the mail names an order number that is none of the sender's",) if match.named_unknown else ()
    return triage.model_copy(
        update={
            "customer_id": customer.customer_id if customer else None,
            "order_id": order.order_id if order else None,
            "order_known_by": "sender" if order else "",
            "notes": (*triage.notes, *foreign),
        }
    )
