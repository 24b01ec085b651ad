"""How far each stream of a connection was read: a table beside the log, since the next reading starts from nothing else."""

from domain.connections import StreamProgress
from domain.model import Moment
from memory.database import Database


class PostgresCursors:
    """See ``ports.Cursors``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def streams(self, connection: str) -> list[StreamProgress]:
        return [
            StreamProgress.model_validate(row) for row in await self._database.rows("connection_streams", connection=connection)
        ]

    async def advance(self, connection: str, stream: str, cursor: str, *, at: Moment) -> None:
        await self._database.run("advance_cursor", connection=connection, stream=stream, cursor=cursor, at=at)

    async def failed(self, connection: str, stream: str, error: str, *, at: Moment) -> int:
        rows = await self._database.rows("reading_failed", connection=connection, stream=stream, error=error, at=at)
        return int(rows[0]["failures"])
