"""What memory answers with: facts in two times, recalled passages, policies in force."""

from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from pydantic import Field

from domain.model import Moment, Name, Value
from domain.passage import Passage
from domain.policies import Policy


class Fact(Value):
    """A statement with its two times: when it holds in the world, and when Steward believed it."""

    subject: Name
    predicate: Name
    object: str
    valid_from: Moment
    valid_to: Moment | None
    believed_from: Moment
    believed_to: Moment | None
    confidence: float
    status: str  # proposed, asserted, retracted
    source_event: UUID

    @property
    def ref(self) -> str:
        return f"{self.subject}#{self.predicate}"


class Dispute(Value):
    """Two sources that say different things of one subject, nearly at once. The later one is ``believed``."""

    subject: Name
    predicate: Name
    believed: str
    source: str
    other: str
    other_source: str

    @property
    def ref(self) -> str:
        return f"{self.subject}#{self.predicate}"


class Recalled(Value):
    """A passage with its fused score and the rank each signal gave it (1 is best; absent means not found by it)."""

    passage: Passage
    score: float
    ranks: dict[str, int] = Field(default_factory=dict)


class Head(Value):
    """The end of the log: the last sequence number and its hash."""

    seq: int
    hash: str


class Verification(Value):
    """The result of checking the chain: how many events, and the first thing wrong, if any."""

    events: int
    head: Head
    problem: str = ""

    @property
    def ok(self) -> bool:
        return not self.problem


P = TypeVar("P", bound=Policy)


@dataclass(frozen=True)
class InForce(Generic[P]):
    """A policy with the version that is in force (0 is the built-in default)."""

    name: str
    version: int
    document: P


class OutboxItem(Value):
    """A wake-up that was committed with its event and awaits delivery."""

    item_id: int
    topic: str
    key: str
    event_id: UUID
    at: Moment
