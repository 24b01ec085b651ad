"""What is kept only for work at hand, and ends with it."""

from domain.model import Moment
from memory.database import Database, execute


class PostgresLeftovers:
    """See ``ports.Leftovers``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def drop(self, *, before: Moment) -> int:
        async with self._database.transaction() as connection:
            names = ("drop_sent_payloads", "drop_answers", "drop_packs")
            return sum([await execute(connection, name, {"before": before}) for name in names])
