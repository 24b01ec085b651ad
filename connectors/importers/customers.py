"""Customers: one a line."""

from datetime import datetime

from connectors.importers.address import ADDRESS_COLUMNS, read_address
from connectors.importers.cells import Cells
from connectors.importers.report import ImportReport, Rejection, in_file_order
from connectors.importers.table import Column, TableOptions, parse_rows, read_table
from domain.entities import Customer
from domain.event import NewEvent, new_event
from domain.events import CustomerListed
from domain.ids import digest

COLUMNS = (
    Column("email", "the customer's address", required=True),
    Column("name", "the customer's name", required=True),
    Column("customer_id", "the shop's number for the customer; else the e-mail address"),
    Column("locale", "language, such as en or de-DE; else en"),
    *ADDRESS_COLUMNS,
)


def read_customers(raw: bytes, *, table: TableOptions, at: datetime) -> ImportReport:
    """One ``CustomerListed`` a line. ``at`` is when they are stated."""
    found = read_table(raw, COLUMNS, table)
    rows, rejected = parse_rows(found, _customer, table)
    events: dict[str, NewEvent] = {}
    for number, customer in rows:
        if customer.customer_id in events:
            column = found.header.get("customer_id", found.header["email"])
            rejected.append(Rejection(number, column, customer.customer_id, "stands in the file twice"))
            continue
        data = CustomerListed(customer=customer)
        events[customer.customer_id] = new_event(data, at=at, key=(customer.customer_id, digest(data)), source="import")
    return ImportReport("customers", found.rows, tuple(events.values()), in_file_order(rejected), found.notes)


def _customer(cells: Cells) -> Customer:
    email, name = cells.email("email"), cells.required("name")
    return Customer(
        customer_id=cells.text("customer_id", email),
        name=name,
        email=email,
        locale=cells.text("locale", "en"),
        address=read_address(cells, name) if cells.text("line1") else None,
    )
