"""Months of the log leave the database and come back; at no moment is an event lost, changed or unproved."""

import json
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from pathlib import Path

import psycopg
import pytest
import zstandard

import memory
from domain.errors import ArchiveDamaged, ChainBroken, DuplicateConflict, NotFound, Retryable
from domain.event import Event, NewEvent, new_event
from domain.ids import canonical_json
from domain.knowledge import Head
from domain.retention import Anchor, Manifest, MonthArchived, MonthAttached, Place
from memory.anchors import FileAnchors
from memory.archive import PostgresArchive
from memory.chain import hash_of
from memory.database import open_database
from memory.rebuild import rebuild_check
from memory.segments import SegmentFolder
from models.embedding import HashingEmbedder
from tests.unit.domain.happenings import NOW, sale

JANUARY, FEBRUARY = "event_2031_01", "event_2031_02"


@pytest.fixture
async def kept(database_url: str, chroma_url: str, home: Path) -> AsyncIterator[memory.Memory]:
    """Three months of a log: four, three and two events, and the last month is not over."""
    async with memory.open_memory(
        database_url=database_url, chroma_url=chroma_url, embedder=HashingEmbedder(), home=home
    ) as opened:
        for month, numbers in enumerate((range(4), range(4, 7), range(7, 9)), start=1):
            await run(database_url, f"UPDATE chain SET recorded_at = '2031-{month:02}-15 12:00:00+00'")
            await opened.log.append([sale(n, sku="MUG" if n % 2 else "LAMP") for n in numbers])
        yield opened


async def run(url: str, statement: str) -> None:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute(statement.encode())


def archived(manifest: Manifest, occurrence: str = "1") -> NewEvent:
    return new_event(MonthArchived(manifest=manifest, at=NOW), at=NOW, key=(manifest.partition, occurrence))


def attached(partition: str, occurrence: str = "1") -> NewEvent:
    return new_event(MonthAttached(partition=partition, at=NOW), at=NOW, key=(partition, occurrence))


async def archive(kept: memory.Memory, partition: str) -> Manifest:
    manifest = await kept.archive.seal(partition)
    assert await kept.archive.detach(manifest, archived(manifest))
    return manifest


async def places(kept: memory.Memory) -> dict[str, Place]:
    """Of the months that have events."""
    return {s.partition: s.place for s in await kept.archive.segments() if not s.empty}


async def test_an_archived_month_is_read_verified_and_replayed_from_its_file(
    kept: memory.Memory, database_url: str, home: Path
) -> None:
    """Nobody who reads the log notices, but for the event that says so."""
    before, mugs = await kept.log.read(), await kept.log.read(stream="stock/MUG", after=1)
    await archive(kept, JANUARY)
    await archive(kept, FEBRUARY)
    assert list((await places(kept)).values()) == [Place.ARCHIVE, Place.ARCHIVE, Place.DATABASE]
    assert (await kept.log.read())[:9] == before
    assert await kept.log.read(stream="stock/MUG", after=1) == mugs
    assert await kept.log.read(after=3, limit=3) == before[3:6]
    verified = await kept.log.verify(anchor=Head(seq=2, hash=before[1].hash))
    assert (verified.problem, verified.events) == ("", 11)
    assert (await rebuild_check(database_url, home=home)).differences == ()


async def test_a_month_that_comes_back_keeps_the_chain(kept: memory.Memory, database_url: str) -> None:
    """In any order, its table defended as before; and it can leave again."""
    before = await kept.log.read()
    manifest = await archive(kept, JANUARY)
    await archive(kept, FEBRUARY)
    assert await kept.archive.attach(JANUARY, attached(JANUARY))
    assert not await kept.archive.attach(JANUARY, attached(JANUARY))
    assert (await places(kept))[JANUARY] is Place.DATABASE
    assert (await kept.log.read())[:9] == before
    assert (await kept.log.verify()).events == 12
    with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
        await run(database_url, f"DELETE FROM {JANUARY}")
    with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
        await run(database_url, f"TRUNCATE {JANUARY}")
    assert await kept.archive.detach(manifest, archived(manifest, "2"))
    assert (await kept.log.verify()).ok


