"""BIND: the composition root. Adapters are bound to ports, workflows and activities to task queues.

python worker.py prepare    migrations, search attributes, schedules; safe to repeat
python worker.py run        work until SIGTERM or SIGINT
"""

import asyncio
import hashlib
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pydantic
import structlog
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConfig
from temporalio.worker import Interceptor, PollerBehaviorAutoscaling, Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

import connectors
import memory
import models
import stack
from activities.actions import ActionActivities
from activities.approvals import ApprovalActivities
from activities.content import ContentActivities
from activities.interceptor import StewardInterceptor
from activities.runs import RunActivities
from activities.stock import StockActivities
from activities.support import SupportActivities
from agents.auditor import Auditor
from agents.content_planner import ContentPlanner
from agents.executor import Executor
from agents.learner import Learner
from agents.stock_planner import StockPlanner
from agents.support_planner import SupportPlanner
from connectors.analytics_csv import AnalyticsCsv
from domain.actions import Bound, Capability
from domain.entities import Ticket
from domain.errors import DomainError, SetupError, StewardError
from domain.policies import ApprovalPolicy, BoundsPolicy, RoutingPolicy
from domain.ports import Analytics, Connector, Model
from memory.migrations import migrate
from models.embedding import WordLlamaEmbedder
from settings import CHECKOUT, Settings
from stack.bootstrap import ensure_search_attributes
from workflows import options
from workflows.digest import DigestWorkflow
from workflows.gateway import Gateway
from workflows.relay import Relay
from workflows.rollback import RollbackWorkflow
from workflows.schedules import ensure_schedules
from workflows.seo_content import PlanContentWorkflow, SeoContentWorkflow
from workflows.stock_replenishment import StockReplenishmentWorkflow
from workflows.support_triage import SupportTriageWorkflow

WORKFLOWS = (
    SupportTriageWorkflow,
    StockReplenishmentWorkflow,
    PlanContentWorkflow,
    SeoContentWorkflow,
    RollbackWorkflow,
    DigestWorkflow,
)
PASSED_THROUGH = ("domain", "agents", "activities", "pydantic", "pydantic_core", "annotated_types", "numpy", "scipy", "structlog")
CONNECT_ATTEMPTS = 30


@dataclass(frozen=True, kw_only=True)
class Outside:
    """What touches the world: one connector a capability, the analytics, the model."""

    connectors: Mapping[Capability, Connector]
    analytics: Analytics
    model: Model


async def connect(settings: Settings) -> Client:
    """A Temporal client as every Temporal tool configures it, retried while the server starts. Raises SetupError."""
    config = ClientConfig.load_client_connect_config(override_env_vars=dict(settings.temporal_environ))
    config.setdefault("target_host", "localhost:7233")
    for attempt in range(CONNECT_ATTEMPTS):
        try:
            return await Client.connect(**config, data_converter=pydantic_data_converter)
        except RuntimeError as error:
            if attempt == CONNECT_ATTEMPTS - 1:
                raise SetupError(f"no Temporal server at {config['target_host']}: {error}", hint="`./steward up`") from error
            await asyncio.sleep(0.2)
    raise AssertionError


def queues(kept: memory.Memory, outside: Outside) -> dict[str, list[Any]]:
    """Every activity on the queue of its kind of work."""
    log, state, policies = kept.log, kept.state, kept.policies
    executor, auditor = Executor(connectors=outside.connectors), Auditor(state=state, policies=policies)
    action = ActionActivities(
        executor=executor, auditor=auditor, ledger=kept.ledger, guards=kept.guards, log=log, state=state, policies=policies
    )
    approval = ApprovalActivities(log=log, state=state, learner=Learner(state=state))
    run = RunActivities(log=log, state=state, guards=kept.guards)
    support_planner = SupportPlanner(state=state, packs=kept.packs, policies=policies, model=outside.model)
    support = SupportActivities(planner=support_planner, log=log, state=state, policies=policies)
    stock_planner = StockPlanner(state=state, policies=policies)
    stock = StockActivities(planner=stock_planner, log=log, state=state, policies=policies)
    content_planner = ContentPlanner(state=state, packs=kept.packs, policies=policies, model=outside.model)
    content = ContentActivities(planner=content_planner, analytics=outside.analytics, log=log, policies=policies)
    return {
        options.ORCHESTRATION: [
            *(approval.request_approval, approval.record_decision, approval.record_refused_decision),
            *(approval.remind, approval.end_approval, action.settle_by_operator, action.effects_to_undo),
            *(run.start_run, run.finish_run, run.await_end, run.record_reverted, run.alert, run.record_outcome, run.write_digest),
            *(support.close_ticket, support.hand_over, stock.check_deliveries),
        ],
        options.MODEL_CALLS: [
            *(support.plan_turn, support.plan_follow_up, stock.plan_stock),
            *(content.choose_topics, content.write_page, content.measure_page),
        ],
        options.CONNECTORS: [action.propose, action.carry_out, action.reconcile, action.undo],
    }


