"""The event log on Postgres."""

from collections.abc import AsyncIterator, Mapping, Sequence

from domain.event import Event, NewEvent
from domain.knowledge import Head, Verification
from memory.append import append
from memory.chain import START, first_problem
from memory.database import Connection, Database, fetch
from memory.sql import statement
from memory.timeline import Appended, Progress

_BATCH = 1_000


class PostgresEventLog:
    """See ``ports.EventLog``. ``appended`` is told the streams of each append once it is committed."""

    def __init__(self, database: Database, *, appended: Appended) -> None:
        self._database = database
        self._appended = appended

    async def append(self, events: Sequence[NewEvent], *, expected: Mapping[str, int] | None = None) -> list[Event]:
        async with self._database.transaction() as connection:
            stored = await append(connection, events, expected=expected)
        self._appended(stored)
        return stored

    async def read(self, *, after: int = 0, stream: str = "", correlation_id: str = "", limit: int = 1_000) -> list[Event]:
        name = "read_correlation" if correlation_id else "read_stream" if stream else "read_events"
        rows = await self._database.rows(name, after=after, stream=stream, correlation_id=correlation_id, limit=limit)
        return [Event.model_validate(row) for row in rows]

    async def last(self, *, stream: str = "", limit: int = 20) -> list[Event]:
        """The last events, newest first, of one stream where given."""
        rows = await self._database.rows("last_of_stream" if stream else "last_events", stream=stream, limit=limit)
        return [Event.model_validate(row) for row in rows]

    async def head(self) -> Head:
        return Head.model_validate(await self._database.row("read_head"))

    async def verify(self, *, anchor: Head | None = None, progress: Progress | None = None) -> Verification:
        """Recompute every hash. ``anchor`` is a head that was kept outside: it must still be part of the chain."""
        async with self._database.transaction() as connection:
            await connection.execute(statement("one_snapshot"))
            (row,) = await fetch(connection, "read_head")
            end = Head.model_validate(row)
            head, problem, met = START, "", anchor in (None, START)
            async for batch in batches(connection):
                head, problem = first_problem(batch, head)
                met = met or any((e.seq, e.hash) == (anchor.seq, anchor.hash) for e in batch if anchor)
                if progress:
                    progress(head.seq, end.seq)
                if problem:
                    break
        return Verification(events=head.seq, head=end, problem=problem or _wrong_end(head, end, anchor, met))


def _wrong_end(head: Head, end: Head, anchor: Head | None, met: bool) -> str:
    if head != end:
        return f"the log ends at event {head.seq}, but its head is event {end.seq}: {_events(end.seq - head.seq)} missing"
    if anchor and not met:
        return f"the anchored head, event {anchor.seq} with hash {anchor.hash[:12]}…, is not part of this log, which has {head.seq}"
    return ""


def _events(number: int) -> str:
    return f"{number} event is" if number == 1 else f"{number} events are"


async def batches(connection: Connection) -> AsyncIterator[list[Event]]:
    """The whole log in order, in batches, without holding it in memory. Inside a transaction only."""
    async with connection.cursor(name="whole_log") as cursor:
        await cursor.execute(statement("read_events"), {"after": 0, "limit": None})
        while rows := await cursor.fetchmany(_BATCH):
            yield [Event.model_validate(row) for row in rows]
