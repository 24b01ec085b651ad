"""What runs in a worker's process: the real composition on the real adapters, with a tripwire in it."""

import asyncio
import gc
import os
from contextlib import AsyncExitStack
from dataclasses import replace

import chromadb  # noqa: F401 - the memory imports it when it is first searched, which takes every worker a second
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

import connectors
import memory
import worker
from connectors.analytics_csv import AnalyticsCsv
from domain.connections import Connection
from models.embedding import HashingEmbedder
from staff import Outside
from tests.chaos.passages import Tripwire, Watched, WatchedConnector, WatchedLedger, WatchedOutbox
from tests.chaos.post import switchboard
from tests.chaos.processes import Orders
from tests.fitted import fitted
from tests.prepared import prepare, sandbox
from workflows.gateway import Gateway
from workflows.relay import Relay


def live(orders: Orders) -> None:
    """Work until killed. Output goes to ``worker.log`` in the home."""
    log = os.open(orders.home / "worker.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    asyncio.run(_work(orders, Tripwire(die_at=orders.die_at, deaths=orders.deaths, journal=orders.journal)))


async def _work(orders: Orders, tripwire: Tripwire) -> None:
    async with AsyncExitStack() as running:
        opened = memory.open_memory(
            database_url=orders.database_url, chroma_url=orders.chroma_url, embedder=HashingEmbedder(), home=orders.home
        )
        kept = await running.enter_async_context(opened)
        watched = replace(kept, ledger=WatchedLedger(kept.ledger, tripwire), outbox=WatchedOutbox(kept.outbox, tripwire))
        client = await Client.connect(orders.temporal_address, namespace=orders.namespace, data_converter=pydantic_data_converter)
        for one in worker.workers(
            client,
            watched,
            _outside(orders, kept, tripwire),
            interceptors=[Watched(tripwire)],
            max_cached_workflows=500 if orders.sticky else 0,
            runner=sandbox(),
        ):
            await running.enter_async_context(one)
        await Relay(outbox=watched.outbox, gateway=Gateway(client), policies=watched.policies).run()


def _outside(orders: Orders, kept: memory.Memory, tripwire: Tripwire) -> Outside:
    local = connectors.open_local(orders.home)
    return Outside(
        connectors={capability: WatchedConnector(connector, tripwire) for capability, connector in local.items()},
        analytics=AnalyticsCsv(orders.home / "outside" / "analytics.csv"),
        model=_MODEL,
        intents=_MODEL,
        sources=switchboard(orders.home, lambda: kept.state.find(Connection)),
    )


# Made where this is imported, in the fork server: the workers inherit it all ready, and no collection touches its pages.
_MODEL = fitted(HashingEmbedder())
asyncio.run(prepare())
gc.freeze()
