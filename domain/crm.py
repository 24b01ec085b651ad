"""Notes on customers in the customer database (CRM): those that Steward wrote there."""

from domain.event import EventData
from domain.model import Moment, Name, Text, Value

_REMEMBERED = 200


class CustomerNote(Value):
    """``note_id`` is the outside system's own."""

    note_id: Name
    text: Text
    at: Moment


class CustomerNotes(Value):
    """The notes on one customer that stand, oldest first."""

    customer_id: Name
    notes: tuple[CustomerNote, ...] = ()


class _NotesEvent(EventData):
    entity = CustomerNotes
    customer_id: Name

    @property
    def stream(self) -> str:
        return notes_stream(self.customer_id)


class CustomerNoteAdded(_NotesEvent):
    type = "customer.note-added"
    note: CustomerNote

    def fold(self, state: CustomerNotes | None) -> CustomerNotes:
        known = state or CustomerNotes(customer_id=self.customer_id)
        return known.model_copy(update={"notes": (*known.notes, self.note)[-_REMEMBERED:]})


class CustomerNoteArchived(_NotesEvent):
    type = "customer.note-archived"
    note_id: Name

    def fold(self, state: CustomerNotes | None) -> CustomerNotes:
        known = state or CustomerNotes(customer_id=self.customer_id)
        return known.model_copy(update={"notes": tuple(n for n in known.notes if n.note_id != self.note_id)})


def notes_stream(customer_id: str) -> str:
    return f"customer-notes/{customer_id}"
