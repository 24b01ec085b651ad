"""Decision links on Postgres, beside the log."""

from domain.links import FORGOTTEN_AFTER, DecisionLink
from domain.model import Moment
from memory.database import Database


class PostgresDecisionLinks:
    """See ``ports.DecisionLinks``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, link: DecisionLink) -> None:
        await self._database.run("put_link", **dict(link), forgotten_before=link.issued_at - FORGOTTEN_AFTER)

    async def get(self, token_hash: str) -> DecisionLink | None:
        row = await self._database.row("get_link", token_hash=token_hash)
        return None if row is None else DecisionLink.model_validate(row)

    async def use(self, token_hash: str, *, now: Moment) -> bool:
        return await self._database.run("use_link", token_hash=token_hash, now=now) == 1

    async def restore(self, token_hash: str) -> None:
        await self._database.run("restore_link", token_hash=token_hash)
