"""The Summariser: what became of a closed matter, made from its events and checked against them.

The template's text is always there; a model may word it better. Whatever says a number, identifier or date that stands in
none of the events is thrown away: a model's text for the template's, and the template's for none.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from agents.audit.summary import unsupported
from agents.prompting import prompt_of
from agents.skills.summary_text import content_summary, purchase_order_summary, sources_of, ticket_summary
from domain.entities import ContentPiece, PurchaseOrder, PurchaseOrderStatus, Ticket, TicketStatus
from domain.errors import EffectError
from domain.event import Event
from domain.model import Moment
from domain.policies import PromptPolicy
from domain.ports import EventLog, Model, Policies, State
from domain.retention import Summary
from domain.runs import Run
from domain.tasks import SUMMARISE, Question

_TEMPLATE = "template"
_EVENTS = 200  # of one matter; a longer one has its middle left out
_SHOWN = 12_000  # characters of events that a model is shown


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """A summary, or the reason why there is none."""

    subject: str
    summary: Summary | None
    unsupported: tuple[str, ...] = ()


class Summariser:
    """Reads state and log; writes nothing."""

    def __init__(self, *, log: EventLog, state: State, policies: Policies, model: Model) -> None:
        self._log = log
        self._state = state
        self._policies = policies
        self._model = model

    async def due(self, *, before: Moment) -> AsyncIterator[str]:
        """The streams of what was closed before ``before`` and has no summary since."""
        until = {s.subject: s.until for s in await self._state.find(Summary)}
        for ticket in await self._state.find(Ticket, status=TicketStatus.CLOSED.value):
            ended = max((m.at for m in ticket.messages), default=before)
            if ended < before and _is_due(f"ticket/{ticket.ticket_id}", ended, until):
                yield f"ticket/{ticket.ticket_id}"
        for status in (PurchaseOrderStatus.RECEIVED, PurchaseOrderStatus.CANCELLED):
            for order in await self._state.find(PurchaseOrder, status=status.value):
                ended = order.received_at or order.ordered_at
                if ended < before and _is_due(f"purchase-order/{order.purchase_order_id}", ended, until):
                    yield f"purchase-order/{order.purchase_order_id}"
        for run in await self._state.find(Run, workflow="content"):
            ended = run.finished_at or before
            if ended < before and _is_due(f"run/{run.run_id}", ended, until):
                yield f"run/{run.run_id}"

    async def summarise(self, subject: str, *, before: Moment, now: Moment) -> Attempt | None:
        """None where the matter went on after ``before``: then it is not closed long enough."""
        events = await self._events(subject)
        if not events or events[-1].at >= before:
            return None
        sources = sources_of(events)
        draft = await self._draft(subject, events)
        text, engine = await self._worded(subject, draft, sources, now)
        invented = unsupported(text, sources)
        if invented and text != draft:
            text, engine, invented = draft, _TEMPLATE, unsupported(draft, sources)
        if invented:
            return Attempt(subject=subject, summary=None, unsupported=tuple(sorted(invented)))
        seqs = tuple(event.seq for event in events)
        return Attempt(
            subject=subject, summary=Summary(subject=subject, text=text, sources=seqs, until=events[-1].at, engine=engine)
        )

    async def _events(self, subject: str) -> list[Event]:
        """Of the matter itself, and of the page where it is a content run."""
        events = await self._log.read(stream=subject)
        kind, _, key = subject.partition("/")
        if kind == "run":
            events = sorted([*events, *await self._log.read(stream=key)], key=lambda event: event.seq)
        return events if len(events) <= _EVENTS else [*events[: _EVENTS // 2], *events[-_EVENTS // 2 :]]

    async def _draft(self, subject: str, events: list[Event]) -> str:
        kind, _, key = subject.partition("/")
        match kind:
            case "ticket" if ticket := await self._state.get(Ticket, key):
                reason = next((str(e.data.get("reason", "")) for e in reversed(events) if e.type == "ticket.closed"), "")
                return ticket_summary(ticket, opened=events[0].at, closed=events[-1].at, reason=reason)
            case "purchase-order" if order := await self._state.get(PurchaseOrder, key):
                return purchase_order_summary(order)
            case "run" if run := await self._state.get(Run, key):
                return content_summary(run, await self._state.get(ContentPiece, key.partition("/")[2]))
        return ""

    async def _worded(self, subject: str, draft: str, sources: list[str], now: Moment) -> tuple[str, str]:
        """The model's wording and its name, or the draft's where no model answers."""
        prompts = await self._policies.in_force(PromptPolicy)
        question = Question(
            task=SUMMARISE,
            trusted={"kind": subject.partition("/")[0]},
            untrusted={"draft": draft, "events": "\n---\n".join(sources)[:_SHOWN]},
            prompt=prompt_of(SUMMARISE, prompts.document),
            prompt_version=prompts.version,
            asked_at=now,
        )
        try:
            answer = await self._model.answer(question)
        except EffectError:
            return draft, _TEMPLATE
        return answer.value.text.strip() or draft, answer.model


def _is_due(subject: str, ended: Moment, until: dict[str, Moment]) -> bool:
    return subject not in until or until[subject] < ended
