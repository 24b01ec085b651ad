"""The archive: months of the log that leave Postgres for files, and come back.

A month goes through four states, each of which a crash may leave it in: over, sealed (its manifest is written down for
good), filed (the file is on the disk), detached. Its events are in the database until the file has been read back and
proved, and the same transaction that drops them appends the event that says so.
"""

from collections.abc import AsyncIterator
from typing import Any

import psycopg

from domain.errors import ChainBroken, NotFound, Retryable
from domain.event import Event, NewEvent
from domain.retention import Manifest, Place, Segment
from memory.append import append, row_of
from memory.database import Connection, Database, execute, fetch
from memory.segments import SegmentFolder
from memory.sql import statement
from memory.timeline import Appended
from memory.whole_log import Stretch, batches, begin_reading

_HINT = "`steward log verify` says what is wrong; nothing was archived"


class PostgresArchive:
    """See ``ports.Archive``. ``appended`` is told the event of each move once it is done."""

    def __init__(self, database: Database, *, folder: SegmentFolder, appended: Appended) -> None:
        self._database = database
        self._folder = folder
        self._appended = appended

    async def segments(self) -> list[Segment]:
        return [self._segment(row) for row in await self._database.rows("list_segments")]

    async def seal(self, partition: str) -> Manifest:
        """A file that is there already and proves to be the month is left as it is."""
        try:
            async with self._database.transaction() as connection:
                await execute(connection, "seal_partition", {"partition": partition})
                manifest = await _manifest(connection, partition)
        except (psycopg.errors.RestrictViolation, psycopg.errors.CheckViolation) as error:
            raise ChainBroken(f"{partition} cannot be sealed: {error.diag.message_primary}", hint=_HINT) from error
        if not await self._folder.sound(manifest):
            await self._folder.write(manifest, self._stored(manifest))
        return manifest

    async def detach(self, manifest: Manifest, event: NewEvent) -> bool:
        if not await self._attached(manifest.partition):
            return False
        async for _ in self._folder.proved(manifest):
            pass
        await self._move("detach_partition", event, {"partition": manifest.partition, "root": manifest.last_hash})
        return True

    async def attach(self, partition: str, event: NewEvent) -> bool:
        async with self._database.transaction() as connection:
            manifest = await _manifest(connection, partition)
        if await self._attached(partition):
            return False
        await self._move("attach_partition", event, {"partition": partition}, restore=manifest)
        return True

    async def _move(self, how: str, event: NewEvent, parameters: dict[str, Any], *, restore: Manifest | None = None) -> None:
        """The append takes the head of the chain, so that one move follows the other; what takes long comes before it."""
        try:
            async with self._database.transaction() as connection:
                if restore is not None:
                    await _restore(connection, restore, self._folder)
                stored = await append(connection, [event], archive=self._folder)
                (row,) = await fetch(connection, how, parameters)
                if not row["done"]:
                    raise Retryable(f"somebody else moves {parameters['partition']}", hint="it is tried again by itself")
        except psycopg.errors.RestrictViolation as error:
            raise ChainBroken(f"{parameters['partition']} stays where it is: {error.diag.message_primary}", hint=_HINT) from error
        self._appended(stored)

    async def _attached(self, partition: str) -> bool:
        row = await self._database.row("is_attached", partition=partition)
        return bool(row and row["attached"])

    async def _stored(self, manifest: Manifest) -> AsyncIterator[list[Event]]:
        async with self._database.transaction() as connection:
            await begin_reading(connection)
            async for batch in batches(connection, Stretch(manifest.first_seq - 1, manifest.last_seq + 1), self._folder):
                yield batch

    def _segment(self, row: dict[str, Any]) -> Segment:
        filed = Place.ARCHIVE if self._folder.has(row["partition"]) else Place.MISSING
        sealed = {name: row[name] for name in Manifest.model_fields} if row["events"] else None
        return Segment(
            partition=row["partition"],
            place=Place.DATABASE if row["attached"] else filed,
            over=row["over"],
            empty=row["empty"],
            manifest=Manifest.model_validate(sealed) if sealed else None,
        )


async def _manifest(connection: Connection, partition: str) -> Manifest:
    rows = await fetch(connection, "get_segment", {"partition": partition})
    if not rows:
        raise NotFound(f"no month {partition!r} was ever archived", hint="`steward memory archives` shows which there are")
    return Manifest.model_validate(rows[0])


async def _restore(connection: Connection, manifest: Manifest, folder: SegmentFolder) -> None:
    """The events of the file, every hash recomputed, in the temporary table from which they are attached."""
    await execute(connection, "make_restored_events")
    async with connection.cursor() as cursor, cursor.copy(statement("copy_restored_events")) as copy:
        async for batch in folder.proved(manifest):
            for event in batch:
                await copy.write_row(row_of(event))