async def test_the_check_of_the_state_agrees_after_a_month_came_back(kept: memory.Memory, database_url: str, home: Path) -> None:
    """The same events make the same state, wherever they are read from."""
    await archive(kept, JANUARY)
    await kept.archive.attach(JANUARY, attached(JANUARY))
    report = await rebuild_check(database_url, home=home)
    assert (report.events, report.differences) == (11, ())


async def test_an_archived_event_is_not_appended_twice(kept: memory.Memory) -> None:
    """Its id stays taken: the same content is answered with the stored event, other content is refused."""
    stored = (await kept.log.read())[0]
    await archive(kept, JANUARY)
    assert await kept.log.append([sale(0, sku="LAMP")]) == [stored]
    with pytest.raises(DuplicateConflict):
        await kept.log.append([sale(0, sku="LAMP", units=7)])


def lines_of(path: Path) -> list[dict[str, object]]:
    with zstandard.open(path, "rt") as lines:
        return [json.loads(line) for line in lines]


def rewrite(path: Path, rows: Sequence[dict[str, object]]) -> None:
    with zstandard.open(path, "wt") as file:
        file.writelines(f"{canonical_json(row)}\n" for row in rows)


def change_an_event(path: Path) -> None:
    rows = lines_of(path)
    rewrite(path, [row | {"actor": "mallory"} if row["seq"] == 2 else row for row in rows])


def forge_the_whole_month(path: Path) -> None:
    """With hashes that fit each other."""
    rows, last = [], str(lines_of(path)[0]["prev_hash"])
    for row in lines_of(path):
        event = Event.model_validate(row | {"actor": "mallory", "prev_hash": last})
        last = hash_of(dict(event))
        rows.append(event.model_dump(mode="json") | {"hash": last})
    rewrite(path, rows)


def leave_out_the_last_event(path: Path) -> None:
    rewrite(path, lines_of(path)[:-1])


def cut_it_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def remove_it(path: Path) -> None:
    path.unlink()


TAMPERED = pytest.mark.parametrize(
    "tamper",
    [change_an_event, forge_the_whole_month, leave_out_the_last_event, cut_it_off, flip_a_bit, remove_it],
    ids=lambda f: f.__name__,
)


@TAMPERED
async def test_a_tampered_archive_is_refused(kept: memory.Memory, home: Path, tamper: object, database_url: str) -> None:
    """It does not come back, the log does not verify, nothing is replayed from it; and what was, is as it was."""
    await archive(kept, JANUARY)
    head = await kept.log.head()
    assert callable(tamper)
    tamper(home / "archive" / f"{JANUARY}.jsonl.zst")
    with pytest.raises(ArchiveDamaged, match=JANUARY):
        await kept.archive.attach(JANUARY, attached(JANUARY))
    with pytest.raises(ArchiveDamaged, match=JANUARY):
        await rebuild_check(database_url, home=home)
    assert JANUARY in (await kept.log.verify()).problem
    assert await kept.log.head() == head
    assert (await places(kept))[JANUARY] in (Place.ARCHIVE, Place.MISSING)


@TAMPERED
async def test_a_month_does_not_leave_before_its_file_is_proved(kept: memory.Memory, home: Path, tamper: object) -> None:
    """Whatever happened to the file since it was written; sealing once more mends it."""
    manifest = await kept.archive.seal(JANUARY)
    assert callable(tamper)
    tamper(home / "archive" / f"{JANUARY}.jsonl.zst")
    with pytest.raises(ArchiveDamaged):
        await kept.archive.detach(manifest, archived(manifest))
    assert (await places(kept))[JANUARY] is Place.DATABASE
    assert await archive(kept, JANUARY) == manifest
    assert (await kept.log.verify()).ok


