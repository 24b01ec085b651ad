"""The running stack as the demo uses it: the same composition as the worker's, seen from outside."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from temporalio.client import Client

import connectors
import stack
import worker
from domain.actions import Capability
from domain.ports import Connector
from memory import Memory
from settings import Settings
from stack.client import connect
from workflows.gateway import Gateway


@dataclass(frozen=True, kw_only=True)
class Running:
    """Memory, Temporal and the outside world of one home."""

    settings: Settings
    endpoints: stack.Endpoints
    memory: Memory
    client: Client
    gateway: Gateway
    connectors: Mapping[Capability, Connector]


@asynccontextmanager
async def opened(settings: Settings, endpoints: stack.Endpoints) -> AsyncIterator[Running]:
    """Raises SetupError where a part does not answer."""
    async with worker.opened(settings) as memory:
        client = await connect(stack.connected(settings, endpoints), attempts=worker.CONNECT_ATTEMPTS)
        yield Running(
            settings=settings,
            endpoints=endpoints,
            memory=memory,
            client=client,
            gateway=Gateway(client),
            connectors=connectors.open_local(settings.home),
        )