def workers(
    client: Client,
    kept: memory.Memory,
    outside: Outside,
    *,
    workflows: Sequence[type] = WORKFLOWS,
    interceptors: Sequence[Interceptor] = (),
    max_cached_workflows: int = 500,
) -> list[Worker]:
    """One worker a queue; workflows run on the orchestration queue."""
    build = build_id()
    return [
        Worker(
            client,
            task_queue=queue,
            workflows=list(workflows) if queue == options.ORCHESTRATION else [],
            activities=activities,
            interceptors=[StewardInterceptor(), *interceptors],
            workflow_runner=SandboxedWorkflowRunner(
                restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH)
            ),
            workflow_failure_exception_types=[pydantic.ValidationError, DomainError],
            max_cached_workflows=max_cached_workflows,
            workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
            activity_task_poller_behavior=PollerBehaviorAutoscaling(),
            graceful_shutdown_timeout=timedelta(seconds=5),
            sticky_queue_schedule_to_start_timeout=options.STICKY,
            build_id=build,
        )
        for queue, activities in queues(kept, outside).items()
    ]


def build_id() -> str:
    """Names the code that workflows depend on (the SDK's own default compiles every module that is loaded)."""
    rooms = ("workflows", "activities", "domain")
    sources = sorted(path for room in rooms for path in (CHECKOUT / room).glob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]


async def outside_of(settings: Settings, kept: memory.Memory) -> Outside:
    """The adapters that the settings ask for."""

    async def routing() -> RoutingPolicy:
        return (await kept.policies.in_force(RoutingPolicy)).document

    async def daily_budget() -> Decimal:
        return (await kept.policies.in_force(BoundsPolicy)).document.per_day.get(Bound.MODEL_MONEY, Decimal("Infinity"))

    tickets = await kept.state.find(Ticket)
    taught = [(f"{t.subject}\n{t.messages[0].body}", t.intent) for t in tickets if t.corrected_by and t.intent and t.messages]
    key = settings.anthropic_api_key.get_secret_value() if settings.anthropic_api_key else None
    return Outside(
        connectors=connectors.open_local(settings.home),
        analytics=AnalyticsCsv(settings.home / "outside" / "analytics.csv"),
        model=models.open_model(
            api_key=key,
            routing=routing,
            journal=kept.journal,
            embedder=WordLlamaEmbedder(),
            daily_budget=daily_budget,
            examples=taught,
        ),
    )


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[memory.Memory]:
    """Memory at the addresses that the settings or the running stack give. Raises SetupError."""
    found = stack.endpoints(settings)
    if found is None:
        raise SetupError("Steward is not running", hint="`./steward up`")
    async with memory.open_memory(
        database_url=found.database_url, chroma_url=found.chroma_url, embedder=WordLlamaEmbedder()
    ) as kept:
        yield kept


async def prepare(settings: Settings) -> None:
    """Bring database, search attributes and schedules to what this code needs."""
    found = stack.endpoints(settings)
    if found is None:
        raise SetupError("Steward is not running", hint="`./steward up`")
    await migrate(found.database_url)
    client = await connect(stack.connected(settings, found))
    await ensure_search_attributes(client)
    async with opened(settings) as kept:
        policy = (await kept.policies.in_force(ApprovalPolicy)).document
    await ensure_schedules(client, timezone=policy.timezone)


async def run(settings: Settings) -> None:
    """Work until told to stop; then finish the steps in hand."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with AsyncExitStack() as open_things:
        kept = await open_things.enter_async_context(opened(settings))
        found = stack.endpoints(settings)
        client = await connect(stack.connected(settings, found) if found else settings)
        for worker in workers(client, kept, await outside_of(settings, kept)):
            await open_things.enter_async_context(worker)
        relay = asyncio.create_task(Relay(outbox=kept.outbox, gateway=Gateway(client), policies=kept.policies).run())
        open_things.callback(relay.cancel)
        if settings.ready_file:
            settings.ready_file.write_text("ready\n")
        structlog.get_logger().info("ready", queues=[options.ORCHESTRATION, options.MODEL_CALLS, options.CONNECTORS])
        await stop.wait()


def main(arguments: Sequence[str]) -> int:
    verbs = {"prepare": prepare, "run": run}
    if len(arguments) != 1 or arguments[0] not in verbs:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    try:
        settings = Settings.load()
        level = logging.getLevelNamesMapping()[settings.log_level.upper()]
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(level))
        asyncio.run(verbs[arguments[0]](settings))
    except StewardError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # the SDK's runtime can crash while the interpreter tears down, after all work is done
