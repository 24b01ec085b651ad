"""Whether the state is the fold of the log: replay it beside the live tables, compare every row, and put right what differs."""

from collections.abc import Sequence
from pathlib import Path

from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row

from domain.catalogue import load_event
from domain.errors import ChainBroken, StewardError
from domain.event import Event
from domain.knowledge import Head
from domain.model import Value
from memory import projections
from memory.append import EVERYTHING
from memory.database import Connection, execute, fetch
from memory.folding import Folder
from memory.log import verified
from memory.segments import SegmentFolder
from memory.timeline import Progress
from memory.whole_log import begin_reading, whole_log

_TABLES = ("state", "sales", "fact", "passage")
_LISTED = 100  # differences listed of each table


class RebuildReport(Value):
    """``rows`` counts what the replay made, by table; ``differences`` name each row or event that disagrees.

    ``unsound`` are those of them that are events: then the replay is not what the state should be. ``applied`` says that
    the rows were put right.
    """

    events: int
    rows: dict[str, int]
    differences: tuple[str, ...] = ()
    unsound: tuple[str, ...] = ()
    applied: bool = False

    @property
    def ok(self) -> bool:
        return self.applied or not self.differences


async def rebuild_check(database_url: str, *, home: Path | None = None, progress: Progress | None = None) -> RebuildReport:
    """Replay the whole log with the code that serves appends, in a shadow schema that ends with the transaction.

    Nothing live is changed, and appends go on meanwhile: both sides are seen as they were at the start. Archived months
    are read from their files in ``home``. Raises ArchiveDamaged where one is missing or not what was sealed.
    """
    async with await AsyncConnection[DictRow].connect(database_url, row_factory=dict_row) as connection:
        await begin_reading(connection)
        report = await _compare(connection, SegmentFolder(home), progress)
        await connection.rollback()
        return report


async def rebuild(
    database_url: str, *, home: Path | None = None, anchor: Head | None = None, progress: Progress | None = None
) -> RebuildReport:
    """Put right every row that differs from the replay, in one transaction. Whoever appends or reserves waits for it.

    Nothing is written where an event folds into something else than it recorded: ``applied`` is False then. Raises
    ChainBroken where the log does not verify, or has lost the ``anchor``; ArchiveDamaged as ``rebuild_check`` does.
    """
    async with await AsyncConnection[DictRow].connect(database_url, row_factory=dict_row) as connection:
        await fetch(connection, "lock_head")
        await fetch(connection, "change_controls")
        await execute(connection, "hold_partitions")
        folder = SegmentFolder(home)
        proof = await verified(connection, folder, anchor=anchor)
        if not proof.ok:
            raise ChainBroken(f"the log does not verify: {proof.problem}", hint="a state is only rebuilt from a log that does")
        report = await _compare(connection, folder, progress)
        if report.unsound:
            return report
        await _restore(connection, report)
        return report.model_copy(update={"applied": True})


async def _compare(connection: Connection, folder: SegmentFolder, progress: Progress | None) -> RebuildReport:
    """Makes the shadow tables, which last as long as the transaction."""
    await execute(connection, "in_utc")
    (head,) = await fetch(connection, "read_head")
    for table in _TABLES:
        await execute(connection, f"shadow_{table}")
    number, unsound = 0, list[str]()
    async for batch in whole_log(connection, folder):
        unsound += await _replay(connection, batch)
        number += len(batch)
        if progress:
            progress(number, head["seq"])
    rows, differences = dict[str, int](), list(unsound)
    for table in _TABLES:
        rows[table] = (await fetch(connection, f"count_shadow_{table}"))[0]["rows"]
        different = await fetch(connection, f"compare_{table}", {"limit": _LISTED})
        differences += [f"{table} {row['key']}: {row['how']}" for row in different]
    return RebuildReport(events=number, rows=rows, differences=tuple(differences), unsound=tuple(unsound))


async def _restore(connection: Connection, report: RebuildReport) -> None:
    """Only tables that differ are touched; whoever keeps copies of entities is told to forget them."""
    for table in _TABLES:
        if any(difference.startswith(f"{table} ") for difference in report.differences):
            if table == "fact":  # a row of it has no name by which it could be changed in place
                await execute(connection, "drop_facts")
            await execute(connection, f"restore_{table}")
    if report.differences:
        await fetch(connection, "notify", {"streams": EVERYTHING, "wakes": 0})


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
