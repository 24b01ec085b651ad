"""Decision links in use: made for a question, looked at as often as one likes, used once."""

import secrets

from domain.approvals import Approval
from domain.links import DeadLink, OpenLink, hash_of, new_link, opened
from domain.model import Moment
from domain.ports import DecisionLinks, State

_RANDOM_BYTES = 32


class Linking:
    """The console opens links with it and decides through the one door; looking never decides."""

    def __init__(self, *, links: DecisionLinks, state: State) -> None:
        self._links = links
        self._state = state

    async def issue(self, approval: Approval, *, now: Moment) -> str | None:
        """The token of a new link, which nobody can be told again; None where the question waits no more."""
        token = secrets.token_urlsafe(_RANDOM_BYTES)
        link = new_link(approval, token, now=now)
        if link is None:
            return None
        await self._links.put(link)
        return token

    async def look(self, token: str, *, now: Moment) -> OpenLink | DeadLink:
        """Where the link leads, or why it leads nowhere any more."""
        link = await self._links.get(hash_of(token))
        approval = await self._state.get(Approval, link.approval_id) if link else None
        return opened(link, approval, now=now)

    async def redeem(self, token: str, *, now: Moment) -> OpenLink | DeadLink:
        """Use the link up: of all who try, one gets it. What it leads to is then to be decided."""
        found = await self.look(token, now=now)
        if isinstance(found, DeadLink) or await self._links.use(hash_of(token), now=now):
            return found
        return await self.look(token, now=now)

    async def restore(self, token: str) -> None:
        """The decision did not reach its run (no worker answered): the link may be used again."""
        await self._links.restore(hash_of(token))
