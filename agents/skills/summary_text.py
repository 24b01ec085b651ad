"""A closed matter in a few sentences, and the texts of the events that the sentences must stand in. Pure.

Nothing is counted or computed here: every figure is copied, so that it can be found in its source.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from agents.skills.grounding import day
from domain.entities import ContentPiece, Direction, PurchaseOrder, Ticket
from domain.event import Event
from domain.runs import Run

_QUOTED = 240  # characters of somebody's words
_LINES = 12  # order lines that are named


def sources_of(events: Sequence[Event]) -> list[str]:
    """One text an event: its stream, its day, and everything its data says, times as days and money as "4.00 EUR"."""
    return ["\n".join((e.stream, _days(e.at), *_leaves(e.data))) for e in events]


def ticket_summary(ticket: Ticket, *, opened: datetime, closed: datetime, reason: str) -> str:
    """``reason`` is why it was closed, as its event says."""
    asked = next((m.body for m in ticket.messages if m.direction is Direction.INBOUND), "")
    answered = next((m.body for m in reversed(ticket.messages) if m.direction is Direction.OUTBOUND), "")
    return _joined(
        f"Ticket {ticket.ticket_id}{f', “{_cut(ticket.subject)}”' if ticket.subject else ''}",
        f"It was about {ticket.intent}" if ticket.intent else "",
        f"It concerned order {ticket.order_id}" if ticket.order_id else "",
        f"Opened on {day(opened)}, closed on {day(closed)}{f': {reason}' if reason else ''}",
        f"The customer wrote: “{_cut(asked)}”" if asked else "",
        f"The last answer was: “{_cut(answered)}”" if answered else "It was closed without an answer",
    )


def purchase_order_summary(order: PurchaseOrder) -> str:
    lines = [f"{line.units} x {line.title} ({line.sku}) at {line.unit_cost}" for line in order.lines[:_LINES]]
    more = "; and more" if len(order.lines) > _LINES else ""
    return _joined(
        f"Purchase order {order.purchase_order_id} to {order.supplier_id}, {order.status.value}",
        f"Ordered on {day(order.ordered_at)}, expected on {day(order.expected_at)}",
        f"Received on {day(order.received_at)}" if order.received_at else "",
        f"Lines: {'; '.join(lines)}{more}",
    )


def content_summary(run: Run, piece: ContentPiece | None) -> str:
    """A content run and the page that came of it, if one did."""
    if piece is None:
        return _joined(f"{run.run_id} made no page", run.result)
    last = piece.metrics[-1] if piece.metrics else None
    return _joined(
        f"Page {piece.slug}, “{piece.title}”, is {piece.status.value}",
        f"Its keyword is “{piece.keyword}”",
        f"Published on {day(piece.published_at)}" if piece.published_at else "",
        f"Last measured for {last.day.isoformat()}: impressions {last.impressions}, clicks {last.clicks}" if last else "",
        f"The run ended with: {run.result}" if run.result else "",
    )


def _joined(*sentences: str) -> str:
    return " ".join(_ended(sentence.strip()) for sentence in sentences if sentence.strip())


def _ended(sentence: str) -> str:
    """With a full stop, where it has no end of its own."""
    return sentence if sentence.rstrip("”")[-1:] in ".!?…" else f"{sentence}."


def _cut(text: str) -> str:
    """The beginning in one line, cut between words: half a number would be another number."""
    line = " ".join(text.split())
    return line if len(line) <= _QUOTED else f"{line[:_QUOTED].rpartition(' ')[0]} …"


def _leaves(value: Any) -> Iterator[str]:
    match value:
        case {"amount": str() as amount, "currency": str() as currency}:
            yield f"{amount} {currency}"
        case dict():
            for item in value.values():
                yield from _leaves(item)
        case list():
            for item in value:
                yield from _leaves(item)
        case str():
            yield value
            yield from _day_of(value)
        case bool() | None:
            return
        case _:
            yield str(value)


def _day_of(text: str) -> Iterator[str]:
    """The day of a time as events spell it; ordinary words are no times."""
    if len(text) > len("2026-03-01T") and text[4:5] == "-":
        try:
            yield _days(datetime.fromisoformat(text))
        except ValueError:
            return


def _days(moment: datetime) -> str:
    """As it was written and in UTC, which are not always the same day."""
    utc = moment.astimezone(UTC) if moment.tzinfo else moment
    return f"{moment.date().isoformat()} {utc.date().isoformat()}"
