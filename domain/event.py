"""The event envelope, in CloudEvents 1.0 terms, and the base of every event's data.

An event's data says on which stream it lies, how it folds into that stream's entity, which facts and sales rows it
implies and whether it wakes a workflow. All of it is pure, so that replaying the log rebuilds everything.
"""

from abc import abstractmethod
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from pydantic import Field

from domain.errors import InvalidInput
from domain.ids import derived_id
from domain.model import Moment, Name, Value
from domain.passage import Passage

EntityType = type[Value]


class FactOp(StrEnum):
    PROPOSE = "propose"
    ASSERT = "assert"
    RETRACT = "retract"


class FactChange(Value):
    """One statement about ``subject``: valid in the world from ``valid_from`` (until ``valid_to``, if known).

    A ``functional`` predicate holds one value at a time: asserting a new one closes the old one at ``valid_from``.
    """

    subject: Name
    predicate: Name
    object: str
    valid_from: Moment
    valid_to: Moment | None = None
    confidence: float = Field(default=1.0, ge=0, le=1)
    op: FactOp = FactOp.ASSERT
    functional: bool = True


class SalesRow(Value):
    """Units of a SKU on a day. ``additive`` rows add to what is there; others replace it (an import restated)."""

    sku: Name
    day: date
    units: int
    orders: int = 0
    returned: int = 0
    revenue: Decimal = Decimal(0)
    additive: bool = True


class Topic(StrEnum):
    """What an event can wake. Each topic is one workflow."""

    SUPPORT = "support"
    REPLENISH = "replenish"
    ROLLOUT = "rollout"
    ATTENTION = "attention"
    CONNECTION = "connection"
    RESTOCK = "restock"


class Wake(Value):
    """A durable call to a workflow, delivered at least once after the event's transaction commits."""

    topic: Topic
    key: Name


class EventData(Value):
    """Base of every event type. Subclasses are named in the past tense and listed in ``domain.catalogue``."""

    type: ClassVar[str]
    entity: ClassVar[EntityType]
    schema_version: ClassVar[int] = 1

    @property
    @abstractmethod
    def stream(self) -> str:
        """``<entity kind>/<id>``; the part before the first slash names the projection."""

    @abstractmethod
    def fold(self, state: Any) -> Value:
        """The entity after this event. ``state`` is the entity before it, or None."""

    def facts(self, at: Any) -> tuple[FactChange, ...]:
        """Facts this event asserts or retracts; ``at`` is the event's time."""
        return ()

    def sales(self) -> tuple[SalesRow, ...]:
        return ()

    def passages(self, at: Any) -> tuple[Passage, ...]:
        """Texts this event makes searchable; a later one with the same id replaces the earlier."""
        return ()

    def wakes(self, before: Any, after: Any) -> Wake | None:
        """The workflow this event wakes, given the entity before and after it."""
        return None


class NewEvent(Value):
    """An event that is not yet in the log. ``event_id`` makes appending it idempotent."""

    event_id: UUID
    data: Any  # an EventData; typed Any so that pydantic keeps the subclass
    at: Moment
    source: Name = "steward"
    actor: Name = "steward"
    correlation_id: str = ""
    causation_id: str = ""
    policy_versions: dict[str, int] = Field(default_factory=dict)
    flags: dict[str, str] = Field(default_factory=dict)


class Event(Value):
    """An event as it stands in the log. ``data`` is the JSON of its EventData; see ``catalogue.load``."""

    seq: int
    event_id: UUID
    source: str
    type: str
    at: Moment
    stream: str
    stream_version: int
    data: dict[str, Any]
    actor: str
    correlation_id: str
    causation_id: str
    schema_version: int
    pre: dict[str, Any] | None
    post: dict[str, Any]
    policy_versions: dict[str, int]
    flags: dict[str, str]
    recorded_at: Moment
    prev_hash: str
    hash: str


def new_event(data: EventData, *, at: Any, key: tuple[str, ...], **envelope: Any) -> NewEvent:
    """An event whose id is derived from its type and ``key``, the parts that name this occurrence."""
    return NewEvent(event_id=derived_id("event", data.type, *key), data=data, at=at, **envelope)


def existing(state: Any, stream: str) -> Any:
    """``state``, or InvalidInput where the stream has not begun."""
    if state is None:
        raise InvalidInput(f"{stream} does not exist yet", hint="append the event that creates it first")
    return state
