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
from domain.connections import Connection, ConnectionDescribed, Record
from domain.entities import Ticket
from domain.errors import Permanent, Retryable
from domain.event import new_event
from domain.runs import Alert
from models.embedding import HashingEmbedder
from tests.unit.domain.happenings import NOW


def as_mail(raw: bytes, at: datetime) -> ImportReport:
    return read_mail([raw], own=[], at=at)


def mail(number: int) -> Record:
    raw = f"From: ada@example.org\nMessage-ID: <{number}@example.org>\n\nNumber {number}.\n".encode()
    return Record(stream="records", external_id=str(number), raw=raw)


@dataclass(frozen=True)
class Post:
    kept: memory.Memory
    source: InMemorySource
    activities: PollActivities

    async def poll(self, after: timedelta = timedelta(0)) -> Polled:
        return await self.activities.poll(PollInput(connection="post", now=NOW + after))

    async def tickets(self) -> int:
        return len(await self.kept.state.find(Ticket))


@pytest.fixture
async def post() -> Post:
    kept = memory.in_memory(embedder=HashingEmbedder())
    source = InMemorySource("post", normalise=as_mail)
    intake = Intake(inbox=kept.inbox, log=kept.log, state=kept.state)
    sources = InMemorySources(post=source)
    polling = PollActivities(sources=sources, cursors=kept.cursors, intake=intake, log=kept.log, state=kept.state)
    connected = ConnectionDescribed(connection=Connection(name="post", kind="post", poll_seconds=60), by="operator")
    await kept.log.append([new_event(connected, at=NOW, key=("1",))])
    return Post(kept, source, polling)


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


async def test_a_flood_is_read_in_portions(post: Post) -> None:
    """After some pages the step ends, so that its run can rest, be seen and continue as new; it goes on at once."""
    post.source.records = [mail(n) for n in range(50)]
    first = await post.poll()
    assert (first.look_again_seconds, first.text) == (0.0, "40 new")
    assert ((await post.poll()).look_again_seconds, await post.tickets()) == (60.0, 50)
