"""HubSpot: contacts in the order in which they changed, none twice and none lost; notes once, found again by their mark."""

from datetime import timedelta
from typing import Any

import pytest

import memory
from activities.intake import Intake
from connectors.hubspot import HubspotContacts
from connectors.hubspot_notes import HubspotNotes
from domain.actions import AddNote, ArchiveNote, Capability
from domain.entities import Address, Customer
from domain.errors import Permanent, Retryable, Unknown
from domain.event import new_event
from domain.events import CustomerListed
from memory.fakes.shelves import InMemoryAttempts
from models.embedding import HashingEmbedder
from tests.contract.every_source import SourceCase, read
from tests.contract.http_trouble import TROUBLE
from tests.contract.hubspot_double import TOKEN, Hubspot, note, opened
from tests.contract.outside_cases import LATER, NOW
from tests.contract.scripted_http import Reply, as_json

QUICK = [pytest.param(*t.values, id=t.id) for t in TROUBLE if t.id not in ("hangs", "drips", "huge")]


async def all_of(double: Hubspot, *, cursor: str = "") -> tuple[list[str], str]:
    async with opened(double) as connected:
        assert connected.source is not None

        async def nothing(_many: int) -> None:
            return

        records, end = await read(SourceCase(connected.source, "contacts", nothing), cursor)
    return [r.external_id.partition("@")[0] for r in records], end


class TestContacts:
    async def test_many_of_one_moment_are_read_once(self) -> None:
        """A bulk import gives hundreds the same time of change; later ones of that very moment are not lost."""
        double, moment = Hubspot(), NOW - timedelta(hours=1)
        double.arrive(250, at=moment)
        first, cursor = await all_of(double)
        double.arrive(5, at=moment)
        second, cursor = await all_of(double, cursor=cursor)
        assert (len(set(first)), len(first), len(second)) == (250, 250, 5)
        assert (await all_of(double, cursor=cursor))[0] == []

    async def test_a_change_is_another_record_and_what_is_too_new_waits(self) -> None:
        """The search lists late: what changed within the last minute is read when it is older."""
        double = Hubspot()
        double.arrive(2)
        _, cursor = await all_of(double)
        double.arrive(1, at=NOW - timedelta(seconds=30))
        double.contacts["101"]["lastmodifieddate"] = (NOW - timedelta(hours=1)).isoformat()
        assert (await all_of(double, cursor=cursor))[0] == ["101"]

    @pytest.mark.parametrize(("reply", "reading", "_writing"), QUICK)
    async def test_trouble(self, reply: Reply, reading: type[Exception], _writing: type[Exception]) -> None:
        double = Hubspot(trouble=reply)
        async with opened(double) as connected:
            assert connected.source is not None
            with pytest.raises(reading) as told:
                await connected.source.read("contacts", "", now=NOW)
        assert TOKEN not in f"{told.value!r} {told.value}"

    async def test_a_window_that_is_used_up_is_waited_for(self) -> None:
        """HubSpot says so in headers of its own; and a limit by the day is a 429 with a category."""
        double = Hubspot(
            trouble=as_json(
                {"total": 0, "results": []},
                X_HubSpot_RateLimit_Remaining="0",
                X_HubSpot_RateLimit_Interval_Milliseconds="10000",
            )
        )
        async with opened(double) as connected:
            assert connected.source is not None
            await connected.source.read("contacts", "", now=NOW)
            with pytest.raises(Retryable, match="left alone"):
                await connected.source.read("contacts", "", now=NOW)
        async with opened(Hubspot(trouble=as_json({"category": "RATE_LIMITS"}, status=429))) as connected:
            with pytest.raises(Retryable, match="RATE_LIMITS"):
                await connected.check()

    async def test_a_contact_that_the_shop_knows_fills_in_what_is_missing(self) -> None:
        """The shop's number, name and address stand; a name that is only an address does not."""
        kept = memory.in_memory(embedder=HashingEmbedder())
        home = Address(name="Ada", line1="Elm Road 3", city="Berlin", country="DE")
        shop = Customer(customer_id="7", name="Ada Berg", email="c101@example.org", address=home)
        bare = Customer(customer_id="8", name="c102@example.org", email="c102@example.org")
        await kept.log.append([new_event(CustomerListed(customer=c), at=NOW, key=(c.customer_id,)) for c in (shop, bare)])
        double = Hubspot()
        double.arrive(3, address="1 Mill Lane", city="York", country="gb", firstname="Eve", lastname="Byron")
        async with opened(double) as connected:
            assert connected.source is not None
            page = await connected.source.read("contacts", "", now=NOW)
            intake = Intake(inbox=kept.inbox, log=kept.log, state=kept.state)
            await intake.accept("hubspot", page.records, now=LATER)
            await intake.understand("hubspot", connected.source, now=LATER)
        known = {c.customer_id: c for c in await kept.state.find(Customer)}
        assert known["7"] == shop
        assert (known["8"].name, known["8"].address and known["8"].address.city) == ("Eve Byron", "York")
        assert set(known) == {"7", "8", "c103@example.org"}

    @pytest.mark.parametrize(
        ("properties", "name", "note"),
        [
            ({"firstname": "", "lastname": ""}, "c101@example.org", ""),
            ({"address": "1 Mill Lane", "city": "Berlin", "country": "Germany"}, "Ada Number 101", "no two-letter code"),
            ({"email": ""}, None, "no customer yet"),
        ],
    )
    def test_what_a_contact_says(self, properties: dict[str, Any], name: str | None, note: str) -> None:
        """Nothing is guessed."""
        double = Hubspot()
        double.arrive(1, at=None, **properties)
        raw = as_json({"id": "101", "properties": double.contacts["101"]}).body
        report = HubspotContacts("hubspot", None).normalise("contacts", raw, at=NOW)  # type: ignore[arg-type]
        assert [e.data.customer.name for e in report.accepted] == ([name] if name else [])
        assert note in " ".join(report.notes)


