"""The console over the real database, asked as a browser asks."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

import memory
from console.app import create_app
from console.house import House, hosts_of
from tests.conftest import Servers
from tests.console.browser import Browser
from tests.console.door import doorkeeper
from tests.console.furnish import furnish
from workflows.deciding import Decider
from workflows.gateway import Gateway

URL = "http://127.0.0.1:8400"


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
        decider=Decider(gateway=gateway, state=kept.state, log=kept.log, clock=lambda: datetime.now(UTC)),
        doorkeeper=doorkeeper(kept),
        clock=lambda: datetime.now(UTC),
        hosts=hosts_of(8400, URL),
        public_url=URL,
        ui_url="http://127.0.0.1:8233",
        home=home,
    )


@pytest.fixture
async def furnished(house: House) -> House:
    """The demo shop with questions, runs and alerts."""
    await furnish(house.memory, now=house.clock())
    return house


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
