"""Bitemporal facts on Postgres: reading. They are written with the events that state them."""

from domain.event import FactOp
from domain.knowledge import Dispute, Fact
from domain.model import Moment
from memory.beliefs import NEARLY_AT_ONCE, STATUS
from memory.database import Database


class PostgresFacts:
    """See ``ports.Facts``. Current is what is believed now and has no known end in the world."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def current(self, subject: str, *, predicate: str = "", status: FactOp = FactOp.ASSERT) -> list[Fact]:
        rows = await self._database.rows("current_facts", subject=subject, predicate=predicate, status=STATUS[status])
        return [Fact.model_validate(row) for row in rows]

    async def as_of(self, subject: str, *, world: Moment, belief: Moment) -> list[Fact]:
        rows = await self._database.rows("facts_as_of", subject=subject, world=world, belief=belief)
        return [Fact.model_validate(row) for row in rows]

    async def history(self, subject: str) -> list[Fact]:
        """Everything ever believed about ``subject``, in the order in which it was."""
        return [Fact.model_validate(row) for row in await self._database.rows("fact_history", subject=subject)]

    async def disputed(self, *, since: Moment) -> list[Dispute]:
        rows = await self._database.rows("disputed_facts", since=since, seconds=NEARLY_AT_ONCE.total_seconds())
        return [Dispute.model_validate(row) for row in rows]
