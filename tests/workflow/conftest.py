"""Workflows on the real Temporal server with skipping clocks, over the real database, with connectors in memory."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError
from temporalio.testing import TimeSkipper

import connectors
import memory
import worker
from agents.auditor import Auditor
from connectors.fakes import InMemoryAnalytics, InMemoryNotifier, InMemorySources
from domain.actions import Capability
from domain.approvals import Approval, ApprovalStatus, Decision, Verb, Via
from domain.decisions import Mode, Planned
from domain.entities import ContentMetrics
from domain.event import EventData, new_event
from domain.ports import Connector
from domain.runs import ModeSet
from models import LocalModel
from models.embedding import WordLlamaEmbedder
from staff import Outside
from tests.fitted import fitted
from tests.prepared import sandbox
from tests.workflow.meanwhile import Meanwhile
from tests.workflow.probe import ProbeWorkflow
from tests.workflow.timeskipping import skipper, started_server
from tests.workflow.waiting import until
from workflows import options
from workflows.deciding import Decider, DecisionRequest
from workflows.gateway import Gateway

WORKFLOWS = (*worker.WORKFLOWS, ProbeWorkflow)


@dataclass(frozen=True)
class World:
    """Everything a workflow test touches."""

    env: TimeSkipper
    client: Client
    gateway: Gateway
    kept: memory.Memory
    connectors: dict[Capability, Connector]
    sources: InMemorySources
    notifier: InMemoryNotifier
    meanwhile: Meanwhile
    figures: dict[str, tuple[ContentMetrics, ...]]  # what the analytics say, by page

    async def record(self, *events: EventData, at: datetime | None = None) -> None:
        now = at or datetime.now(UTC)
        await self.kept.log.append([new_event(e, at=now, key=(str(uuid4()),)) for e in events])

    async def mode(self, scope: str, mode: Mode) -> None:
        await self.record(ModeSet(scope=scope, mode=mode, by="operator"))

    async def probe(self, *planned: Planned, run_id: str = "") -> WorkflowHandle[Any, str]:
        """Start a run that carries out ``planned``, its clock standing still until it is told to move."""
        with self.env.with_time_skipping_disabled():
            return await self.client.start_workflow(
                ProbeWorkflow.run,
                planned,
                id=run_id or f"probe/{uuid4().hex[:8]}",
                task_queue=options.ORCHESTRATION,
            )

    async def pending(self, run_id: str) -> Approval:
        """The approval that the run waits for, once it does."""

        async def one() -> Approval | None:
            found = await self.kept.state.find(Approval, status=ApprovalStatus.PENDING)
            return next((a for a in found if a.proposal.run_id == run_id), None)

        return await until(one)

    def decider(self, *, after: timedelta = timedelta(0)) -> Decider:
        """The one door, whose clock is ``after`` this machine's."""
        kept = self.kept
        return Decider(
            gateway=self.gateway,
            auditor=Auditor(state=kept.state, policies=kept.policies),
            state=kept.state,
            log=kept.log,
            clock=lambda: datetime.now(UTC) + after,
        )

    async def decide(self, approval: Approval, verb: Verb = Verb.APPROVE, **given: Any) -> str:
        """The operator's decision, through the gateway."""
        return await self.gateway.decide(approval, decision(approval, verb, **given), now=approval.requested_at)


def wish(approval: Approval, verb: Verb = Verb.APPROVE, **given: Any) -> DecisionRequest:
    """What the operator asks of the one door."""
    asked = {"decision_id": str(uuid4()), "approval_id": approval.approval_id, "verb": verb, "digest": approval.proposal.digest}
    return DecisionRequest(**{**asked, "by": "operator", "via": Via.CONSOLE, **given})


def decision(approval: Approval, verb: Verb, **given: Any) -> Decision:
    return Decision(
        **{
            "decision_id": str(uuid4()),
            "approval_id": approval.approval_id,
            "verb": verb,
            "digest": approval.proposal.digest,
            "by": "operator",
            **given,
        }
    )


@pytest.fixture(scope="session")
def skipping_server() -> Iterator[str]:
    with started_server() as address:
        yield address


@pytest.fixture
async def env(skipping_server: str) -> AsyncIterator[TimeSkipper]:
    """A client of the skipping server; what a test leaves running is ended, so that the next one meets nothing of it."""
    skipping = await skipper(skipping_server)
    yield skipping
    async for left in skipping.client.list_workflows("ExecutionStatus = 'Running'"):
        with suppress(RPCError):
            await skipping.client.get_workflow_handle(left.id).terminate("the test is over")


@pytest.fixture(scope="session")
def model() -> LocalModel:
    """The bundled engine, fitted once."""
    return fitted(WordLlamaEmbedder())


@pytest.fixture(params=[500, 0], ids=["cached", "replayed"])
def max_cached_workflows(request: pytest.FixtureRequest) -> int:
    """0 replays the whole history on every task: code that is not deterministic fails."""
    return int(request.param)


@pytest.fixture
def adapters() -> dict[Capability, Connector]:
    """The outside world of the test."""
    return connectors.in_memory()


@pytest.fixture
async def world(
    env: TimeSkipper,
    kept: memory.Memory,
    model: LocalModel,
    max_cached_workflows: int,
    adapters: dict[Capability, Connector],
) -> AsyncIterator[World]:
    sources, notifier = InMemorySources(), InMemoryNotifier(("phone", "mail"))
    figures: dict[str, tuple[ContentMetrics, ...]] = {}
    outside = Outside(
        connectors=adapters, analytics=InMemoryAnalytics(figures), model=model, intents=model, sources=sources, notifier=notifier
    )
    meanwhile = Meanwhile()
    async with AsyncExitStack() as running:
        for one in worker.workers(
            env.client,
            kept,
            outside,
            workflows=WORKFLOWS,
            interceptors=[meanwhile],
            max_cached_workflows=max_cached_workflows,
            runner=sandbox(),
        ):
            await running.enter_async_context(one)
        yield World(
            env=env,
            client=env.client,
            gateway=Gateway(env.client),
            kept=kept,
            connectors=adapters,
            sources=sources,
            notifier=notifier,
            meanwhile=meanwhile,
            figures=figures,
        )
