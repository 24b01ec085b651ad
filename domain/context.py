"""Context packs: everything a decision was made from, compiled in one fixed order and hashed."""

from enum import StrEnum
from typing import Any

from pydantic import Field

from domain.ids import digest
from domain.model import Moment, Name, Value


class Section(StrEnum):
    """In the order in which a pack is compiled; earlier sections are never displaced by later ones."""

    POLICIES = "policies"
    STATE = "state"
    FACTS = "facts"
    EVENTS = "events"
    RECALL = "recall"
    LESSONS = "lessons"


class Item(Value):
    """One piece of a section. ``ref`` names its source: a stream, ``policy/name@3``, or an event."""

    ref: Name
    body: dict[str, Any]
    tokens: int


class ContextRequest(Value):
    """What a decision needs. ``streams`` are looked up by key; ``query`` is recalled; ``topic`` selects lessons."""

    policies: tuple[str, ...] = ()
    streams: tuple[str, ...] = ()
    query: str = ""
    topic: str = ""
    token_budget: int = Field(default=6_000, ge=200)
    as_of: Moment


class ContextPack(Value):
    """``sections`` in Section order; ``dropped`` says what did not fit and from which section."""

    sections: dict[Section, tuple[Item, ...]]
    dropped: tuple[str, ...] = ()
    policy_versions: dict[str, int] = Field(default_factory=dict)

    @property
    def hash(self) -> str:
        return digest(self.sections)

    def items(self, section: Section) -> tuple[Item, ...]:
        return self.sections.get(section, ())
