"""A program that comes with a token, and nothing else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from console.app import create_app
from console.house import House
from domain.access import Scope

API = "/api/v1"


class Program:
    """``client`` speaks to the whole console; paths are those of the API."""

    def __init__(self, client: httpx.AsyncClient, token: str) -> None:
        self.client = client
        self.headers = {"authorization": f"Bearer {token}"} if token else {}

    async def ask(self, method: str, path: str, json: Any = None, **more: Any) -> httpx.Response:
        return await self.client.request(method, f"{API}{path}", json=json, headers=self.headers, **more)

    async def get(self, path: str, **query: Any) -> Any:
        """The answer to what can be answered."""
        answer = await self.ask("GET", path, params=query)
        assert answer.status_code == 200, (path, answer.status_code, answer.text[:500])
        return answer.json()


@asynccontextmanager
async def program(house: House, *scopes: Scope, name: str = "robot") -> AsyncIterator[Program]:
    """With a token of these scopes; with none, without a token."""
    token = await house.doorkeeper.keyring.issue(name, scopes, 1) if scopes else ""
    app = create_app(house)
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url=house.public_url) as client:
        yield Program(client, token)
