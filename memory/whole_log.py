"""The log from its first event on, wherever its months are: in the database or in the files of the archive."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from domain.event import Event
from domain.retention import Manifest
from memory.database import Connection, execute, fetch
from memory.segments import SegmentFolder
from memory.sql import statement

_BATCH = 1_000
_END = 2**62


@dataclass(frozen=True, slots=True)
class Stretch:
    """Events that follow one another in one place; ``manifest`` is that of the file, None in the database."""

    after: int
    before: int
    manifest: Manifest | None = None


async def begin_reading(connection: Connection) -> None:
    """Everything this transaction reads is as it is now; the months stay where they are until it ends."""
    await execute(connection, "one_snapshot")
    await execute(connection, "hold_partitions")


async def stretches(connection: Connection, *, after: int = 0) -> list[Stretch]:
    """In order, from the event after ``after`` on; a file that holds it is read from its beginning."""
    found, last = list[Stretch](), after
    for row in await fetch(connection, "detached_segments", {"after": after}):
        manifest = Manifest.model_validate(row)
        found += [Stretch(last, manifest.first_seq), Stretch(manifest.first_seq - 1, manifest.last_seq + 1, manifest)]
        last = manifest.last_seq
    return [stretch for stretch in (*found, Stretch(last, _END)) if stretch.before - stretch.after > 1]


async def batches(connection: Connection, stretch: Stretch, folder: SegmentFolder) -> AsyncIterator[list[Event]]:
    """The events of one stretch, without holding all in memory. Inside a transaction only. Raises ArchiveDamaged."""
    found = _stored(connection, stretch) if stretch.manifest is None else folder.proved(stretch.manifest)
    async for batch in found:
        yield batch


async def whole_log(connection: Connection, folder: SegmentFolder, *, after: int = 0) -> AsyncIterator[list[Event]]:
    """Every event after ``after`` in batches. Raises ArchiveDamaged where a file is missing or not what was sealed."""
    for stretch in await stretches(connection, after=after):
        async for batch in batches(connection, stretch, folder):
            if wanted := [event for event in batch if event.seq > after]:
                yield wanted


async def archived_events(connection: Connection, folder: SegmentFolder, seqs: set[int]) -> list[Event]:
    """Those of the events that are in files; no file is opened that holds none of them. Raises ArchiveDamaged."""
    found: list[Event] = []
    for row in await fetch(connection, "detached_segments", {"after": min(seqs) - 1}) if seqs else ():
        manifest = Manifest.model_validate(row)
        if any(manifest.first_seq <= seq <= manifest.last_seq for seq in seqs):
            found += [event async for batch in folder.proved(manifest) for event in batch if event.seq in seqs]
    return found


async def _stored(connection: Connection, stretch: Stretch) -> AsyncIterator[list[Event]]:
    async with connection.cursor(name="stretch_of_log") as cursor:
        await cursor.execute(statement("read_stretch"), {"after": stretch.after, "before": stretch.before})
        while rows := await cursor.fetchmany(_BATCH):
            yield [Event.model_validate(row) for row in rows]
