"""The journal of the models on Postgres: answers by cache key, and what each call cost."""

from datetime import date
from decimal import Decimal
from typing import Any

from domain.model import Moment
from memory.database import Database, execute, json_of


class PostgresModelJournal:
    """See ``ports.ModelJournal``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def recall(self, cache_key: str) -> dict[str, Any] | None:
        row = await self._database.row("get_answer", cache_key=cache_key)
        return None if row is None else dict(row["answer"])

    async def record(self, cache_key: str, answer: dict[str, Any], *, cost: Any, engine: str, model: str, at: Moment) -> None:
        call = {"cache_key": cache_key, "cost": cost, "engine": engine, "model": model, "at": at}
        async with self._database.transaction() as connection:
            await execute(connection, "put_answer", {"cache_key": cache_key, "answer": json_of(answer), "at": at})
            await execute(connection, "add_call", call)

    async def spent(self, day: date) -> Decimal:
        row = await self._database.row("model_spend", day=day)
        return Decimal(row["spent"]) if row else Decimal(0)
