"""HubSpot: contacts become customers, and notes on them are written.

Contacts are read in the order in which they changed, up to a minute ago: HubSpot's search lists what is new after a while,
and what it lists late must not fall behind the place that was read to. A cursor is a moment, and the contacts of that very
moment that were read. No search gives more than 10,000 contacts, so that each begins where the one before ended.
Sources: HubSpot CRM API v3, search (limits and paging), objects/contacts; usage guidelines (rate limits).
"""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ValidationError

from connectors.http import Http
from connectors.hubspot_notes import HubspotNotes
from connectors.importers.report import ImportReport, Rejection
from connectors.kinds import Kind, Opened, Opening, Setting, web_address
from connectors.reading import ReadingSource, only_new
from domain.actions import Capability
from domain.connections import Delivery, Page, Reading, Record
from domain.entities import Address, Customer
from domain.errors import Permanent
from domain.event import new_event
from domain.events import CustomerListed
from domain.ids import canonical_json, digest
from domain.ports import State

_AT_ONCE = 100
_MOST_PAGES = 100  # of one search: HubSpot ends it at 10,000
_LAG = timedelta(minutes=1)
_PROPERTIES = ("email", "firstname", "lastname", "address", "zip", "city", "country", "hs_language", "lastmodifieddate")


class Contact(BaseModel):
    """As the API gives it; a property that is not set is null or missing."""

    id: str
    properties: dict[str, str | None]

    def __getitem__(self, name: str) -> str:
        return (self.properties.get(name) or "").strip()

    @property
    def changed(self) -> datetime:
        return datetime.fromisoformat(self["lastmodifieddate"])


class _Next(BaseModel):
    after: str


class _Paging(BaseModel):
    next: _Next | None = None


class _Found(BaseModel):
    results: list[Contact]
    paging: _Paging | None = None


class HubspotContacts(ReadingSource):
    """See ``ports.Source``."""

    streams: tuple[str, ...] = ("contacts",)

    def __init__(self, name: str, http: Http) -> None:
        self.name = name
        self._http = http

    async def check(self) -> str:
        class Total(BaseModel):
            total: int

        asked = {"limit": 1, "properties": ["email"]}
        found = await self._http.send("POST", "/crm/v3/objects/contacts/search", body=asked, repeatable=True)
        return f"{found.parse(Total).total:,} contacts"

    async def read(self, stream: str, cursor: str, *, now: datetime) -> Page:
        since, seen = _place(cursor)
        async for page, more in self._search(since, until=now - _LAG):
            if fresh := [contact for contact in page if contact.id not in seen or _moment(contact) != since]:
                return self._page(stream, fresh, since, seen, more=more)
        return Page(cursor=cursor)

    def _page(self, stream: str, fresh: list[Contact], since: int, seen: frozenset[str], *, more: bool) -> Page:
        last = _moment(fresh[-1])
        same = [c.id for c in fresh if _moment(c) == last]
        read = sorted({*same, *(seen if last == since else ())})
        records = tuple(_record(stream, contact) for contact in fresh)
        return Page(records=records, cursor=":".join((str(last), *read)), more=more)

    def normalise(self, stream: str, raw: bytes, *, at: datetime) -> ImportReport:
        try:
            contact = Contact.model_validate_json(raw)
            customer, notes = _customer(contact)
        except (ValidationError, ValueError, RecursionError):
            return ImportReport("customers", 1, (), (Rejection(1, "contact", raw[:60].decode(errors="replace"), "is no contact"),))
        if customer is None:
            return ImportReport("customers", 1, (), notes=notes)
        data = CustomerListed(customer=customer)
        event = new_event(data, at=at, key=(customer.customer_id, digest(data)), source=f"connection/{self.name}")
        return ImportReport("customers", 1, (event,), notes=notes)

    async def understand(self, delivery: Delivery, *, stream: str, state: State) -> Reading:
        """A contact whose address the shop knows is that customer: then it only fills in what the shop does not say."""
        report = self.normalise(stream, delivery.raw, at=delivery.at)
        named = [e.data.customer for e in report.accepted if isinstance(e.data, CustomerListed)]
        for contact in named:
            known = [c for c in await state.find(Customer, email=contact.email) if c.customer_id != contact.customer_id]
            if known:
                data = CustomerListed(customer=_filled(known[0], contact))
                event = new_event(data, at=delivery.at, key=(known[0].customer_id, digest(data)), source=f"connection/{self.name}")
                report = ImportReport("customers", 1, (event,), notes=report.notes)
        return await only_new(report, state)

    async def _search(self, since: int, *, until: datetime) -> AsyncIterator[tuple[list[Contact], bool]]:
        """Pages, the oldest change first, and whether more of them follow. Moments are milliseconds since 1970."""
        name, after = "lastmodifieddate", ""
        within = [
            {"propertyName": name, "operator": "GTE", "value": str(since)},
            {"propertyName": name, "operator": "LTE", "value": str(int(until.timestamp() * 1_000))},
        ]
        body: dict[str, Any] = {
            "filterGroups": [{"filters": within}],
            "sorts": [{"propertyName": name, "direction": "ASCENDING"}],
            "properties": list(_PROPERTIES),
            "limit": _AT_ONCE,
        }
        for _ in range(_MOST_PAGES):
            asked = body | ({"after": after} if after else {})
            found = (await self._http.send("POST", "/crm/v3/objects/contacts/search", body=asked, repeatable=True)).parse(_Found)
            after = found.paging.next.after if found.paging and found.paging.next else ""
            yield found.results, bool(after)
            if not after:
                return
        raise Permanent(f"{self.name} changed 10,000 contacts in one moment", hint="import them from a file")


