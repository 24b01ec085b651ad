"""Notes on a contact in HubSpot: written once, found again by a mark of ours in their text.

A note is claimed before it is sent. Who finds a claim whose end nobody noted looks through the contact's notes for the
mark. HubSpot may take a while to list what it took, so that only after some minutes its absence means that there is none.
Sources: HubSpot CRM API v3 (objects/notes, objects/contacts, batch/read) and v4 (associations), note to contact is type 202.
"""

import asyncio
import html
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from weakref import WeakValueDictionary

from pydantic import BaseModel

from connectors.http import Http
from domain.actions import Action, AddNote, ArchiveNote, Capability, Receipt
from domain.attempts import Attempt, AttemptStatus
from domain.decisions import Diff
from domain.errors import Permanent, Retryable, Stale, Unknown
from domain.ids import digest
from domain.ports import Attempts

_SETTLED_AFTER = timedelta(minutes=10)
_NOTE_TO_CONTACT = 202
_BATCH = 100
_PAGES = 50
_MARK = "steward-"


class _Contact(BaseModel):
    id: str


class _Note(BaseModel):
    id: str
    properties: dict[str, str | None] = {}
    updatedAt: str = ""  # noqa: N815 - as HubSpot calls it

    @property
    def body(self) -> str:
        return self.properties.get("hs_note_body") or ""


class _Notes(BaseModel):
    results: list[_Note]


class _Link(BaseModel):
    toObjectId: int | str  # noqa: N815 - as above


class _Next(BaseModel):
    after: str


class _Paging(BaseModel):
    next: _Next | None = None


class _Links(BaseModel):
    results: list[_Link]
    paging: _Paging | None = None


