"""Records that a program pushes as JSON: ``{"type": "orders", "data": [{...}, ...]}`` with the columns of the CSV files.

Tickets have columns of their own here: a program sends a message as it is, not as a mail.
"""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from connectors.importers import orders, sales
from connectors.importers.cells import Cells
from connectors.importers.mail_body import MAX_CHARACTERS, clean
from connectors.importers.orders import read_orders
from connectors.importers.report import ImportReport, in_file_order
from connectors.importers.sales import read_sales
from connectors.importers.table import Column, TableOptions, parse_rows, read_table
from domain.entities import Direction, Message
from domain.errors import InvalidInput
from domain.event import NewEvent, new_event
from domain.events import MessageReceived
from domain.ids import digest
from domain.model import Value

TICKET_COLUMNS = (
    Column("message_id", "the message's own id", required=True),
    Column("sender", "the customer's address", required=True),
    Column("body", "what the customer wrote", required=True),
    Column("sent_at", "when it was sent; else when it came in"),
    Column("subject", "what it is about"),
    Column("thread", "what joins the messages of one conversation; else the message stands alone"),
)
COLUMNS: Mapping[str, Sequence[Column]] = {"orders": orders.COLUMNS, "sales": sales.COLUMNS, "tickets": TICKET_COLUMNS}
_Row = dict[str, str | bool | None]  # numbers are kept as they are written


class Pushed(Value):
    """One object may stand in place of a list of one; what else stands beside them is not read."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    type: Literal["orders", "sales", "tickets"]
    data: _Row | list[_Row] = Field(min_length=1)

    @property
    def rows(self) -> list[_Row]:
        return self.data if isinstance(self.data, list) else [self.data]


_PUSHED = TypeAdapter(Pushed)


def pushed(raw: bytes) -> Pushed:
    """Raises InvalidInput, naming the place and nothing of the content."""
    try:
        return _PUSHED.validate_python(json.loads(raw, parse_float=str, parse_int=str, parse_constant=_no_number))
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"][:3])
        raise InvalidInput(f"{where or 'the body'} is not as described", hint='{"type": "orders", "data": [{...}]}') from None
    except (ValueError, RecursionError):
        raise InvalidInput("the body is not JSON", hint='{"type": "orders", "data": [{...}]}') from None


def read_pushed(raw: bytes, *, source: str, at: datetime) -> ImportReport:
    """What the records say. Rejections name the record, counted from 1, in place of a line. Raises InvalidInput.

    ``source`` is whose tickets they are, ``at`` when they came in.
    """
    told = pushed(raw)
    table, places = _as_csv(told.rows, COLUMNS[told.type])
    readers: dict[str, Callable[[], ImportReport]] = {
        "orders": lambda: read_orders(table, table=TableOptions(), today=at.date()),
        "sales": lambda: read_sales(table, table=TableOptions(), today=at.date()),
        "tickets": lambda: _read_tickets(table, source=source, at=at),
    }
    report = readers[told.type]()
    if report.rows < len(told.rows):
        raise InvalidInput("a record has nothing in it", hint=f"the columns are {', '.join(c.name for c in COLUMNS[told.type])}")
    rejected = tuple(replace(r, line=places.get(r.line, r.line)) for r in report.rejected)
    return replace(report, rejected=rejected, notes=(*report.notes, *_unread(told)))


def _unread(told: Pushed) -> list[str]:
    names = sorted({name for row in told.rows for name in row} - {column.name for column in COLUMNS[told.type]})
    return [f"columns not read: {', '.join(names)[:200]}"] if names else []


def _read_tickets(table: bytes, *, source: str, at: datetime) -> ImportReport:
    found = read_table(table, TICKET_COLUMNS, TableOptions())
    rows, rejected = parse_rows(found, lambda cells: _message(cells, source, at), TableOptions())
    return ImportReport("tickets", found.rows, tuple(event for _, event in rows), in_file_order(rejected), found.notes)


def _message(cells: Cells, source: str, at: datetime) -> NewEvent:
    """A conversation is one ticket as long as the same person writes: nobody joins one by naming it."""
    sender, named = cells.email("sender"), cells.required("message_id")
    body = clean(cells.required("body"))
    message = Message(
        message_id=named,
        direction=Direction.INBOUND,
        sender=sender,
        at=min(cells.maybe_moment("sent_at") or at, at),
        body=body if len(body) <= MAX_CHARACTERS else f"{body[:MAX_CHARACTERS]}\n[cut here]",
    )
    ticket_id = f"{source}/{digest([cells.text('thread', named), sender])[:16]}"
    subject = " ".join(clean(cells.text("subject")).split())[:200]
    data = MessageReceived(ticket_id=ticket_id, source=source, subject=subject, message=message)
    return new_event(data, at=message.at, key=(source, named, digest(data)))


def _as_csv(rows: Sequence[_Row], columns: Sequence[Column]) -> tuple[bytes, dict[int, int]]:
    """The records as the table that the importers read, and which record begins on which of its lines."""
    names = [column.name for column in columns if column.required or any(column.name in row for row in rows)]
    text, places, line = io.StringIO(newline=""), dict[int, int](), 2
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(names)
    for number, row in enumerate(rows, start=1):
        cells = [_cell(row.get(name)) for name in names]
        writer.writerow(cells)
        places[line] = number
        line += 1 + sum(cell.count("\n") for cell in cells)
    return text.getvalue().encode("utf-8", "replace"), places


def _cell(value: str | bool | None) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return (value or "").replace("\r\n", "\n").replace("\r", "\n")


def _no_number(_word: str) -> None:
    raise ValueError("NaN and Infinity are no JSON")
