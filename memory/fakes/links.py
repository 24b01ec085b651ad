"""Decision links in memory."""

from domain.links import FORGOTTEN_AFTER, DecisionLink
from domain.model import Moment


class InMemoryDecisionLinks:
    def __init__(self) -> None:
        self._links: dict[str, DecisionLink] = {}

    async def put(self, link: DecisionLink) -> None:
        oldest = link.issued_at - FORGOTTEN_AFTER
        self._links = {key: kept for key, kept in self._links.items() if kept.expires_at >= oldest}
        self._links[link.token_hash] = link

    async def get(self, token_hash: str) -> DecisionLink | None:
        return self._links.get(token_hash)

    async def use(self, token_hash: str, *, now: Moment) -> bool:
        link = self._links.get(token_hash)
        if link is None or link.used_at is not None or link.expires_at <= now:
            return False
        self._links[token_hash] = link.model_copy(update={"used_at": now})
        return True

    async def restore(self, token_hash: str) -> None:
        if link := self._links.get(token_hash):
            self._links[token_hash] = link.model_copy(update={"used_at": None})
