"""The opened system, as commands need it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from temporalio.client import Client

import connectors
import memory
import stack
import worker
from domain.actions import Capability
from domain.errors import SetupError
from domain.ports import Connector
from settings import Settings
from workflows.gateway import Gateway


@dataclass(frozen=True, kw_only=True)
class System:
    """Everything a command may reach. ``log`` and ``state`` are memory's, named for convenience."""

    settings: Settings
    endpoints: stack.Endpoints
    memory: memory.Memory
    client: Client
    gateway: Gateway
    connectors: Mapping[Capability, Connector]


@asynccontextmanager
async def open_system(settings: Settings | None = None) -> AsyncIterator[System]:
    """Open memory and Temporal of the running stack. Raises SetupError with what to do where there is none."""
    settings = settings or Settings.load()
    endpoints = stack.endpoints(settings)
    if endpoints is None:
        raise SetupError("Steward is not running", hint="start it with `./steward up`")
    async with worker.opened(settings) as kept:
        client = await worker.connect(stack.connected(settings, endpoints))
        yield System(
            settings=settings,
            endpoints=endpoints,
            memory=kept,
            client=client,
            gateway=Gateway(client),
            connectors=connectors.open_local(settings.home),
        )
