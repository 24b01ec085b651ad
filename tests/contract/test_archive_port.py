"""One contract for the archive: the fake and Postgres go through the same tests."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

import memory
from domain.errors import ChainBroken, LogError, NotFound
from domain.event import NewEvent, new_event
from domain.retention import ArchivedMonth, Manifest, MonthArchived, MonthAttached, Place
from models.embedding import HashingEmbedder
from tests.unit.domain.happenings import NOW, sale

OVER, GOING_ON = "event_2031_01", "event_2031_02"


@pytest.fixture(params=["in-memory", "postgres"])
def urls(request: pytest.FixtureRequest) -> dict[str, str]:
    """The addresses of the servers, started only for the tests that use them."""
    names = () if request.param == "in-memory" else ("database_url", "chroma_url")
    return {name: request.getfixturevalue(name) for name in names}


@pytest.fixture
async def kept(urls: dict[str, str], tmp_path: Path) -> AsyncIterator[memory.Memory]:
    """A log with two months of two events each."""
    times = [datetime(2031, month, 15, tzinfo=UTC) for month in (1, 2)]
    if not urls:
        moments = iter(times)
        filled = memory.in_memory(embedder=HashingEmbedder(), clock=_reading(lambda: next(moments, times[-1])))
        for number in (0, 2):
            await filled.log.append([sale(number), sale(number + 1)])
        yield filled
        return
    async with memory.open_memory(**urls, embedder=HashingEmbedder(), home=tmp_path / "home") as opened:
        for number, moment in zip((0, 2), times, strict=True):
            async with await psycopg.AsyncConnection.connect(urls["database_url"], autocommit=True) as connection:
                await connection.execute("UPDATE chain SET recorded_at = %s", (moment,))
            await opened.log.append([sale(number), sale(number + 1)])
        yield opened


def _reading(clock: Callable[[], datetime]) -> Callable[[], datetime]:
    """The store looks twice at its clock in one append."""
    looks: list[datetime] = []

    def look() -> datetime:
        looks.append(looks[-1] if len(looks) % 2 else clock())
        return looks[-1]

    return look


def archived(manifest: Manifest) -> NewEvent:
    return new_event(MonthArchived(manifest=manifest, at=NOW), at=NOW, key=(manifest.partition,))


async def place(kept: memory.Memory) -> Place:
    (found,) = (segment.place for segment in await kept.archive.segments() if segment.partition == OVER)
    return found


async def test_a_month_goes_and_comes_back(kept: memory.Memory) -> None:
    """Each move happens once, is in the log, and leaves the log as readable as before."""
    manifest = await kept.archive.seal(OVER)
    assert (manifest.events, manifest.first_seq, manifest.last_seq) == (2, 1, 2)
    assert await kept.archive.seal(OVER) == manifest
    assert [await kept.archive.detach(manifest, archived(manifest)) for _ in range(2)] == [True, False]
    state = await kept.state.get(ArchivedMonth, OVER)
    assert state is not None
    assert state.archived
    assert await place(kept) is Place.ARCHIVE
    back = new_event(MonthAttached(partition=OVER, at=NOW), at=NOW, key=(OVER,))
    assert [await kept.archive.attach(OVER, back) for _ in range(2)] == [True, False]
    assert await place(kept) is Place.DATABASE
    assert [event.seq for event in await kept.log.read()] == [1, 2, 3, 4, 5, 6]
    assert (await kept.log.verify()).ok


async def test_only_a_month_that_is_over_can_be_sealed_and_only_a_sealed_one_moved(kept: memory.Memory) -> None:
    """The month that goes on stays."""
    for name in (GOING_ON, "event_1999_01"):
        with pytest.raises(ChainBroken):
            await kept.archive.seal(name)
    manifest = await kept.archive.seal(OVER)
    with pytest.raises(LogError):
        await kept.archive.detach(manifest.model_copy(update={"last_hash": "a" * 64}), archived(manifest))
    with pytest.raises(NotFound):
        await kept.archive.attach(GOING_ON, archived(manifest))


async def test_verifying_since_a_head_sees_only_what_follows(kept: memory.Memory) -> None:
    """And notices where it does not follow."""
    head = await kept.log.head()
    await kept.log.append([sale(9)])
    assert ((await kept.log.verify(since=head)).events, (await kept.log.verify(since=head)).ok) == (1, True)
    assert not (await kept.log.verify(since=head.model_copy(update={"hash": "a" * 64}))).ok