async def test_a_missing_file_does_not_hide_what_comes_after_it(kept: memory.Memory, home: Path, database_url: str) -> None:
    """The sealed hashes stand in for the month: both it and a change of a later event are named."""
    await archive(kept, JANUARY)
    remove_it(home / "archive" / f"{JANUARY}.jsonl.zst")
    verified = await kept.log.verify()
    assert verified.problem.startswith(f"the archive {JANUARY} is missing")
    assert verified.events == 6  # all the others
    await run(database_url, "SET session_replication_role = replica; UPDATE event SET actor = 'mallory' WHERE seq = 6")
    assert "event 6 (stock.sold on stock/MUG) was changed" in (await kept.log.verify()).problem


class PowerCut(Exception):
    """The machine goes out."""


class FailingFolder(SegmentFolder):
    """Goes out before or after it has written."""

    def __init__(self, home: Path, *, after: bool) -> None:
        super().__init__(home)
        self._after = after

    async def write(self, manifest: Manifest, batches: AsyncIterable[Sequence[Event]]) -> None:
        if self._after:
            await super().write(manifest, batches)
            raise PowerCut
        await super().write(manifest, self._broken(batches))

    async def _broken(self, batches: AsyncIterable[Sequence[Event]]) -> AsyncIterator[Sequence[Event]]:
        async for batch in batches:
            yield batch[:2]
            raise PowerCut


class OutOfTime(FailingFolder):
    """Goes out when it has proved the file, before the database has heard of it."""

    async def proved(self, manifest: Manifest) -> AsyncIterator[list[Event]]:
        async for batch in super().proved(manifest):
            yield batch
        raise PowerCut


@pytest.mark.parametrize("step", ["sealed", "half written", "written", "proved", "appended"])
async def test_a_crash_leaves_the_month_in_the_database_or_in_the_archive(
    kept: memory.Memory, database_url: str, home: Path, step: str
) -> None:
    """Never in neither; and the next try goes on from there."""
    async with open_database(database_url) as database:
        await crash(step, PostgresArchive(database, folder=folder_of(step, home), appended=lambda _: None), database_url)
    assert (await places(kept))[JANUARY] is Place.DATABASE
    assert (await kept.log.verify()).events == 9
    await archive(kept, JANUARY)
    assert (await places(kept))[JANUARY] is Place.ARCHIVE
    assert (await kept.log.verify()).events == 10
    assert drafts(home) == []


def drafts(home: Path) -> list[Path]:
    return list(home.glob("archive/.draft-*"))


def folder_of(step: str, home: Path) -> SegmentFolder:
    return OutOfTime(home, after=True) if step == "proved" else FailingFolder(home, after=step == "written")


async def crash(step: str, failing: PostgresArchive, database_url: str) -> None:
    """Begin to archive January and die at ``step``."""
    if step == "sealed":
        return await run(database_url, f"SELECT seal_event_partition('{JANUARY}')")
    if step in ("half written", "written"):
        with pytest.raises(PowerCut):
            await failing.seal(JANUARY)
        return None
    if step == "proved":
        with pytest.raises(PowerCut):
            await failing.seal(JANUARY)
        with pytest.raises(PowerCut):
            await failing.detach(await manifest_of(failing), archived(await manifest_of(failing)))
        return None
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        await connection.execute("SELECT seal_event_partition(%s)", (JANUARY,))
        await connection.execute("SELECT detach_event_partition(partition, last_hash) FROM event_segment")
        await connection.rollback()
    return None


