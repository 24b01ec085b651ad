"""Whether the state is the fold of the log: replay it beside the live tables and compare every row."""

from collections.abc import Sequence
from pathlib import Path

from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row

from domain.catalogue import load_event
from domain.errors import StewardError
from domain.event import Event
from domain.model import Value
from memory import projections
from memory.database import Connection, execute, fetch
from memory.folding import Folder
from memory.segments import SegmentFolder
from memory.timeline import Progress
from memory.whole_log import begin_reading, whole_log

_TABLES = ("state", "sales", "fact", "passage")
_LISTED = 100  # differences listed of each table


class RebuildReport(Value):
    """``rows`` counts what the replay made, by table; ``differences`` name each row or event that disagrees."""

    events: int
    rows: dict[str, int]
    differences: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.differences


async def rebuild_check(database_url: str, *, home: Path | None = None, progress: Progress | None = None) -> RebuildReport:
    """Replay the whole log with the code that serves appends, in a shadow schema that ends with the transaction.

    Nothing live is changed, and appends go on meanwhile: both sides are seen as they were at the start. Archived months
    are read from their files in ``home``. Raises ArchiveDamaged where one is missing or not what was sealed.
    """
    async with await AsyncConnection[DictRow].connect(database_url, row_factory=dict_row) as connection:
        await begin_reading(connection)
        await execute(connection, "in_utc")
        (head,) = await fetch(connection, "read_head")
        for table in _TABLES:
            await execute(connection, f"shadow_{table}")
        number, differences = 0, list[str]()
        async for batch in whole_log(connection, SegmentFolder(home)):
            differences += await _replay(connection, batch)
            number += len(batch)
            if progress:
                progress(number, head["seq"])
        rows = {}
        for table in _TABLES:
            rows[table] = (await fetch(connection, f"count_shadow_{table}"))[0]["rows"]
            different = await fetch(connection, f"compare_{table}", {"limit": _LISTED})
            differences += [f"{table} {row['key']}: {row['how']}" for row in different]
        await connection.rollback()
        return RebuildReport(events=number, rows=rows, differences=tuple(differences))


async def _replay(connection: Connection, batch: Sequence[Event]) -> list[str]:
    """Fold one batch into the shadow tables; what its events recorded differently."""
    folder = Folder(await projections.states(connection, {event.stream for event in batch}))
    differences, events, contents = [], [], []
    for event in batch:
        try:
            data = load_event(event.type, event.data)
            step = folder.fold(data)
        except (StewardError, ValueError) as error:
            differences.append(f"event {event.seq} ({event.type}) does not fold: {error}")
            continue
        if (step.version, step.pre, step.post) != (event.stream_version, event.pre, event.post):
            differences.append(f"event {event.seq} ({event.type}) folds into something else than it recorded")
        events.append(event.model_copy(update={"stream_version": step.version, "post": step.post}))
        contents.append(data)
    if events:
        await projections.project(connection, events, contents)
    return differences
