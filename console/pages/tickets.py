"""Tickets: conversations with customers, what they were understood as, and what was decided."""

from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from agents.relabelling import check_intent, relabelled
from console.lists import PER_PAGE, TABS, Asked, List, Shown, show
from console.places import place_of
from console.recording import record
from console.rendering import clock
from console.visit import Here, Visit
from domain.approvals import Approval
from domain.entities import Customer, Order, Ticket, TicketStatus
from domain.errors import NotFound
from domain.playbooks import INTENTS
from domain.policies import OPERATOR
from domain.story import story
from memory.memory import Memory
from memory.views import EventFilter

router = APIRouter()
_EVENTS = 200


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """A ticket with whom it is about, the questions it led to (the newest first), and the steps of its run."""

    ticket: Ticket
    customer: Customer | None
    order: Order | None
    asked: list[Approval]
    steps: list[tuple[datetime, str]]
    run: str


@router.get("/business/tickets", response_class=HTMLResponse)
@router.post("/business/tickets", response_class=HTMLResponse)
async def show_tickets(visit: Here) -> HTMLResponse:
    return await show(visit, TICKETS)


@router.post("/business/relabel/{ticket_id:path}")
async def relabel(visit: Here, ticket_id: str) -> Response:
    """The operator says what the ticket is about; triage learns from it."""
    intent = visit.field("intent", most=60)
    check_intent(intent)
    version = await visit.house.memory.state.version(Ticket, ticket_id)
    ticket = await _ticket(visit.house.memory, ticket_id)
    events = relabelled(ticket, intent, by=OPERATOR, at=visit.now)
    if events:
        await record(visit, *events, expected={f"ticket/{ticket_id}": version})
    said = f"It is about {intent} now; triage learns from it" if events else f"It was about {intent} already"
    return await visit.see(place_of(f"ticket/{ticket_id}"), say=said)


@router.get("/business/tickets/{ticket_id:path}", response_class=HTMLResponse)
async def show_ticket(visit: Here, ticket_id: str) -> HTMLResponse:
    found = await conversation(visit.house.memory, ticket_id)
    return await visit.page("ticket.html", talk=found, tabs=TABS, intents=INTENTS)


async def conversation(memory: Memory, ticket_id: str) -> Conversation:
    """Raises NotFound."""
    ticket = await _ticket(memory, ticket_id)
    run = f"support/{ticket_id}"
    events = await memory.views.events(EventFilter(run=run), limit=_EVENTS)
    asked = [e.stream.removeprefix("approval/") for e in events if e.type == "approval.requested"]
    return Conversation(
        ticket=ticket,
        customer=await memory.state.get(Customer, ticket.customer_id) if ticket.customer_id else None,
        order=await memory.state.get(Order, ticket.order_id) if ticket.order_id else None,
        asked=[a for key in asked if (a := await memory.state.get(Approval, key))],
        steps=story(events[::-1]),
        run=run,
    )


async def _ticket(memory: Memory, ticket_id: str) -> Ticket:
    ticket = await memory.state.get(Ticket, ticket_id)
    if ticket is None:
        raise NotFound("there is no such ticket", hint="the list shows all of them")
    return ticket


async def _find(visit: Visit, asked: Asked) -> Shown:
    only = {"status": asked.status} if asked.status else {}
    found = await visit.house.memory.listings.find(Ticket, text=asked.text, limit=PER_PAGE, offset=asked.offset, **only)
    return Shown(rows=[_row(ticket, visit.zone) for ticket in found.rows], total=found.total)


def _row(ticket: Ticket, zone: str) -> tuple[object, ...]:
    return (
        (place_of(f"ticket/{ticket.ticket_id}"), ticket.subject or "(no subject)"),
        ticket.sender,
        ticket.status,
        ticket.intent or "",
        ticket.urgency or "",
        len(ticket.messages),
        clock(ticket.messages[-1].at, zone) if ticket.messages else "",
    )


TICKETS = List(
    path="/business/tickets",
    name="Tickets",
    heads=("Subject", "From", "State", "About", "Urgency", "Messages", "Last one"),
    numeric=(5,),
    statuses=tuple((s.value, s.value) for s in TicketStatus),
    hint="subject, address or intent",
    kinds=("ticket",),
    find=_find,
)
