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
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pydantic
import structlog
from temporalio.client import Client
from temporalio.worker import Interceptor, PollerBehaviorAutoscaling, Worker, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

import connectors
import memory
import models
import stack
from activities.interceptor import StewardInterceptor
from activities.refitting import examples, knows
from activities.stuck import StuckSteps
from connectors import drop_folder
from connectors.analytics_csv import AnalyticsCsv
from connectors.apprise_notifier import AppriseNotifier, addresses
from domain.actions import Bound
from domain.connections import Connection, ConnectionDescribed, ConnectionMode
from domain.entities import Order
from domain.errors import DomainError, DuplicateConflict, SetupError, StewardError
from domain.event import new_event
from domain.labels import Label
from domain.policies import ApprovalPolicy, BoundsPolicy, RoutingPolicy, TriagePolicy
from memory.migrations import migrate
from memory.turns import in_turn
from models import LocalModel
from models.embedding import WordLlamaEmbedder
from settings import CHECKOUT, Settings
from stack.bootstrap import ensure_search_attributes
from stack.client import connect
from staff import CONSOLE, Outside, queues, staff
from workflows import options
from workflows.attention import AttentionWorkflow
from workflows.digest import DigestWorkflow
from workflows.gateway import Gateway
from workflows.learning_cycle import LearningCycleWorkflow
from workflows.listening import Listeners
from workflows.memory_upkeep import MemoryUpkeepWorkflow
from workflows.polling import PollWorkflow
from workflows.proposed import ProposedWorkflow
from workflows.reconciling import Reconciler
from workflows.relay import Relay
from workflows.restock import RestockWorkflow
from workflows.rollback import RollbackWorkflow
from workflows.rollout import RolloutWorkflow
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
    MemoryUpkeepWorkflow,
    RolloutWorkflow,
    LearningCycleWorkflow,
    AttentionWorkflow,
    PollWorkflow,
    ProposedWorkflow,
    RestockWorkflow,
)
PASSED_THROUGH = (
    "domain",
    "agents",
    "activities",
    "learning",
    "pydantic",
    "pydantic_core",
    "annotated_types",
    "numpy",
    "scipy",
    "structlog",
)
CONNECT_ATTEMPTS = 30


def sandbox() -> SandboxedWorkflowRunner:
    """Where workflows run: nothing that could differ between two replays is within their reach."""
    return SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH))


def workers(
    client: Client,
    kept: memory.Memory,
    outside: Outside,
    *,
    workflows: Sequence[type] = WORKFLOWS,
    interceptors: Sequence[Interceptor] = (),
    max_cached_workflows: int = 500,
    runner: WorkflowRunner | None = None,
) -> list[Worker]:
    """One worker a queue; workflows run on the orchestration queue, in the ``sandbox`` where no ``runner`` is given."""
    build = build_id()
    return [
        Worker(
            client,
            task_queue=queue,
            workflows=list(workflows) if queue == options.ORCHESTRATION else [],
            activities=activities,
            interceptors=[StewardInterceptor(StuckSteps(log=kept.log, state=kept.state)), *interceptors],
            workflow_runner=runner or sandbox(),
            workflow_failure_exception_types=[pydantic.ValidationError, DomainError],
            max_cached_workflows=max_cached_workflows,
            # One company keeps no more of them busy; a burst adds to them.
            workflow_task_poller_behavior=PollerBehaviorAutoscaling(initial=1),
            activity_task_poller_behavior=PollerBehaviorAutoscaling(initial=1),
            graceful_shutdown_timeout=timedelta(seconds=5),
            sticky_queue_schedule_to_start_timeout=options.STICKY,
            build_id=build,
        )
        for queue, activities in queues(staff(kept, outside)).items()
    ]


def build_id() -> str:
    """Names the code that workflows depend on (the SDK's own default compiles every module that is loaded)."""
    rooms = ("workflows", "activities", "learning", "domain")
    sources = sorted(path for room in rooms for path in (CHECKOUT / room).glob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]


