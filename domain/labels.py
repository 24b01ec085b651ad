"""Labels: what people said a message is about. Triage is refitted from them; each version names those it knows."""

from enum import StrEnum

from domain.event import EventData
from domain.model import Moment, Name, Text, Value


class LabelSource(StrEnum):
    APPROVED = "approved"  # the operator let an answer of this intent go as shown
    CORRECTED = "corrected"  # the operator named another intent
    AUDITED = "audited"  # asked as a sample


class Label(Value):
    """``intent`` may be one that nobody knew before: the operator invents classes by naming them."""

    ticket_id: Name
    text: Text  # as the classifier saw it
    intent: Name
    source: LabelSource
    by: Name
    at: Moment


class LabelGiven(EventData):
    """The last label of a ticket counts."""

    type = "label.given"
    entity = Label
    label: Label

    @property
    def stream(self) -> str:
        return f"label/{self.label.ticket_id}"

    def fold(self, state: Label | None) -> Label:
        return self.label
