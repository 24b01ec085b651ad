"""The event log on Postgres."""

from collections.abc import Mapping, Sequence

from domain.errors import ArchiveDamaged
from domain.event import Event, NewEvent
from domain.knowledge import Head, Verification
from memory.append import append
from memory.chain import START, first_problem
from memory.database import Connection, Database, fetch
from memory.listener import STATE, Listener
from memory.segments import SegmentFolder
from memory.timeline import Appended, Progress
from memory.whole_log import Stretch, archived_events, batches, begin_reading, stretches, whole_log


class PostgresEventLog:
    """See ``ports.EventLog``. ``appended`` is told the streams of each append once it is committed.

    ``archive`` has the files of the months that are not in the database any more.
    """

    def __init__(self, database: Database, *, appended: Appended, archive: SegmentFolder, listener: Listener) -> None:
        self._database = database
        self._appended = appended
        self._archive = archive
        self._listener = listener

    async def append(self, events: Sequence[NewEvent], *, expected: Mapping[str, int] | None = None) -> list[Event]:
        async with self._database.transaction() as connection:
            stored = await append(connection, events, expected=expected, archive=self._archive)
        self._appended(stored)
        return stored

    async def read(self, *, after: int = 0, stream: str = "", correlation_id: str = "", limit: int = 1_000) -> list[Event]:
        """By ``correlation_id`` only the months in the database are searched; archived ones have to be attached for that."""
        name = "read_correlation" if correlation_id else "read_stream" if stream else "read_events"
        async with self._database.transaction() as connection:
            await begin_reading(connection)
            if not correlation_id and await fetch(connection, "detached_segments", {"after": after}):
                return await self._read_with_archive(connection, after, stream, limit)
            rows = await fetch(
                connection, name, {"after": after, "stream": stream, "correlation_id": correlation_id, "limit": limit}
            )
            return [Event.model_validate(row) for row in rows]

    async def _read_with_archive(self, connection: Connection, after: int, stream: str, limit: int) -> list[Event]:
        found: list[Event] = []
        if stream:
            seqs = [row["seq"] for row in await fetch(connection, "stream_places", {"stream": stream, "after": after})][:limit]
            rows = await fetch(connection, "events_at", {"seqs": seqs})
            found = [Event.model_validate(row) for row in rows]
            missing = set(seqs) - {event.seq for event in found}
            return sorted([*await archived_events(connection, self._archive, missing), *found], key=lambda event: event.seq)
        async for batch in whole_log(connection, self._archive, after=after):
            found += batch
            if len(found) >= limit:
                break
        return found[:limit]

    async def last(self, *, stream: str = "", limit: int = 20) -> list[Event]:
        """The last events, newest first, of one stream where given; of the months in the database."""
        rows = await self._database.rows("last_of_stream" if stream else "last_events", stream=stream, limit=limit)
        return [Event.model_validate(row) for row in rows]

    async def head(self) -> Head:
        return Head.model_validate(await self._database.row("read_head"))

    async def news(self, seconds: float) -> None:
        await self._listener.wait(STATE, seconds)

    async def verify(
        self, *, since: Head | None = None, anchor: Head | None = None, progress: Progress | None = None
    ) -> Verification:
        """Recompute every hash. ``anchor`` is a head that was kept outside: it must still be part of the chain.

        An archived month whose file is missing or damaged is a problem, but does not hide one that comes after it: its
        sealed hashes stand in for it.
        """
        async with self._database.transaction() as connection:
            await begin_reading(connection)
            return await verified(connection, self._archive, since=since, anchor=anchor, progress=progress)


async def verified(
    connection: Connection,
    folder: SegmentFolder,
    *,
    since: Head | None = None,
    anchor: Head | None = None,
    progress: Progress | None = None,
) -> Verification:
    """See ``PostgresEventLog.verify``. In a transaction in which nothing is appended."""
    (row,) = await fetch(connection, "read_head")
    check = _Check(end=Head.model_validate(row), since=since or START, anchor=anchor, progress=progress)
    for stretch in await stretches(connection, after=check.head.seq):
        await check.take(connection, stretch, folder)
    return check.result()


class _Check:
    """A verification under way: the last good head, and what is wrong. ``_marks`` are noted heads that were not met yet."""

    def __init__(self, *, end: Head, since: Head, anchor: Head | None, progress: Progress | None) -> None:
        self.head = since
        self._end = end
        self._marks = {(mark.seq, mark.hash) for mark in (since, anchor) if mark and mark != START}
        self._progress = progress
        self._number = 0
        self._problem = ""
        self._unreadable: list[str] = []

    async def take(self, connection: Connection, stretch: Stretch, folder: SegmentFolder) -> None:
        """Check one stretch; nothing after a break of the chain."""
        if self._problem:
            return
        sealed = stretch.manifest
        if sealed and self.head.seq < sealed.first_seq and self.head != sealed.before:
            self._problem = f"the archive {sealed.partition} does not follow event {self.head.seq}"
            return
        self.head = sealed.before if sealed else self.head
        self._met(self.head)
        try:
            async for batch in batches(connection, stretch, folder):
                self._see(batch)
                if self._problem:
                    return
        except ArchiveDamaged as error:
            self._unreadable.append(error.message)
            self._marks = {mark for mark in self._marks if mark[0] >= stretch.before}  # nobody can tell about the others
        if sealed:
            self.head = sealed.root
            self._met(self.head)

    def _see(self, batch: Sequence[Event]) -> None:
        before = self.head
        self.head, self._problem = first_problem(batch, before)
        self._number += self.head.seq - before.seq
        for event in batch if self._marks else ():
            self._marks.discard((event.seq, event.hash))
        if self._progress:
            self._progress(self.head.seq, self._end.seq)

    def _met(self, head: Head) -> None:
        self._marks.discard((head.seq, head.hash))

    def result(self) -> Verification:
        problems = [self._problem or self._wrong_end(), *self._unreadable]
        return Verification(events=self._number, head=self._end, problem="; ".join(filter(None, problems)))

    def _wrong_end(self) -> str:
        missing = self._end.seq - self.head.seq
        if missing > 0:
            return f"the log ends at event {self.head.seq}, but its head is event {self._end.seq}: {_events(missing)} missing"
        if self.head != self._end and self._number:
            return f"the log ends at event {self.head.seq}, which is not its head, event {self._end.seq}"
        marks = {(self.head.seq, self.head.hash)} if self.head != self._end else self._marks
        for seq, mark in sorted(marks):
            return f"the anchored head, event {seq} with hash {mark[:12]}…, is not part of this log, which has {self._end.seq}"
        return ""


def _events(number: int) -> str:
    return f"{number} event is" if number == 1 else f"{number} events are"