class Clock:
    """As late as a test says."""

    now = NOW


class Desk:
    """The notes of one HubSpot, over attempts that outlive the connector."""

    def __init__(self, double: Hubspot) -> None:
        self.double = double
        self.attempts = InMemoryAttempts()
        self.clock = Clock()

    def over(self, connected: Any) -> HubspotNotes:
        http = connected.connectors[Capability.CRM]._http
        return HubspotNotes("hubspot", http, attempts=self.attempts, clock=lambda: self.clock.now)


@pytest.fixture
def desk() -> Desk:
    double = Hubspot()
    double.arrive(2)
    return Desk(double)


async def done(connector: HubspotNotes, action: Any, *, key: str = "k") -> Any:
    shown = await connector.preview(action)
    return await connector.execute(action, key=key, expected_version=shown.record_version, now=NOW)


class TestNotes:
    async def test_a_text_is_shown_as_it_was_written(self, desk: Desk) -> None:
        """Whatever it holds: it is text, on this one contact."""
        async with opened(desk.double) as connected:
            await done(desk.over(connected), note())
        (kept,) = desk.double.notes.values()
        assert kept["body"].startswith("likes &lt;red&gt; mugs<br>&amp; plates<br>[steward-")
        assert kept["contact"] == "101"

    async def test_a_lost_answer_is_looked_up_and_never_written_twice(self, desk: Desk) -> None:
        async with opened(desk.double) as connected:
            connector, desk.double.lose = desk.over(connected), 1
            with pytest.raises(Unknown):
                await done(connector, note())
            found = await connector.find_receipt(note(), key="k")
            assert found is not None
            assert await done(connector, note()) == found
        assert desk.double.standing == [found.reference]

    async def test_what_is_not_listed_yet_is_not_written_again(self, desk: Desk) -> None:
        """Its absence means something only after a while."""
        async with opened(desk.double) as connected:
            connector, desk.double.lose, desk.double.late = desk.over(connected), 1, True
            with pytest.raises(Unknown):
                await done(connector, note())
            for ask in (connector.find_receipt(note(), key="k"), done(connector, note())):
                with pytest.raises(Retryable, match="may have it"):
                    await ask
            desk.clock.now = NOW + timedelta(minutes=11)
            assert await connector.find_receipt(note(), key="k") is None
        assert len(desk.double.notes) == 1

    async def test_many_notes_are_looked_through(self, desk: Desk) -> None:
        """In pages and in batches."""
        async with opened(desk.double) as connected:
            connector = desk.over(connected)
            receipts = [await done(connector, note(f"number {n}"), key=f"k{n}") for n in range(5)]
            fresh = HubspotNotes("hubspot", connector._http, attempts=desk.attempts)
            assert [await fresh.find_receipt(note(f"number {n}"), key=f"k{n}") for n in range(5)] == receipts

    async def test_a_note_is_taken_back_and_only_ours(self, desk: Desk) -> None:
        """Archived, not destroyed; again changes nothing."""
        async with opened(desk.double) as connected:
            connector = desk.over(connected)
            action = note()
            inverse = action.inverse({}, await done(connector, action))
            assert isinstance(inverse, ArchiveNote)
            assert (await connector.preview(inverse)).before == {"note": action.text}
            first = await done(connector, inverse, key="undo")
            assert await connector.find_receipt(inverse, key="undo") == first
            assert desk.double.standing == []
            desk.double.notes["77"] = {"contact": "101", "body": "by a person", "archived": False}
            with pytest.raises(Permanent, match="not written by Steward"):
                await connector.preview(ArchiveNote(customer_id="C1", note_id="77"))

    @pytest.mark.parametrize(("reply", "_reading", "writing"), [t for t in QUICK if t.id != "conflict"])
    async def test_trouble(self, desk: Desk, reply: Reply, _reading: type[Exception], writing: type[Exception]) -> None:
        """What may have happened is Unknown."""
        async with opened(desk.double) as connected:
            desk.double.refuses = reply
            with pytest.raises(writing) as told:
                await done(desk.over(connected), note())
        assert TOKEN not in f"{told.value!r} {told.value}"
        assert desk.double.notes == {}

    async def test_nobody_by_that_address_is_no_contact(self, desk: Desk) -> None:
        async with opened(desk.double) as connected:
            with pytest.raises(Permanent):
                await desk.over(connected).preview(AddNote(customer_id="C1", email="nobody@example.org", text="x"))
