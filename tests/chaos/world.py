"""One point's world: a Temporal namespace, a database and a home of its own, seen from outside of the workers."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar
from uuid import uuid4

from google.protobuf.duration_pb2 import Duration
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError

import connectors
import memory
from demo.rest import all_at_rest
from domain.actions import Capability
from domain.approvals import Approval, ApprovalStatus, Decision, Verb
from domain.entities import PurchaseOrder
from domain.errors import Retryable
from domain.event import EventData, new_event
from domain.ports import Connector
from models.embedding import HashingEmbedder
from stack.bootstrap import ensure_search_attributes
from tests.chaos.passages import article_of
from tests.chaos.processes import Orders
from tests.workflow.waiting import until
from workflows.gateway import Gateway

T = TypeVar("T")
PATIENCE = 180.0
"""Seconds after which what does not come is not waited for any more."""


@dataclass(frozen=True, kw_only=True)
class World:
    """What the operator and the customers touch. ``orders`` are those of its immortal worker."""

    orders: Orders
    kept: memory.Memory
    client: Client
    gateway: Gateway
    connectors: Mapping[Capability, Connector]

    async def record(self, *events: EventData) -> None:
        """Once, however often the servers have to be asked."""
        now = datetime.now(UTC)
        new = [new_event(e, at=now, key=(str(uuid4()),)) for e in events]
        await self.insist(lambda: self.kept.log.append(new))

    async def insist(self, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer, once the servers are there to give it."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return await ask()
            except (Retryable, RPCError):
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.1)

    async def eventually(self, find: Callable[[], Awaitable[T]]) -> T:
        """The first answer of ``find`` that is true."""
        return await until(lambda: self.insist(find), seconds=PATIENCE)

    async def purchase_orders(self, number: int) -> list[PurchaseOrder]:
        """The purchase orders that were sent, once there are ``number``."""
        found = await self.kept.state.find(PurchaseOrder)
        return found if len(found) >= number else []

    async def at_rest(self, run_id: str) -> bool:
        return await all_at_rest(self.client, [run_id])

    async def ended(self, run_ids: Iterable[str]) -> bool:
        """Whether each of the runs was started and has ended."""
        for run_id in run_ids:
            if await self.status(run_id) in (None, WorkflowExecutionStatus.RUNNING):
                return False
        return True

    async def status(self, run_id: str) -> WorkflowExecutionStatus | None:
        try:
            return (await self.client.get_workflow_handle(run_id).describe()).status
        except RPCError:
            return None

    async def approve_everything(self, *, hold_seconds: int = 0) -> None:
        """The operator says yes, again and again until it counts."""
        for approval in await self.kept.state.find(Approval, status=ApprovalStatus.PENDING):
            decision = Decision(
                decision_id=f"yes/{approval.approval_id}#{article_of(approval)}",
                approval_id=approval.approval_id,
                verb=Verb.APPROVE,
                digest=approval.proposal.digest,
                by="operator",
                hold_seconds=hold_seconds,
            )
            await self.gateway.decide(approval, decision, now=datetime.now(UTC))


@asynccontextmanager
async def opened(orders: Orders) -> AsyncIterator[World]:
    """The world of ``orders``; its database is migrated, and its namespace exists."""
    client = await Client.connect(orders.temporal_address, namespace=orders.namespace, data_converter=pydantic_data_converter)
    async with memory.open_memory(
        database_url=orders.database_url, chroma_url=orders.chroma_url, embedder=HashingEmbedder(), home=orders.home
    ) as kept:
        local = connectors.open_local(orders.home)
        yield World(orders=orders, kept=kept, client=client, gateway=Gateway(client), connectors=local)


async def new_namespace(temporal_address: str) -> str:
    """A namespace that has what the workflows need of one."""
    name = f"chaos-{uuid4().hex[:8]}"
    client = await Client.connect(temporal_address, namespace=name)
    retention = Duration(seconds=86_400)
    await client.workflow_service.register_namespace(
        RegisterNamespaceRequest(namespace=name, workflow_execution_retention_period=retention)
    )
    await ensure_search_attributes(client)
    return name
