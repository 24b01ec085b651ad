"""How outside systems did lately, as the effect ledger knows it."""

from collections.abc import Sequence
from typing import Protocol

from domain.model import Moment, Value
from memory.database import Database


class Reached(Value):
    """When ``connector`` last did what was asked of it, and when it last did not, with what it said then."""

    connector: str
    done_at: Moment | None = None
    failed_at: Moment | None = None
    error: str = ""


class Reach(Protocol):
    async def reached(self, connectors: Sequence[str]) -> list[Reached]:
        """One for each name, in the order given; of one that was never used, without moments."""
        ...


class PostgresReach:
    """See ``Reach``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def reached(self, connectors: Sequence[str]) -> list[Reached]:
        rows = await self._database.rows("reached", connectors=list(connectors))
        return [Reached.model_validate(row) for row in rows]
