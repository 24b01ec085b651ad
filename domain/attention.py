"""Attention: what is worth an interrupt of the operator, what they were told, and what became of it.

A notice may leave the house (a mail, a chat), so what it says is made of Steward's own words, numbers and amounts only:
nothing that a stranger wrote, no name and no address.
"""

from enum import StrEnum
from typing import Any

from pydantic import Field

from domain.event import EventData
from domain.model import Moment, Name, Value
from domain.runs import AlertLevel

_LEVELS = list(AlertLevel)


def at_least(level: AlertLevel, other: AlertLevel) -> bool:
    """Whether ``level`` is as severe as ``other``, or more."""
    return _LEVELS.index(level) >= _LEVELS.index(other)


class Notice(Value):
    """One thing that waits for the operator, or several of a kind as one.

    ``key`` tells it from others: what has the same key is the same notice. ``kind`` is the kind of action or of alert.
    ``value_at_risk`` is money in the shop's currency; minutes of work are priced by the policy. ``about`` names streams.
    """

    key: Name
    kind: Name
    level: AlertLevel
    value_at_risk: float = Field(ge=0)
    text: str
    what_to_do: str
    about: tuple[str, ...] = Field(min_length=1)
    count: int = Field(default=1, ge=1)
    at: Moment  # since when the oldest of it waits
    due: Moment | None = None  # when the first of it lapses
    pressing: bool = False  # a customer says that it is urgent


class NoticeOutcome(StrEnum):
    ACTED = "acted"
    SNOOZED = "snoozed"
    IGNORED = "ignored"  # still open a day later
    EXPIRED = "expired"
    MOOT = "moot"  # something newer came; says nothing about the operator


class Sent(Value):
    """An interrupt, and how it ended; ``outcome`` is None while that is open."""

    notice: Notice
    at: Moment
    outcome: NoticeOutcome | None = None
    after_minutes: float = 0.0
    delivered: tuple[str, ...] = ()  # the services that took the message


class AttentionDay(Value):
    """One day of the operator's attention, by their own calendar; ``deferred`` counts what was left for the digest."""

    day: Name
    sent: tuple[Sent, ...] = ()
    deferred: int = 0


class _AttentionEvent(EventData):
    entity = AttentionDay
    day: Name

    @property
    def stream(self) -> str:
        return f"attention/{self.day}"

    def fold(self, state: AttentionDay | None) -> AttentionDay:
        day = state or AttentionDay(day=self.day)
        return day.model_copy(update=self.change(day))

    def change(self, day: AttentionDay) -> dict[str, Any]:
        return {}


class InterruptSent(_AttentionEvent):
    """The operator was interrupted."""

    type = "attention.interrupt-sent"
    notice: Notice
    at: Moment

    def change(self, day: AttentionDay) -> dict[str, Any]:
        return {"sent": (*day.sent, Sent(notice=self.notice, at=self.at))}


class NoticeDelivered(_AttentionEvent):
    """Services took the message about an interrupt. ``level`` tells it from an earlier one about the same."""

    type = "attention.notice-delivered"
    key: Name
    level: AlertLevel
    services: tuple[str, ...] = Field(min_length=1)

    def change(self, day: AttentionDay) -> dict[str, Any]:
        return {"sent": tuple(self._delivered(sent) if self._is_about(sent.notice) else sent for sent in day.sent)}

    def _is_about(self, notice: Notice) -> bool:
        return (notice.key, notice.level) == (self.key, self.level)

    def _delivered(self, sent: Sent) -> Sent:
        return sent.model_copy(update={"delivered": tuple(dict.fromkeys((*sent.delivered, *self.services)))})


class NoticeDeferred(_AttentionEvent):
    """It was no interrupt, and waits for the digest. Of a key, level and reason there is one a day."""

    type = "attention.notice-deferred"
    key: Name
    kind: Name
    level: AlertLevel
    why: Name

    def change(self, day: AttentionDay) -> dict[str, Any]:
        return {"deferred": day.deferred + 1}


class NoticeEnded(_AttentionEvent):
    """What became of an interrupt, ``after_minutes`` from when it was sent."""

    type = "attention.notice-ended"
    key: Name
    outcome: NoticeOutcome
    after_minutes: float = Field(ge=0)

    def change(self, day: AttentionDay) -> dict[str, Any]:
        return {"sent": tuple(self._ended(sent) if self._is_about(sent) else sent for sent in day.sent)}

    def _is_about(self, sent: Sent) -> bool:
        return sent.notice.key == self.key and sent.outcome is None

    def _ended(self, sent: Sent) -> Sent:
        return sent.model_copy(update={"outcome": self.outcome, "after_minutes": self.after_minutes})
