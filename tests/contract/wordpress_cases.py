"""A WordPress site in the contract of connectors, on whatever stands behind the address."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from connectors.kinds import Opened, Opening
from connectors.wordpress import KIND
from domain.actions import Action, Capability, Receipt
from domain.entities import Picture
from domain.ports import Connector
from memory.fakes.shelves import InMemoryAttempts
from tests.contract.outside_cases import NOW, Case, site_case
from tests.contract.wordpress_server import MUG, PASSWORD, USER, Double, wordpress_double

STATUSES = "publish,future,draft,pending,private,trash"


@dataclass(frozen=True)
class Blog:
    """A WordPress site and a user's application password."""

    url: str
    user: str = USER
    password: str = PASSWORD

    def opened(self, **changes: str) -> Opened:
        """The connection, to be closed by whoever opens it."""
        given = {"url": self.url, "user": self.user, **changes}
        password = given.pop("password", self.password)
        opening = Opening(
            name="blog",
            settings=KIND.checked(given),
            secrets={"password": SecretStr(password)},
            folder=Path("/nowhere"),
            attempts=InMemoryAttempts(),
        )
        return KIND.open(opening)

    async def posts(self, **which: str) -> list[dict[str, Any]]:
        """All posts of any status, by their ids."""
        found: list[dict[str, Any]] = await self.call("GET", "posts", status=STATUSES, context="edit", per_page="100", **which)
        return sorted(found, key=lambda post: int(post["id"]))

    async def call(self, method: str, route: str, body: Any = None, **params: str) -> Any:
        """What somebody else does in WordPress."""
        async with httpx.AsyncClient(auth=(self.user, self.password), timeout=20) as client:
            answer = await client.request(method, f"{self.url}/", params={"rest_route": f"/wp/v2/{route}", **params}, json=body)
        assert answer.is_success, answer.text
        return answer.json()


@asynccontextmanager
async def site_of(blog: Blog, **changes: str) -> AsyncIterator[Connector]:
    opened = blog.opened(**changes)
    try:
        yield opened.connectors[Capability.SITE]
    finally:
        await opened.close()


@asynccontextmanager
async def case_on(blog: Blog, picture: Picture) -> AsyncIterator[Case]:
    async def count() -> int:
        return len(await blog.posts())

    async with site_of(blog) as site:
        yield site_case(site, count, picture=picture)


@asynccontextmanager
async def on_double(home: Path) -> AsyncIterator[Case]:
    async with wordpress_double(Double()) as url, case_on(Blog(url), mug_at(url)) as case:
        yield case


def mug_at(url: str, *, path: str = MUG, alt: str = "A red mug") -> Picture:
    """A picture that the double at ``url`` has."""
    return Picture(url=f"{url}{path}", alt=alt)


async def do(site: Connector, action: Action, key: str) -> Receipt:
    """Look and act."""
    seen = (await site.preview(action)).record_version
    return await site.execute(action, key=key, expected_version=seen, now=NOW)
