"""The searchable texts by id."""

from collections.abc import Sequence

from domain.passage import Passage
from memory.database import Database


class PostgresPassages:
    """See ``ports.Passages``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def sample(self, limit: int) -> list[Passage]:
        return [Passage.model_validate(row) for row in await self._database.rows("sample_passages", limit=limit)]

    async def get(self, passage_ids: Sequence[str]) -> list[Passage]:
        rows = await self._database.rows("read_passages", ids=list(passage_ids))
        return sorted((Passage.model_validate(row) for row in rows), key=lambda passage: passage.passage_id)
