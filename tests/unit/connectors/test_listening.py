"""Who is connected is listened to, as it is connected now; what breaks is left alone for longer and longer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from connectors.fakes import InMemoryBell, InMemorySources
from domain.connections import Connection
from domain.errors import Retryable
from tests.workflow.waiting import until
from workflows.listening import Listeners


class Office:
    """Connections that come and go, and every look that was asked for."""

    def __init__(self) -> None:
        self.sources = InMemorySources()
        self.names: list[str] = []
        self.looks: list[str] = []
        self.away = False

    async def connections(self) -> list[Connection]:
        if self.away:
            raise Retryable("the database is away")
        return [Connection(name=name, kind="mailbox") for name in self.names]

    async def look(self, name: str) -> None:
        self.looks.append(name)

    def connect(self, name: str) -> InMemoryBell:
        bell = InMemoryBell()
        self.names = [*dict.fromkeys([*self.names, name])]
        self.sources.bells[name] = bell
        return bell

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        listeners = Listeners(
            sources=self.sources, connections=self.connections, look=self.look, first_pause=0.001, look_seconds=0.01
        )
        task = asyncio.create_task(listeners.run())
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def true(said: Any) -> None:
    async def fact() -> bool:
        return bool(said())

    await until(fact)


async def test_whoever_rings_is_looked_at() -> None:
    """Once on listening, then at every ring; and nobody listens any more when it is over."""
    office = Office()
    post, shop = office.connect("post"), office.connect("shop")
    async with office.listening():
        await true(lambda: sorted(office.looks) == ["post", "shop"])
        shop.ring()
        await true(lambda: office.looks.count("shop") == 2)
        assert (post.listening, shop.listening) == (1, 1)
    assert (post.listening, shop.listening) == (0, 0)


async def test_what_breaks_is_tried_again_and_holds_up_nobody() -> None:
    office = Office()
    post, shop = office.connect("post"), office.connect("shop")
    async with office.listening():
        await true(lambda: len(office.looks) == 2)
        post.ring(Retryable("cut"))
        await true(lambda: post.begun == 2)
        shop.ring()
        await true(lambda: office.looks.count("shop") == 2)


async def test_a_connection_that_changes_is_listened_to_as_it_is_now() -> None:
    """Another bell takes the place of the old one; one that is gone is not listened to; an outage changes nothing."""
    office = Office()
    old = office.connect("post")
    async with office.listening():
        await true(lambda: old.listening == 1)
        office.away = True
        new = office.connect("post")
        office.away = False
        await true(lambda: (old.listening, new.listening) == (0, 1))
        del office.sources.bells["post"]
        await true(lambda: new.listening == 0)
