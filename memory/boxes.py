"""The boxes at the door: raw deliveries that came in, wake-ups that go out."""

from collections.abc import Sequence

from domain.connections import Delivery
from domain.knowledge import OutboxItem
from domain.model import Moment
from memory.database import Database
from memory.listener import OUTBOX, Listener


class PostgresInbox:
    """See ``ports.Inbox``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def receive(self, source: str, external_id: str, raw: bytes, *, at: Moment) -> bool:
        return await self._database.run("receive", source=source, external_id=external_id, raw=raw, at=at) == 1

    async def waiting(self, source: str, limit: int = 100) -> list[Delivery]:
        rows = await self._database.rows("waiting_deliveries", source=source, limit=limit)
        return [Delivery.model_validate(row) for row in rows]

    async def understood(self, source: str, external_id: str, *, note: str = "", at: Moment) -> None:
        await self._database.run("delivery_understood", source=source, external_id=external_id, note=note, at=at)

    async def blank(self, *, before: Moment, at: Moment, limit: int) -> int:
        return await self._database.run("blank_deliveries", before=before, at=at, limit=limit)


class PostgresOutbox:
    """See ``ports.Outbox``."""

    def __init__(self, database: Database, *, listener: Listener) -> None:
        self._database = database
        self._listener = listener

    async def pending(self, limit: int = 100) -> list[OutboxItem]:
        return [OutboxItem.model_validate(row) for row in await self._database.rows("pending_wakes", limit=limit)]

    async def delivered(self, item_ids: Sequence[int]) -> None:
        await self._database.run("wakes_delivered", item_ids=list(item_ids))

    async def wait(self, seconds: float) -> None:
        await self._listener.wait(OUTBOX, seconds)
