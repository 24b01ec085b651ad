"""Customers from vCards, as address books and phones export them: many in one file, versions 3.0 and 4.0.

Version 2.1, with its own ways of writing letters, is refused card by card. Sources: RFC 2426 (3.0), RFC 6350 (4.0).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from connectors.importers.cells import CellFormat, Cells
from connectors.importers.report import BadCell, ImportReport, Rejection
from domain.entities import Address, Customer
from domain.errors import InvalidInput
from domain.event import NewEvent, new_event
from domain.events import CustomerListed
from domain.ids import digest

_LONGEST = 1_000_000  # characters of one line: pictures are in them
_MOST = 100_000  # cards
_PARAMETERS = r'(?:;[\w-]+(?:=(?:"[^"]*"|[^";:])*)?)*'
_LINE = re.compile(rf"(?:[\w-]+\.)?(?P<name>[\w-]+)(?P<parameters>{_PARAMETERS}):(?P<value>.*)", re.ASCII | re.DOTALL)
_PREFERRED = re.compile(r"(?:^|[;,=])\"?pref\b", re.IGNORECASE)
_COMPONENTS = re.compile(r"((?:\\.|[^\\;])*);", re.DOTALL)
_VERSIONS = ("3.0", "4.0")
_ESCAPES = {"n": "\n", "N": "\n"}


@dataclass
class _Card:
    """``line`` is where it begins; the first value of each name counts, unless a later one is the preferred one."""

    line: int
    values: dict[str, str] = field(default_factory=dict)
    preferred: set[str] = field(default_factory=set)
    problem: str = ""

    def take(self, name: str, parameters: str, value: str) -> None:
        prefers = bool(_PREFERRED.search(parameters))
        if value and (name not in self.values or (prefers and name not in self.preferred)):
            self.values[name] = value
            self.preferred |= {name} if prefers else set()


def is_vcards(raw: bytes) -> bool:
    return raw.removeprefix(b"\xef\xbb\xbf").lstrip()[:11].upper() == b"BEGIN:VCARD"


def read_vcards(raw: bytes, *, at: datetime) -> ImportReport:
    """One ``CustomerListed`` a card that has a mail address. Raises InvalidInput for what is no UTF-8 text."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput("the vCards are not in UTF-8", hint="export them as vCard 3.0 or 4.0") from None
    events: dict[str, NewEvent] = {}
    rejected: list[Rejection] = []
    bare = number = 0
    for number, card in enumerate(_cards(text), start=1):
        if number > _MOST:
            raise InvalidInput(f"there are more than {_MOST:,} cards", hint="import them in smaller files")
        try:
            customer = _customer(card)
        except BadCell as bad:
            rejected.append(Rejection(card.line, bad.column, bad.value, bad.why))
            continue
        if customer is None:
            bare += 1
        elif customer.customer_id in events:
            rejected.append(Rejection(card.line, "EMAIL", customer.email, "stands in the file twice"))
        else:
            data = CustomerListed(customer=customer)
            events[customer.customer_id] = new_event(data, at=at, key=(customer.customer_id, digest(data)), source="import")
    notes = (f"{bare} cards have no mail address and are left out",) if bare else ()
    return ImportReport("customers", number, tuple(events.values()), tuple(rejected), notes)


def _cards(text: str) -> Iterator[_Card]:
    card: _Card | None = None
    for number, line in _lines(text):
        match = _LINE.fullmatch(line)
        name, value = (match["name"].upper(), match["value"].strip()) if match else ("", line)
        if name == "BEGIN" and value.upper() == "VCARD":
            if card is not None:
                yield _broken(card, "has no end")
            card = _Card(number)
        elif card is not None and name == "END" and value.upper() == "VCARD":
            yield card
            card = None
        elif card is None:
            if line.strip():
                yield _broken(_Card(number), "is outside of a card")
        elif match:
            card.take(name, match["parameters"], value)
        elif line.strip():
            card.problem = card.problem or f"line {number} is no property"
    if card is not None:
        yield _broken(card, "has no end")


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Unfolded, each with the number it begins on."""
    number, pending, start = 0, "", 1
    for number, line in enumerate(text.splitlines(), start=1):
        if line[:1] in (" ", "\t") and pending:
            pending = (pending + line[1:])[:_LONGEST]
            continue
        if pending:
            yield start, pending
        pending, start = line, number
    if pending:
        yield start, pending


def _broken(card: _Card, problem: str) -> _Card:
    card.problem = card.problem or problem
    return card


def _customer(card: _Card) -> Customer | None:
    """None for a card without a mail address. Raises BadCell."""
    if card.problem:
        raise BadCell("card", "", card.problem)
    if card.values.get("VERSION") not in _VERSIONS:
        raise BadCell("VERSION", card.values.get("VERSION", "")[:20], "is not 3.0 or 4.0")
    if not card.values.get("EMAIL"):
        return None
    email = Cells({"EMAIL": _plain(card.values["EMAIL"]).removeprefix("mailto:")}, CellFormat()).email("EMAIL")
    name = " ".join(_plain(card.values.get("FN", "")).split()) or _structured_name(card.values.get("N", "")) or email
    return Customer(
        customer_id=email,
        name=name[:200],
        email=email,
        locale=_plain(card.values.get("LANG", ""))[:20] or "en",
        address=_address(card.values.get("ADR", ""), name[:200]),
    )


def _structured_name(value: str) -> str:
    """Family; given; more given names; titles before and after."""
    family, given, more, before, after = (*_parts(value), "", "", "", "", "")[:5]
    return " ".join(part for part in (before, given, more, family, after) if part)


def _address(value: str, name: str) -> Address | None:
    """None where it is not complete, or its country is not a code: a card's country is what somebody typed."""
    box, extended, street, city, _region, postcode, country = (*_parts(value), *[""] * 7)[:7]
    code = country.upper()
    if not (street and city and len(code) == 2 and code.isascii() and code.isalpha()):
        return None
    more = ", ".join(part for part in (extended, box) if part)
    return Address(name=name, line1=street[:200], line2=more, postcode=postcode, city=city[:200], country=code)


def _parts(value: str) -> list[str]:
    """The components between semicolons that are not escaped, each in plain text."""
    return [" ".join(_plain(part).split()) for part in _COMPONENTS.findall(value + ";")]


def _plain(value: str) -> str:
    return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), value, flags=re.DOTALL)