async def manifest_of(archive: PostgresArchive) -> Manifest:
    (found,) = (s.manifest for s in await archive.segments() if s.partition == JANUARY)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("statement", "refusal"),
    [
        ("UPDATE event_segment SET events = events", "append-only"),
        ("DELETE FROM event_segment", "append-only"),
        ("TRUNCATE event_segment", "append-only"),
        (f"SELECT detach_event_partition('{FEBRUARY}', repeat('a', 64))", "was not sealed"),
        (f"SELECT detach_event_partition('{JANUARY}', repeat('a', 64))", "was not sealed with the root"),
        ("SELECT seal_event_partition('event_2031_03')", "not a month of the log that is over"),
        ("SELECT seal_event_partition('state')", "not a month of the log that is over"),
    ],
)
async def test_the_database_lets_only_sealed_months_go(
    kept: memory.Memory, database_url: str, statement: str, refusal: str
) -> None:
    """And keeps the seals as they are."""
    await kept.archive.seal(JANUARY)
    with pytest.raises(psycopg.errors.RestrictViolation, match=refusal):
        await run(database_url, statement)
    assert (await kept.log.verify()).ok


async def test_a_month_that_is_not_what_was_sealed_stays(kept: memory.Memory, database_url: str) -> None:
    """As after somebody removed events from it without the defences."""
    manifest = await kept.archive.seal(JANUARY)
    await run(database_url, "SET session_replication_role = replica; DELETE FROM event WHERE seq = 4")
    with pytest.raises(ChainBroken, match="not those it was sealed with"):
        await kept.archive.detach(manifest, archived(manifest))
    assert (await places(kept))[JANUARY] is Place.DATABASE


async def test_what_was_never_archived_cannot_come_back(kept: memory.Memory) -> None:
    """Whatever it is called."""
    for name in (JANUARY, "event; DROP TABLE event"):
        with pytest.raises(NotFound):
            await kept.archive.attach(name, attached(JANUARY))


async def test_a_month_waits_while_the_log_is_being_read(kept: memory.Memory, database_url: str) -> None:
    """Not for long, and the appends behind it go on: it is tried again later."""
    manifest = await kept.archive.seal(JANUARY)
    async with await psycopg.AsyncConnection.connect(database_url) as reader:
        await reader.execute("SELECT FROM event LIMIT 1")
        with pytest.raises(Retryable):
            await kept.archive.detach(manifest, archived(manifest))
        await kept.log.append([sale(20)])
    assert await kept.archive.detach(manifest, archived(manifest))


async def test_verifying_since_an_anchor_sees_what_came_after_it(kept: memory.Memory, database_url: str) -> None:
    """And that the anchored head is still part of the log."""
    events = await kept.log.read()
    since = Head(seq=5, hash=events[4].hash)
    assert (await kept.log.verify(since=since)).events == 4
    assert (await kept.log.verify(since=await kept.log.head())).events == 0
    assert "is not part of this log" in (await kept.log.verify(since=Head(seq=9, hash="a" * 64))).problem
    assert "is not part of this log" in (await kept.log.verify(since=Head(seq=90, hash="a" * 64))).problem
    assert "does not follow" in (await kept.log.verify(since=Head(seq=5, hash="a" * 64))).problem
    await archive(kept, JANUARY)
    assert (await kept.log.verify(since=Head(seq=2, hash=events[1].hash))).ok
    assert "is not part of this log" in (await kept.log.verify(since=Head(seq=2, hash="a" * 64))).problem


async def test_anchors_outlive_a_crash_in_the_middle_of_a_line(home: Path) -> None:
    """The half line counts for nothing, and the next one begins anew."""
    anchors = FileAnchors(home)
    first = Anchor(head=Head(seq=1, hash="a" * 64), at=NOW, whole=True)
    await anchors.note(first)
    with (home / "anchors" / "anchors.jsonl").open("a") as file:
        file.write('{"head":{"seq":2,')
    second = Anchor(head=Head(seq=3, hash="b" * 64), at=NOW, whole=False)
    await anchors.note(second)
    assert (await anchors.last(), await anchors.last(whole=True)) == (second, first)
