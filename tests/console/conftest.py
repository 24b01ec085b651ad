"""The console over the real database, asked as a browser asks."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

import connectors
import memory
from agents.auditor import Auditor
from connectors.fakes import InMemorySources
from console.app import create_app
from console.house import House, hosts_of
from domain.connections import Connection
from models.embedding import HashingEmbedder
from tests.conftest import TEMPLATE, Servers
from tests.console.browser import Browser
from tests.console.door import doorkeeper
from tests.console.furnish import furnish
from workflows.deciding import Decider
from workflows.gateway import Gateway

URL = "http://127.0.0.1:8400"


async def answering(connection: Connection) -> str:
    """In place of a connected system."""
    return f"{connection.name} is well"


@pytest.fixture
async def house(kept: memory.Memory, servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> House:
    """An empty business. Nobody works on its runs: a decision ends in a Retryable."""
    client = await Client.connect(servers.temporal_address, data_converter=pydantic_data_converter, lazy=True)
    home = tmp_path_factory.mktemp("home")
    gateway = Gateway(client)
    return House(
        memory=kept,
        client=client,
        gateway=gateway,
        connectors=connectors.open_local(home),
        call=answering,
        sources=InMemorySources(),
        decider=Decider(
            gateway=gateway,
            auditor=Auditor(state=kept.state, policies=kept.policies),
            state=kept.state,
            log=kept.log,
            clock=lambda: datetime.now(UTC),
        ),
        doorkeeper=doorkeeper(kept),
        clock=lambda: datetime.now(UTC),
        hosts=hosts_of(8400, URL),
        public_url=URL,
        ui_url="http://127.0.0.1:8233",
        home=home,
    )


@pytest.fixture
def furnished(house: House) -> House:
    """The demo shop with questions, runs and alerts: ``template`` sees that it is wanted."""
    return house


@pytest.fixture
def template(request: pytest.FixtureRequest) -> str:
    """A database that is furnished once, for the tests that want it so."""
    return str(request.getfixturevalue("furnished_template")) if "furnished" in request.fixturenames else TEMPLATE


@pytest.fixture(scope="session")
def furnished_template(servers: Servers, worker_id: str) -> str:
    """Made once by each process of the tests."""
    name = f"furnished_{worker_id}"
    with psycopg.connect(servers.admin_url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    asyncio.run(_furnish(servers, make_conninfo(servers.admin_url, dbname=name)))
    return name


async def _furnish(servers: Servers, database_url: str) -> None:
    async with memory.open_memory(database_url=database_url, chroma_url=servers.chroma_url, embedder=HashingEmbedder()) as kept:
        await furnish(kept, now=datetime.now(UTC))


@pytest.fixture
async def stranger(house: House) -> AsyncIterator[Browser]:
    """A browser that is not logged in."""
    app = create_app(house)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=URL) as client,
    ):
        yield Browser(client)


@pytest.fixture
async def browser(stranger: Browser) -> Browser:
    """A browser of the operator, logged in."""
    await stranger.set_up()
    return stranger
