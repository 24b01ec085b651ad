"""Reading a connection on the real server: once each, in spite of outages, and an alert that closes itself."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowHandle

from connectors.fakes import InMemorySource
from connectors.importers.mail import read_mail
from connectors.importers.report import ImportReport
from domain.actions import Capability
from domain.connections import Connection, ConnectionDescribed, ConnectionMode, ConnectionModeSet, Record
from domain.entities import PurchaseOrder, PurchaseOrderLine, Ticket
from domain.errors import Retryable
from domain.event import EventData, Topic
from domain.events import PurchaseOrderSent, StockReceived
from domain.money import Money
from domain.runs import Alert
from tests.workflow.conftest import World
from tests.workflow.waiting import until
from workflows.polling import PollWorkflow

MAIL = "From: ada@example.org\nMessage-ID: <{0}@example.org>\nSubject: Where is it?\n\nIt is number {0}.\n"
POLL = timedelta(seconds=61)


def as_mail(raw: bytes, at: datetime) -> ImportReport:
    return read_mail([raw], own=["shop@example.org"], at=at)


@dataclass(frozen=True)
class Post:
    """A connected mailbox in memory."""

    world: World
    source: InMemorySource

    async def tell(self, *events: EventData) -> WorkflowHandle[PollWorkflow, str]:
        """Record the events and take their wake-ups along, as the relay does; the clock stands still."""
        await self.world.record(*events)
        items = [i for i in await self.world.kept.outbox.pending() if i.topic == "connection"]
        with self.world.env.with_time_skipping_disabled():
            for item in items:
                await self.world.gateway.wake(item, debounce=timedelta(0))
        await self.world.kept.outbox.delivered([item.item_id for item in items])
        return self.world.client.get_workflow_handle_for(PollWorkflow.run, "poll/post")

    async def connect(self) -> WorkflowHandle[PollWorkflow, str]:
        connection = Connection(name="post", kind="post", mode=ConnectionMode.LIVE, poll_seconds=60)
        return await self.tell(ConnectionDescribed(connection=connection, by="operator"))

    def arrive(self, *numbers: int) -> None:
        self.source.records += [
            Record(stream="records", external_id=str(len(self.source.records) + n), raw=MAIL.format(n).encode()) for n in numbers
        ]

    async def messages(self, count: int) -> list[str]:
        """The ids of all customers' messages, once there are ``count``."""

        async def enough() -> list[str] | None:
            found = [m.message_id for t in await self.world.kept.state.find(Ticket) for m in t.messages]
            return sorted(found) if len(found) >= count else None

        return await until(enough)

    async def failed(self, times: int) -> None:
        async def so_often() -> bool:
            return any(s.failures == times for s in await self.world.kept.cursors.streams("post"))

        await until(so_often)

    async def due(self) -> list[str]:
        """The purchase orders whose goods can be put on sale by now."""
        return [item.key for item in await self.world.kept.outbox.pending() if item.topic == Topic.RESTOCK]

    async def alert(self, *, open_: bool) -> Alert:
        async def found() -> Alert | None:
            alert = await self.world.kept.state.get(Alert, "connection/post")
            return alert if alert and alert.open is open_ else None

        return await until(found)


@pytest.fixture
def post(world: World) -> Post:
    source = InMemorySource("post", normalise=as_mail)
    world.sources.by_name["post"] = source
    return Post(world, source)


async def test_everything_is_read_once_and_goes_on_being_read(post: Post) -> None:
    """More than a page; the same mail delivered twice; then what comes later, at the next reading or when called."""
    post.arrive(1, 2, 3, 3, 1)
    run = await post.connect()
    assert await post.messages(3) == ["1@example.org", "2@example.org", "3@example.org"]
    post.arrive(4)
    await post.world.env.fast_forward(run, POLL)
    assert len(await post.messages(4)) == 4
    post.arrive(5)
    await post.world.gateway.look("post")
    assert len(await post.messages(5)) == 5
    (progress,) = await post.world.kept.cursors.streams("post")
    assert (progress.cursor, progress.failures) == ("7", 0)


async def test_an_outage_is_told_once_and_over_when_it_is(post: Post) -> None:
    """Two failures are nobody's business; the third is; a success closes it, and nothing was lost."""
    post.source.failures.extend(Retryable("the line is dead") for _ in range(4))
    post.arrive(1)
    await post.connect()
    for failures in (1, 2, 3, 4):
        await post.failed(failures)
        if failures < 3:
            assert await post.world.kept.state.get(Alert, "connection/post") is None
        else:
            await post.alert(open_=True)
        await post.world.gateway.look("post")
    assert "the line is dead" in (await post.alert(open_=False)).text
    assert await post.messages(1) == ["1@example.org"]


async def test_a_connection_that_is_switched_off_is_left_alone(post: Post) -> None:
    """Its run ends, and begins again when it is switched on; what came meanwhile is read then."""
    run = await post.connect()
    await until(lambda: post.world.kept.cursors.streams("post"))
    del post.world.sources.by_name["post"]
    await post.tell(ConnectionModeSet(name="post", mode=ConnectionMode.OFF, by="operator"))
    assert await run.result() == "nothing to read"
    post.arrive(1)
    post.world.sources.by_name["post"] = post.source
    again = await post.tell(ConnectionModeSet(name="post", mode=ConnectionMode.LIVE, by="operator"))
    assert await post.messages(1) == ["1@example.org"]
    assert (await again.describe()).status is WorkflowExecutionStatus.RUNNING


async def test_what_waits_to_be_put_on_sale_is_due_when_the_outage_is_over(post: Post) -> None:
    """That the shop went live is not forgotten over it; nothing is due before the shop was read."""
    line = PurchaseOrderLine(sku="MUG", title="", units=3, unit_cost=Money.of(4))
    now = datetime.now(UTC)
    order = PurchaseOrder(purchase_order_id="po-1", supplier_id="north", lines=(line,), ordered_at=now, expected_at=now)
    came = StockReceived(sku="MUG", units=3, purchase_order_id="po-1", on_sale=False)
    await post.world.record(PurchaseOrderSent(purchase_order=order), came)
    post.source.failures.append(Retryable("the line is dead"))
    shop = Connection(name="post", kind="post", mode=ConnectionMode.LIVE, serves=(Capability.SHOP,))
    await post.tell(ConnectionDescribed(connection=shop, by="operator"))
    await post.failed(1)
    assert await post.due() == []
    await post.world.gateway.look("post")
    assert await until(post.due) == ["po-1"]


async def test_what_cannot_be_understood_holds_up_nothing(post: Post) -> None:
    """It stays in the inbox, with the reason."""
    post.source.records.append(Record(stream="records", external_id="x", raw=b"From: nobody\n\n\xff\x00"))
    post.arrive(1)
    await post.connect()
    assert await post.messages(1) == ["1@example.org"]

    async def nothing_waits() -> bool:
        return not await post.world.kept.inbox.waiting("post/records")

    assert await until(nothing_waits)