class HubspotNotes:
    """See ``ports.Connector``."""

    capability = Capability.CRM

    def __init__(
        self, name: str, http: Http, *, attempts: Attempts, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.name = name
        self._http = http
        self._attempts = attempts
        self._clock = clock
        self._writing: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def check(self) -> str:
        await self._http.get("/crm/v3/objects/notes", params={"limit": "1"})
        return "notes may be written"

    async def preview(self, action: Action) -> Diff:
        match action:
            case AddNote():
                contact = await self._contact(action.email)
                return add_diff(action, contact)
            case ArchiveNote():
                note = await self._note(action.note_id)
                return archive_diff(action, _text_of(note), note.updatedAt)
        raise Permanent(f"a customer database cannot {action.kind}")

    async def execute(self, action: Action, *, key: str, expected_version: str, now: datetime) -> Receipt:
        async with self._writing.setdefault(key, asyncio.Lock()):
            attempt = await self._attempts.prepare(_attempt(self.name, _ours(action), key, now))
            if attempt.status is not AttemptStatus.READY and (receipt := await self.find_receipt(action, key=key)):
                return receipt
            _same(attempt, action)
            if (await self.preview(action)).record_version != expected_version:
                raise Stale(f"{action.stream} is not at version {expected_version[:40]!r}")
            if not await self._attempts.begin(key, expected=0):
                raise Unknown(f"{self.name} is writing this already", hint="look what becomes of it")
            return await self._done(attempt, await self._write(action, key, now, contact_id=expected_version))

    async def find_receipt(self, action: Action, *, key: str) -> Receipt | None:
        """Raises Retryable as long as HubSpot may have what it does not list yet."""
        attempt = await self._attempts.find(key)
        if attempt is None:
            return None
        _same(attempt, action)
        if attempt.status is AttemptStatus.READY:
            return None
        if (note_id := await self._outcome(_ours(action), key)) is not None:
            return await self._done(attempt, note_id)
        if self._clock() < attempt.at + _SETTLED_AFTER:
            raise Retryable(f"{self.name} does not list this yet, and may have it", hint="it is looked up again by itself")
        await self._attempts.settle(key, AttemptStatus.READY)
        return None

    async def _write(self, action: Action, key: str, now: datetime, *, contact_id: str) -> str:
        """The note's number."""
        try:
            if isinstance(action, ArchiveNote):
                await self._http.send("DELETE", f"/crm/v3/objects/notes/{quote(action.note_id, safe='')}")
                return action.note_id
            body = _body(_ours(action), key, now, contact_id)
            return (await self._http.send("POST", "/crm/v3/objects/notes", body=body)).parse(_Note).id
        except (Retryable, Permanent, Stale):  # it took nothing; archiving twice is archiving once
            await self._attempts.settle(key, AttemptStatus.READY)
            raise

    async def _outcome(self, action: AddNote | ArchiveNote, key: str) -> str | None:
        """The number of the note that was written or archived under ``key``; None where there is no trace of it."""
        if told := await self._attempts.find(_outcome_key(key)):
            return told.payload.decode()
        if isinstance(action, ArchiveNote):
            return action.note_id if await self._is_gone(action.note_id) else None
        note = await self._marked(action, key)
        return note.id if note else None

    async def _done(self, attempt: Attempt, note_id: str) -> Receipt:
        """The number is written down first: it is what takes the note back."""
        name = _outcome_key(attempt.key)
        told = attempt.model_copy(update={"key": name, "reference": name, "payload": note_id.encode()})
        kept = await self._attempts.prepare(told)
        await self._attempts.settle(attempt.key, AttemptStatus.SENT)
        return Receipt(reference=kept.payload.decode(), at=attempt.at)

    async def _marked(self, action: AddNote, key: str) -> _Note | None:
        mark, contact = _mark(key), await self._contact(action.email)
        ids = await self._note_ids(contact)
        for start in range(0, len(ids), _BATCH):
            inputs = [{"id": i} for i in ids[start : start + _BATCH]]
            asked = {"properties": ["hs_note_body"], "propertiesWithHistory": [], "inputs": inputs}
            read = await self._http.send("POST", "/crm/v3/objects/notes/batch/read", body=asked, repeatable=True)
            if found := next((note for note in read.parse(_Notes).results if mark in note.body), None):
                return found
        return None

    async def _note_ids(self, contact: str) -> list[str]:
        """Of all notes on the contact, the newest first: HubSpot numbers them as they come."""
        path, after = f"/crm/v4/objects/contacts/{quote(contact, safe='')}/associations/notes", ""
        found: list[str] = []
        for _ in range(_PAGES):
            asked = {"limit": "500", **({"after": after} if after else {})}
            page = (await self._http.get(path, params=asked)).parse(_Links)
            found += [str(link.toObjectId) for link in page.results]
            if page.paging is None or page.paging.next is None:
                break
            after = page.paging.next.after
        return sorted(found, key=lambda i: (len(i), i), reverse=True)

    async def _contact(self, email: str) -> str:
        path = f"/crm/v3/objects/contacts/{quote(email, safe='')}"
        return (await self._http.get(path, params={"idProperty": "email", "properties": "email"})).parse(_Contact).id

    async def _note(self, note_id: str) -> _Note:
        path = f"/crm/v3/objects/notes/{quote(note_id, safe='')}"
        return (await self._http.get(path, params={"properties": "hs_note_body"})).parse(_Note)

    async def _is_gone(self, note_id: str) -> bool:
        asked = {"archived": "true", "properties": "hs_note_body"}
        try:
            await self._http.get(f"/crm/v3/objects/notes/{quote(note_id, safe='')}", params=asked)
        except Permanent:
            return False
        return True


def add_diff(action: AddNote, version: str) -> Diff:
    return Diff(record=action.stream, record_version=version, before={}, after={"note": action.text})


def archive_diff(action: ArchiveNote, text: str, version: str) -> Diff:
    return Diff(record=action.stream, record_version=version, before={"note": text}, after={})


def _ours(action: Action) -> AddNote | ArchiveNote:
    if not isinstance(action, AddNote | ArchiveNote):
        raise Permanent(f"a customer database cannot {action.kind}")
    return action


def _same(attempt: Attempt, action: Action) -> None:
    if attempt.action_digest != action.digest():
        raise Permanent("this key was used for another note")


def _outcome_key(key: str) -> str:
    return f"{key}/note"


def _mark(key: str) -> str:
    return f"{_MARK}{digest(key)[:24]}"


def _body(action: AddNote | ArchiveNote, key: str, now: datetime, contact_id: str) -> dict[str, Any]:
    """The text is plain: whatever it holds, it is shown as it was written."""
    assert isinstance(action, AddNote)
    text = html.escape(action.text).replace("\n", "<br>")
    link = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": _NOTE_TO_CONTACT}
    return {
        "properties": {"hs_timestamp": now.isoformat(), "hs_note_body": f"{text}<br>[{_mark(key)}]"},
        "associations": [{"to": {"id": contact_id}, "types": [link]}],
    }


def _text_of(note: _Note) -> str:
    """Raises Permanent for a note that we did not write."""
    text, found, _ = note.body.rpartition(f"<br>[{_MARK}")
    if not found:
        raise Permanent(f"note {note.id} was not written by Steward", hint="archive it in HubSpot yourself")
    return html.unescape(text.replace("<br>", "\n"))


def _attempt(name: str, action: AddNote | ArchiveNote, key: str, now: datetime) -> Attempt:
    return Attempt(
        connection=name,
        key=key,
        stream=f"{action.stream}/{key}",
        action_kind=action.kind,
        action_digest=action.digest(),
        reference=_mark(key),
        payload=b"",
        at=now,
    )