async def outside_of(settings: Settings, kept: memory.Memory) -> Outside:
    """The adapters that the settings ask for."""

    async def routing(run_id: str) -> RoutingPolicy:
        return (await kept.policies.of(run_id).in_force(RoutingPolicy)).document

    async def taught(run_id: str) -> Sequence[tuple[str, str]]:
        policy = (await kept.policies.of(run_id).in_force(TriagePolicy)).document
        labels = await kept.state.find(Label) if policy.taught_until else []
        return examples([label for label in labels if knows(policy, label)])

    async def daily_budget() -> Decimal:
        return (await kept.policies.in_force(BoundsPolicy)).document.per_day.get(Bound.MODEL_MONEY, Decimal("Infinity"))

    async def connections() -> Sequence[Connection]:
        return await kept.state.find(Connection)

    board = connectors.open_switchboard(
        settings.home, connections=connections, secrets=settings.connection_secrets, attempts=kept.attempts
    )

    async def order_of(order_id: str) -> Order | None:
        return await kept.state.get(Order, order_id)

    local = connectors.open_local(settings.home, order_of=order_of)
    embedder = WordLlamaEmbedder()
    key = settings.anthropic_api_key.get_secret_value() if settings.anthropic_api_key else None
    return Outside(
        connectors={c: board.connector(c, otherwise=own) for c, own in local.items()},
        sources=board,
        analytics=board.analytics(otherwise=AnalyticsCsv(settings.home / "outside" / "analytics.csv")),
        model=models.open_model(
            api_key=key, routing=routing, journal=kept.journal, embedder=embedder, daily_budget=daily_budget, taught=taught
        ),
        intents=LocalModel(embedder),
        notifier=AppriseNotifier(addresses(settings.notify_urls, settings.home / "notify")),
        console_url=settings.console_url or CONSOLE,
    )


def endpoints(settings: Settings) -> stack.Endpoints:
    """The addresses that the settings or the running stack give. Raises SetupError."""
    found = stack.endpoints(settings)
    if found is None:
        raise SetupError("Steward is not running", hint="`./steward up`")
    return found


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[memory.Memory]:
    """Memory at the addresses that the settings or the running stack give. Raises SetupError."""
    found = endpoints(settings)
    async with memory.open_memory(
        database_url=found.database_url, chroma_url=found.chroma_url, embedder=WordLlamaEmbedder(), home=settings.home
    ) as kept:
        yield kept


async def prepare(settings: Settings) -> None:
    """Bring database, search attributes and schedules to what this code needs."""
    found = endpoints(settings)
    await migrate(found.database_url)
    client = await connect(stack.connected(settings, found), attempts=CONNECT_ATTEMPTS)
    await ensure_search_attributes(client)
    async with opened(settings) as kept:
        policy = (await kept.policies.in_force(ApprovalPolicy)).document
        await ensure_drop_folder(settings, kept)
        on = [c.name for c in await kept.state.find(Connection) if c.mode is not ConnectionMode.OFF]
    await ensure_schedules(client, timezone=policy.timezone)
    for name in on:
        await Gateway(client).look(name)


async def ensure_drop_folder(settings: Settings, kept: memory.Memory) -> None:
    """A home takes files from its folder ``inbox``. Whoever switches that off is not asked again; a demo has no real files."""
    known = await kept.state.get(Connection, drop_folder.NAME)
    if known is None and not (settings.home / "DEMO").exists():
        described = ConnectionDescribed(connection=drop_folder.connection(), by="steward")
        with suppress(DuplicateConflict):  # another one prepares the same home
            await kept.log.append([new_event(described, at=datetime.now(UTC), key=(drop_folder.NAME,))])


async def run(settings: Settings) -> None:
    """Work until told to stop; then finish the steps in hand."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with AsyncExitStack() as open_things:
        kept = await open_things.enter_async_context(opened(settings))
        found = endpoints(settings)
        client = await connect(stack.connected(settings, found), attempts=CONNECT_ATTEMPTS)
        outside, gateway = await outside_of(settings, kept), Gateway(client)
        for worker in workers(client, kept, outside):
            await open_things.enter_async_context(worker)
        relay = Relay(outbox=kept.outbox, gateway=gateway, policies=kept.policies)
        listeners = Listeners(sources=outside.sources, connections=lambda: kept.state.find(Connection), look=gateway.look)
        reconciler = Reconciler(client=client, log=kept.log, state=kept.state, clock=lambda: datetime.now(UTC))
        parts = {"relay": relay.run, "listeners": listeners.run, "reconciler": reconciler.run}
        for part, work in parts.items():  # of all workers, one does each
            open_things.push_async_callback(_ended, asyncio.create_task(in_turn(found.database_url, part, work)))
        if settings.ready_file:
            settings.ready_file.write_text("ready\n")
        structlog.get_logger().info("ready", queues=[options.ORCHESTRATION, options.MODEL_CALLS, options.CONNECTORS])
        await stop.wait()


async def _ended(part: "asyncio.Task[None]") -> None:
    part.cancel()
    await asyncio.gather(part, return_exceptions=True)


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
