"""Reading a connection, step by step: how long it rests, and what is left when it dies in the middle."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

import memory
from activities.intake import Intake
from activities.polling import PollActivities, Polled, PollInput
from connectors.fakes import InMemorySource, InMemorySources
from connectors.importers.mail import read_mail
from connectors.importers.report import ImportReport
from domain.actions import Capability
from domain.connections import Connection, ConnectionDescribed, ConnectionMode, ConnectionModeSet, Record
from domain.entities import PurchaseOrder, PurchaseOrderLine, Ticket
from domain.errors import Permanent, Retryable
from domain.event import EventData, Topic, new_event
from domain.events import PurchaseOrderSent, StockReceived
from domain.money import Money
from domain.ports import Source
from domain.runs import Alert
from models.embedding import HashingEmbedder
from tests.unit.domain.happenings import NOW


def as_mail(raw: bytes, at: datetime) -> ImportReport:
    return read_mail([raw], own=[], at=at)


def mail(number: int) -> Record:
    raw = f"From: ada@example.org\nMessage-ID: <{number}@example.org>\n\nNumber {number}.\n".encode()
    return Record(stream="records", external_id=str(number), raw=raw)


class Sources(InMemorySources):
    """A connection that may be impossible to open."""

    broken: Permanent | None = None

    async def source(self, connection: str) -> Source | None:
        if self.broken:
            raise self.broken
        return await super().source(connection)


@dataclass(frozen=True)
class Post:
    kept: memory.Memory
    source: InMemorySource
    activities: PollActivities
    sources: Sources

    async def poll(self, after: timedelta = timedelta(0)) -> Polled:
        return await self.activities.poll(PollInput(connection="post", now=NOW + after))

    async def happens(self, data: EventData) -> None:
        await self.kept.log.append([new_event(data, at=NOW, key=(data.stream,))])

    async def due(self, *, changed: bool) -> list[str]:
        """The orders that a shop was to be told of by now, after another reading."""
        await self.activities.poll(PollInput(connection="post", now=NOW, changed=changed))
        return [item.key for item in await self.kept.outbox.pending() if item.topic == Topic.RESTOCK]

    async def tickets(self) -> int:
        return len(await self.kept.state.find(Ticket))


@pytest.fixture
async def post() -> Post:
    kept = memory.in_memory(embedder=HashingEmbedder())
    source = InMemorySource("post", normalise=as_mail)
    intake = Intake(inbox=kept.inbox, log=kept.log, state=kept.state)
    sources = Sources(post=source)
    polling = PollActivities(sources=sources, cursors=kept.cursors, intake=intake, log=kept.log, state=kept.state)
    connected = ConnectionDescribed(connection=Connection(name="post", kind="post", poll_seconds=60), by="operator")
    await kept.log.append([new_event(connected, at=NOW, key=("1",))])
    return Post(kept, source, polling, sources)


async def test_it_rests_longer_after_every_failure_and_never_longer_than_an_hour(post: Post) -> None:
    """And then as usual, once it works."""
    post.source.failures.extend(Retryable("away") for _ in range(8))
    rests = [(await post.poll(timedelta(hours=n))).look_again_seconds for n in range(9)]
    assert rests == [120.0, 240.0, 480.0, 960.0, 1920.0, 3600.0, 3600.0, 3600.0, 60.0]


async def test_the_systems_own_wish_counts(post: Post) -> None:
    """It is left alone as long as it asks, and told about at once where trying again will not help."""
    post.source.failures.append(Retryable("busy", retry_after=timedelta(hours=5)))
    assert (await post.poll()).look_again_seconds == 5 * 3600
    assert await post.kept.state.get(Alert, "connection/post") is None
    post.source.failures.append(Permanent("the password is wrong", hint="`./steward connect post`"))
    await post.poll(timedelta(hours=6))
    alert = await post.kept.state.get(Alert, "connection/post")
    assert alert is not None
    assert alert.what_to_do == "`./steward connect post`"


async def test_a_step_that_died_anywhere_is_repeated_without_loss_and_without_a_second_ticket(post: Post) -> None:
    """Stored but not understood; understood but not ticked off; cursor not moved on."""
    await post.kept.inbox.receive("post/records", "1", mail(1).raw, at=NOW)
    post.source.records = [mail(1), mail(2), mail(3)]
    assert (await post.poll()).text == "2 new"
    await post.kept.cursors.advance("post", "records", "0", at=NOW)
    assert (await post.poll()).text == "0 new"
    assert await post.tickets() == 3
    assert len(await post.kept.log.read()) == 4


async def test_a_stream_that_fails_does_not_starve_the_others(post: Post) -> None:
    """It alone is tried later, and counted; a connection that cannot be opened is told too, and forgotten when it can."""
    post.source.streams = ("broken", "records")
    post.source.failures.append(Retryable("no such thing today"))
    post.source.records = [mail(1)]
    assert (await post.poll()).look_again_seconds == 120.0
    assert await post.tickets() == 1
    post.sources.broken = Permanent("no password")
    assert "could not read (connecting): no password" in (await post.poll()).text
    post.sources.broken = None
    await post.poll()
    assert [s.failures for s in await post.kept.cursors.streams("post")] == [0, 0, 0]


async def test_a_flood_is_read_in_portions(post: Post) -> None:
    """After some pages the step ends, so that its run can rest, be seen and continue as new; it goes on at once."""
    post.source.records = [mail(n) for n in range(50)]
    first = await post.poll()
    assert (first.look_again_seconds, first.text) == (0.0, "40 new")
    assert ((await post.poll()).look_again_seconds, await post.tickets()) == (60.0, 50)


async def test_what_waits_to_be_put_on_sale_is_due_once_a_change_of_a_live_shop(post: Post) -> None:
    """Not while it is in dry-run, not while it cannot be read, and not at every reading."""
    order = PurchaseOrder(
        purchase_order_id="po-1",
        supplier_id="north",
        lines=(PurchaseOrderLine(sku="MUG", title="", units=3, unit_cost=Money.of(4)),),
        ordered_at=NOW,
        expected_at=NOW,
    )
    await post.happens(PurchaseOrderSent(purchase_order=order))
    await post.happens(StockReceived(sku="MUG", units=3, purchase_order_id="po-1", on_sale=False))
    shop = Connection(name="post", kind="post", serves=(Capability.SHOP,))
    await post.happens(ConnectionDescribed(connection=shop, by="operator"))
    assert await post.due(changed=True) == []
    await post.happens(ConnectionModeSet(name="post", mode=ConnectionMode.LIVE, by="operator"))
    assert await post.due(changed=False) == []
    post.source.failures.append(Retryable("away"))
    assert await post.due(changed=True) == []
    assert (await post.due(changed=True), await post.due(changed=True)) == (["po-1"], ["po-1"])