def _place(cursor: str) -> tuple[int, frozenset[str]]:
    moment, *seen = cursor.split(":")
    return (int(moment), frozenset(seen)) if moment.isdecimal() else (0, frozenset())


def _moment(contact: Contact) -> int:
    """Raises Permanent where HubSpot does not say when it changed."""
    try:
        return round(contact.changed.timestamp() * 1_000)
    except ValueError:
        raise Permanent(f"contact {contact.id[:20]} does not say when it changed", hint="the API may have changed") from None


def _record(stream: str, contact: Contact) -> Record:
    raw = canonical_json({"id": contact.id, "properties": contact.properties}).encode("utf-8", "replace")
    return Record(stream=stream, external_id=f"{contact.id}@{contact['lastmodifieddate']}", raw=raw)


def _customer(contact: Contact) -> tuple[Customer | None, tuple[str, ...]]:
    email = contact["email"].lower()
    if not email:
        return None, ("a contact without an e-mail address is no customer yet",)
    name = f"{contact['firstname']} {contact['lastname']}".strip() or email
    address, notes = _address(contact, name)
    return Customer(customer_id=email, name=name, email=email, locale=contact["hs_language"] or "en", address=address), notes


def _address(contact: Contact, name: str) -> tuple[Address | None, tuple[str, ...]]:
    """HubSpot's country is what somebody typed; only a code says for sure which one is meant."""
    line1, city, country = contact["address"], contact["city"], contact["country"].upper()
    if not (line1 and city and country):
        return None, ()
    if len(country) != 2 or not country.isascii() or not country.isalpha():
        return None, ("the address is left out: its country is no two-letter code",)
    return Address(name=name, line1=line1, postcode=contact["zip"], city=city, country=country), ()


def _filled(known: Customer, contact: Customer) -> Customer:
    gaps: dict[str, Any] = {} if known.address else {"address": contact.address}
    gaps |= {"name": contact.name} if known.name in (known.email, known.customer_id) else {}
    return known.model_copy(update=gaps)


def _reason(body: Any) -> str:
    """``RATE_LIMITS``, ``VALIDATION_ERROR`` and the like."""
    return str(body["category"])


def _open(opening: Opening) -> Opened:
    headers = {"authorization": f"Bearer {opening.secret('token')}"}
    http = Http(opening.settings["url"], name=opening.name, headers=headers, explain=_reason, busy=frozenset({"RATE_LIMITS"}))
    contacts = HubspotContacts(opening.name, http)
    notes = HubspotNotes(opening.name, http, attempts=opening.attempts)

    async def check() -> str:
        return f"{await contacts.check()}; {await notes.check()}"

    return Opened(check=check, source=contacts, connectors={Capability.CRM: notes}, close=http.close)


KIND = Kind(
    name="hubspot",
    title="HubSpot: contacts become customers, and notes on them are written",
    settings=(
        Setting(name="token", ask="The token of a private app that may read and write contacts", secret=True),
        Setting(name="url", ask="The API's address", default="https://api.hubapi.com", check=web_address),
    ),
    open=_open,
    reads={"contacts": "contacts with an e-mail address become customers"},
    does={Capability.CRM: "writes notes on contacts, and archives those it wrote"},
)
