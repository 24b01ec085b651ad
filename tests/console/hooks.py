"""A console over memory without servers, for the place where systems call: nobody logs in there."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from temporalio.client import Client

import connectors
import memory
from activities.intake import Intake
from activities.polling import PollActivities, PollInput
from agents.auditor import Auditor
from connectors.fakes import InMemorySources
from connectors.webhook import WebhookSource
from console.app import create_app
from console.house import House, hosts_of
from domain.connections import Connection, ConnectionDescribed, Delivery
from domain.errors import Retryable
from domain.event import new_event
from domain.model import Moment
from domain.ports import Inbox
from models.embedding import HashingEmbedder
from tests.console.door import doorkeeper
from tests.contract import signing
from workflows.deciding import Decider
from workflows.gateway import Gateway

URL = "http://127.0.0.1:8400"
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


class Bell(Gateway):
    """Notes whom it was to wake, and reads at once as the woken run does."""

    def __init__(self, client: Client, reading: Callable[[str], Awaitable[object]]) -> None:
        super().__init__(client)
        self.rung: list[str] = []
        self.reading = reading

    async def look(self, connection: str, *, event_id: str = "") -> None:
        self.rung.append(connection)
        await self.reading(connection)


class Shelf:
    """An inbox that can be out of reach."""

    def __init__(self, inner: Inbox) -> None:
        self.away = False
        self._inner = inner

    async def receive(self, source: str, external_id: str, raw: bytes, *, at: Moment) -> bool:
        if self.away:
            raise Retryable("the database does not answer")
        return await self._inner.receive(source, external_id, raw, at=at)

    async def waiting(self, source: str, limit: int = 100) -> list[Delivery]:
        return await self._inner.waiting(source, limit)

    async def understood(self, source: str, external_id: str, *, note: str = "", at: Moment) -> None:
        await self._inner.understood(source, external_id, note=note, at=at)

    async def blank(self, *, before: Moment, at: Moment, limit: int) -> int:
        return await self._inner.blank(before=before, at=at, limit=limit)


@dataclass
class Callers:
    """Systems that call. ``now`` is the console's time."""

    kept: memory.Memory
    shelf: Shelf
    bell: Bell
    sources: InMemorySources
    now: datetime = NOW
    client: httpx.AsyncClient = field(init=False)

    async def send(self, body: bytes, path: str = "/hooks/shop", *, headers: Mapping[str, str] | None = None) -> int:
        """Signed by the shop unless ``headers`` say otherwise; the status of the answer."""
        signed = signing.standard(body, at=self.now) if headers is None else headers
        return (await self.client.post(path, content=body, headers=dict(signed))).status_code

    async def pushed(self, body: bytes, message_id: str) -> int:
        return await self.send(body, headers=signing.standard(body, at=self.now, message_id=message_id))

    def later(self, by: timedelta) -> None:
        self.now += by


@asynccontextmanager
async def callers(folder: Path) -> AsyncIterator[Callers]:
    """With the connection ``shop`` of the kind ``webhook``."""
    empty = memory.in_memory(embedder=HashingEmbedder())
    shelf = Shelf(empty.inbox)
    kept = replace(empty, inbox=shelf)
    sources = InMemorySources(shop=WebhookSource("shop", (signing.KEY,)))
    intake = Intake(inbox=kept.inbox, log=kept.log, state=kept.state)
    polling = PollActivities(sources=sources, cursors=kept.cursors, intake=intake, log=kept.log, state=kept.state)
    connected = ConnectionDescribed(connection=Connection(name="shop", kind="webhook"), by="operator")
    await kept.log.append([new_event(connected, at=NOW, key=("1",))])
    client = await Client.connect("127.0.0.1:1", lazy=True)

    async def read(connection: str) -> None:
        await polling.poll(PollInput(connection=connection, now=there.now))

    there = Callers(kept, shelf, Bell(client, read), sources)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(create_app(_house(there, client, folder))), base_url=URL) as browser:
        there.client = browser
        yield there


def _house(there: Callers, client: Client, folder: Path) -> House:
    kept = there.kept
    return House(
        memory=kept,
        client=client,
        gateway=there.bell,
        connectors=connectors.in_memory(),
        call=lambda connection: _nothing(),
        sources=there.sources,
        decider=Decider(
            gateway=there.bell,
            auditor=Auditor(state=kept.state, policies=kept.policies),
            state=kept.state,
            log=kept.log,
            clock=lambda: there.now,
        ),
        doorkeeper=doorkeeper(kept),
        clock=lambda: there.now,
        hosts=hosts_of(8400, URL),
        public_url=URL,
        home=folder,
    )


async def _nothing() -> str:
    return ""
