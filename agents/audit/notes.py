"""The audit of notes on customers: on whom, and whether they are ours."""

from collections.abc import AsyncIterator

from agents.audit.findings import block
from domain.actions import AddNote, ArchiveNote
from domain.crm import CustomerNotes
from domain.decisions import Finding
from domain.entities import Customer
from domain.ports import State


class NoteAudit:
    """What is known of one customer never lands on another one's record."""

    def __init__(self, *, state: State) -> None:
        self._state = state

    async def note(self, action: AddNote | ArchiveNote) -> AsyncIterator[Finding]:
        if isinstance(action, ArchiveNote):
            kept = await self._state.get(CustomerNotes, action.customer_id)
            if action.note_id not in {n.note_id for n in (kept.notes if kept else ())}:
                yield block("not-our-note", f"note {action.note_id} is none of ours on {action.customer_id}")
            return
        customer = await self._state.get(Customer, action.customer_id)
        if customer is None:
            yield block("unknown-customer", f"there is no customer {action.customer_id}")
        elif customer.email.strip().lower() != action.email.strip().lower():
            yield block("wrong-customer", f"the note goes to {action.email}, the customer has another address")
