"""The operator says what a ticket is about: the ticket's intent, and the label that triage learns from. Pure."""

import re

from agents.learner import label_text
from domain.entities import Ticket
from domain.errors import InvalidInput
from domain.event import EventData
from domain.events import TicketRelabelled
from domain.labels import Label, LabelGiven, LabelSource
from domain.model import Moment
from domain.playbooks import INTENTS

_INTENT = re.compile(r"[a-z][a-z-]{1,58}[a-z]")


def check_intent(intent: str, *, new: bool = False) -> None:
    """Raises InvalidInput for an intent that nobody knows, unless it is to be a ``new`` one."""
    if intent not in INTENTS and not (new and _INTENT.fullmatch(intent)):
        hint = f"there are {', '.join(INTENTS)}; --new makes another one, such as gift-wrapping"
        raise InvalidInput(f"there is no intent {intent!r}", hint=hint)


def relabelled(ticket: Ticket, intent: str, *, by: str, at: Moment) -> tuple[EventData, ...]:
    """Nothing where it says what is known."""
    if ticket.intent == intent or not ticket.messages:
        return ()
    text = label_text(ticket)
    label = Label(ticket_id=ticket.ticket_id, text=text, intent=intent, source=LabelSource.CORRECTED, by=by, at=at)
    return TicketRelabelled(ticket_id=ticket.ticket_id, intent=intent, by=by), LabelGiven(label=label)
