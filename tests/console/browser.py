"""A browser without a screen: it keeps cookies, and sends forms with the token of the page they are on."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx

from console.house import House
from tests.console.door import CODE, PASSWORD

ORIGIN = {"origin": "http://127.0.0.1:8400"}


class Browser:
    """``client`` does not follow redirects, so that a test sees where it is sent."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.client.get(path, headers=headers)

    async def page(self, path: str) -> str:
        """The text of a page that is there."""
        answer = await self.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text[:500])
        return answer.text

    async def post(self, path: str, fields: Mapping[str, Any] | None = None, *, token: str | None = None) -> httpx.Response:
        """As the form of a page does it."""
        csrf = await self.token() if token is None else token
        return await self.client.post(path, data={"csrf": csrf, **(fields or {})}, headers=ORIGIN)

    async def token(self) -> str:
        found = re.search(r'name="csrf" value="([^"]+)"', (await self.get("/")).text)
        return found[1] if found else ""

    async def set_up(self) -> None:
        """First start: choose the password, and be logged in."""
        fields = {"code": CODE, "password": PASSWORD, "again": PASSWORD}
        answer = await self.client.post("/setup", data=fields, headers=ORIGIN)
        assert answer.status_code == 303, answer.text

    async def forget_the_password(self, house: House) -> None:
        """As if it had been given long ago."""
        session = await house.doorkeeper.session_of(self.client.cookies.get("steward") or "")
        assert session is not None
        before = session.proven_at - timedelta(days=1)
        await house.memory.sessions.change(session.session_id, lambda s: s.model_copy(update={"proven_at": before}))
