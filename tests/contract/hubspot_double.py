"""HubSpot on loopback: as much of its API as is asked, with its ways: late lists, pages, numbers of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from pydantic import SecretStr

from connectors.hubspot import KIND
from connectors.kinds import Opened, Opening
from domain.actions import AddNote, ArchiveNote, Capability
from domain.ports import Attempts
from memory.fakes.shelves import InMemoryAttempts
from tests.contract.every_source import SourceCase
from tests.contract.outside_cases import NOW, Case, reply
from tests.contract.recorded.contracts import contract
from tests.contract.scripted_http import Call, Reply, as_json, serving

TOKEN = "pat-open-sesame"
FIRST = NOW - timedelta(days=30)


@dataclass
class Hubspot:
    """``notes`` by number, with the contact each is on. A created note is listed unless ``late``; ``trouble`` comes first."""

    contacts: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: dict[str, dict[str, Any]] = field(default_factory=dict)
    late: bool = False
    lose: int = 0  # answers to creations that never come
    trouble: Reply | None = None
    refuses: Reply | None = None  # to write a note
    asked: list[Call] = field(default_factory=list)

    def arrive(self, many: int, *, at: datetime | None = None, **properties: str) -> None:
        for _ in range(many):
            number = len(self.contacts) + 101
            changed = at or FIRST + timedelta(seconds=number)
            stamp = changed.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            about = {"email": f"c{number}@example.org", "firstname": "Ada", "lastname": f"Number {number}", "country": None}
            self.contacts[str(number)] = about | {"lastmodifieddate": stamp} | properties

    @property
    def standing(self) -> list[str]:
        return [i for i, note in self.notes.items() if not note["archived"]]

    def answer(self, asked: Call) -> Reply:
        self.asked.append(asked)
        if trouble := self.refuses if (asked.method, asked.path) == _WRITING and self.refuses else self.trouble:
            return trouble
        return contract("hubspot").checked(asked, self._answer(asked))

    def _answer(self, asked: Call) -> Reply:
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return _error(401, "INVALID_AUTHENTICATION", TOKEN)
        version, *rest = asked.path.removeprefix("/crm/").split("/")
        if version == "v4":
            return self._links(rest[2], asked.query)
        return self._of_contacts(asked, rest[2:]) if rest[1] == "contacts" else self._of_notes(asked, rest[2:])

    def _of_contacts(self, asked: Call, rest: list[str]) -> Reply:
        return self._search(asked.body) if rest == ["search"] else self._contact(unquote(rest[0]))

    def _of_notes(self, asked: Call, rest: list[str]) -> Reply:
        match asked.method, rest:
            case "POST", ["batch", "read"]:
                ids = [one["id"] for one in asked.body["inputs"]]
                return as_json({**_BATCH, "results": [self._told(i) for i in ids if i in self.standing]})
            case "POST", []:
                return self._create(asked.body)
            case "GET", [note]:
                archived = asked.query.get("archived") == "true"
                there = note in self.notes and self.notes[note]["archived"] is archived
                return as_json(self._told(note)) if there else _error(404, "OBJECT_NOT_FOUND")
            case "DELETE", [note]:
                self.notes.get(note, {})["archived"] = True
                return Reply(status=204)
        return as_json({"results": []})

    def _search(self, body: Any) -> Reply:
        if "filterGroups" not in body:
            return as_json({"total": len(self.contacts), "results": []})
        low, high = (int(f["value"]) for f in body["filterGroups"][0]["filters"])
        found = [(_ms(about), i) for i, about in self.contacts.items() if low <= _ms(about) <= high]
        found.sort(key=lambda one: one[0])  # those of one moment stay in the order in which they came
        start = int(body.get("after", 0))
        end = start + body["limit"]
        page = [_record(i, self.contacts[i], changed=self.contacts[i]["lastmodifieddate"]) for _, i in found[start:end]]
        paging = {"paging": {"next": {"after": str(end)}}} if end < len(found) else {}
        return as_json({"total": len(found), "results": page, **paging})

    def _contact(self, email: str) -> Reply:
        found = next((i for i, about in self.contacts.items() if about["email"] == email), None)
        return as_json(_record(found, {"email": email})) if found else _error(404, "OBJECT_NOT_FOUND")

    def _links(self, contact: str, query: dict[str, str]) -> Reply:
        mine = [i for i in self.standing if self.notes[i]["contact"] == contact and not self.late]
        start = int(query.get("after", 0))
        page = mine[start : start + 2]
        paging = {"paging": {"next": {"after": str(start + 2)}}} if start + 2 < len(mine) else {}
        return as_json({"results": [{"toObjectId": int(i), "associationTypes": []} for i in page], **paging})

    def _create(self, body: Any) -> Reply:
        (link,) = body["associations"]
        assert link["types"] == [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 202}]
        number = str(9_000 + len(self.notes))
        self.notes[number] = {"contact": link["to"]["id"], "body": body["properties"]["hs_note_body"], "archived": False}
        if self.lose:
            self.lose -= 1
            return Reply(body=b'{"id": "9', cut=True)
        return as_json(self._told(number), status=201)

    def _told(self, note: str) -> dict[str, Any]:
        return _record(note, {"hs_note_body": self.notes[note]["body"]})


_STAMP = "2026-03-01T00:00:00Z"
_WRITING = ("POST", "/crm/v3/objects/notes")
_BATCH = {"status": "COMPLETE", "startedAt": _STAMP, "completedAt": _STAMP}


def _record(number: str, properties: dict[str, Any], *, changed: str = _STAMP) -> dict[str, Any]:
    return {"id": number, "properties": properties, "createdAt": _STAMP, "updatedAt": changed, "archived": False}


def _error(status: int, category: str, message: str = "no") -> Reply:
    return as_json({"category": category, "message": message, "correlationId": "a"}, status=status)


def _ms(about: dict[str, Any]) -> int:
    return round(datetime.fromisoformat(about["lastmodifieddate"]).timestamp() * 1_000)


@asynccontextmanager
async def opened(double: Hubspot, attempts: Attempts | None = None, *, token: str = TOKEN) -> AsyncIterator[Opened]:
    async with serving(answer=double.answer) as server:
        connected = KIND.open(
            Opening(
                name="hubspot",
                settings=KIND.checked({"url": server.url}),
                secrets={"token": SecretStr(token)},
                folder=Path("unused"),
                attempts=attempts or InMemoryAttempts(),
            )
        )
        yield connected
        await connected.close()


def note(text: str = "likes <red> mugs\n& plates", email: str = "c101@example.org") -> AddNote:
    return AddNote(customer_id="C1", email=email, text=text)


@asynccontextmanager
async def writing(_home: Path) -> AsyncIterator[Case]:
    double = Hubspot()
    double.arrive(2)

    async def count() -> int:
        return len(double.standing)

    async with opened(double) as connected:
        gone = ArchiveNote(customer_id="C1", note_id="1")
        yield Case(connected.connectors[Capability.CRM], note(), note("another"), gone, reply(), count)


@asynccontextmanager
async def reading(_home: Path) -> AsyncIterator[SourceCase]:
    double = Hubspot()

    async def arrive(many: int) -> None:
        double.arrive(many)

    async with opened(double) as connected:
        assert connected.source is not None
        yield SourceCase(connected.source, "contacts", arrive)
