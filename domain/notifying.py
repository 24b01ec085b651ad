"""What goes out to the operator's telephone, mail or chat: one line in Steward's own words, and a link."""

from domain.model import Moment, Name, Value
from domain.runs import Alert, AlertLevel

UNDELIVERED = "notify/undelivered"
"""The key of the alert that messages do not get through."""


class Notification(Value):
    """Nothing in it is personal: it goes through other people's computers."""

    title: str
    body: str
    urgent: bool = False


class ServiceAnswer(Value):
    """What became of a message at one service. ``said`` has nothing of the service's address in it."""

    service: Name
    ok: bool
    said: str = ""


def undelivered(services: str, *, now: Moment) -> Alert:
    """``services`` names those that did not take a message."""
    return Alert(
        key=UNDELIVERED,
        level=AlertLevel.WARNING,
        text=f"messages to you do not get through: {services}",
        what_to_do="`steward notify --test` says what each service answers",
        at=now,
    )
