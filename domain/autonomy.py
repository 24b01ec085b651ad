"""Earned autonomy: narrow classes of actions, what the operator did with them, and which may go without asking."""

from typing import Any, NamedTuple

from pydantic import Field

from domain.actions import Action
from domain.event import EventData
from domain.model import Moment, Name, Value
from domain.money import Money

_BANDS = (10, 25, 50, 100, 250, 500, 1_000)
NO_MONEY = "no-money"
PROPOSE = "propose"
"""The workflow of what programs propose: it is always asked, so that its classes earn nothing."""


def band_of(money: Money | None) -> str:
    """``up-to-25`` and so on: the smallest band the amount fits into."""
    if money is None:
        return NO_MONEY
    return next((f"up-to-{band}" for band in _BANDS if money.amount <= band), f"over-{_BANDS[-1]}")


def class_of(workflow: str, action: Action, topic: str) -> str:
    """The narrow class an action belongs to: workflow, kind of action, topic (an intent, a supplier), amount band."""
    return f"{workflow}/{action.kind}/{topic or 'any'}/{band_of(action.money())}"


class ClassKey(NamedTuple):
    """A class's key in its parts. One that names no class has no workflow and no kind."""

    workflow: str
    kind: str
    topic: str
    band: str

    @classmethod
    def read(cls, key: str) -> "ClassKey":
        parts = key.split("/")
        if len(parts) < len(cls._fields):
            return cls("", "", key, "")
        return cls(parts[0], parts[1], "/".join(parts[2:-1]), parts[-1])  # a topic may have slashes of its own

    def same_but_larger(self, other: "ClassKey") -> bool:
        """The same actions on the same topic, with more money at stake."""
        return self[:3] == other[:3] and _size(self.band) > _size(other.band) >= 0

    def of_another_counterparty(self, other: "ClassKey") -> bool:
        """The same actions on another topic, with at least as much at stake."""
        return self[:2] == other[:2] and self.topic != other.topic and _size(self.band) >= _size(other.band)


def _size(band: str) -> int:
    """The band's place among those of money, the smallest first; -1 where none is at stake."""
    return next(
        (place for place, most in enumerate(_BANDS) if band == f"up-to-{most}"), len(_BANDS) if band.startswith("over-") else -1
    )


class ClassRecord(Value):
    """What the operator did with the actions of a class. ``severe`` misses never fade."""

    key: Name
    approved: int = 0  # as they were shown
    corrected: int = 0  # edited, rejected, or complained about afterwards
    severe: int = 0
    since_severe: int = 0  # reviews since the last severe miss
    last_at: Moment | None = None

    @property
    def reviewed(self) -> int:
        return self.approved + self.corrected


class ClassReviewed(EventData):
    """A person, or a result, said whether an action of the class was right."""

    type = "autonomy.reviewed"
    entity = ClassRecord
    key: Name
    ref: Name  # the approval or run it is about
    corrected: bool
    severe: bool = False
    at: Moment

    @property
    def stream(self) -> str:
        return f"autonomy/{self.key}"

    def fold(self, state: ClassRecord | None) -> ClassRecord:
        record = state or ClassRecord(key=self.key)
        change: dict[str, Any] = {"last_at": self.at}
        change |= {"corrected": record.corrected + 1} if self.corrected else {"approved": record.approved + 1}
        change |= {"severe": record.severe + 1, "since_severe": 0} if self.severe else {"since_severe": record.since_severe + 1}
        return record.model_copy(update=change)


class Grant(Value):
    """A class that may act without asking. ``limit`` is the share of corrections above which it would not have earned it."""

    key: Name
    limit: float = Field(gt=0, lt=1)
    sample: float = Field(ge=0, le=1)  # the share that is asked all the same at first, so that the record stays true
    earned_at: Moment
    why: str = ""
