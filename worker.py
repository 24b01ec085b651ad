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
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pydantic
import structlog
from temporalio.client import Client
from temporalio.worker import Interceptor, PollerBehaviorAutoscaling, Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

import connectors
import memory
import models
import stack
from activities.actions import ActionActivities
from activities.approvals import ApprovalActivities
from activities.attention import AttentionActivities
from activities.back_testing import BackTester
from activities.content import ContentActivities
from activities.digest import DigestActivities
from activities.exposing import Exposer
from activities.intake import Intake
from activities.interceptor import StewardInterceptor
from activities.learning import LearningActivities
from activities.licensing import Licensing
from activities.linking import Linking
from activities.measuring import Measurer
from activities.notifying import NotifyActivities
from activities.polling import PollActivities
from activities.refitting import Refitter, examples, knows
from activities.rollout import RolloutActivities
from activities.runs import RunActivities
from activities.shelf import ShelfWatch
from activities.stock import StockActivities
from activities.stuck import StuckSteps
from activities.support import SupportActivities
from activities.upkeep import UpkeepActivities
from agents.auditor import Auditor
from agents.content_planner import ContentPlanner
from agents.executor import Executor
from agents.learner import Learner
from agents.recall_canary import Canary
from agents.stock_planner import StockPlanner
from agents.summariser import Summariser
from agents.support_planner import SupportPlanner
from connectors.analytics_csv import AnalyticsCsv
from connectors.apprise_notifier import AppriseNotifier, addresses
from connectors.fakes import InMemorySources
from domain.actions import Bound, Capability
from domain.connections import Connection, ConnectionMode
from domain.errors import DomainError, SetupError, StewardError
from domain.labels import Label
from domain.policies import ApprovalPolicy, BoundsPolicy, RoutingPolicy, TriagePolicy
from domain.ports import Analytics, Connector, IntentModels, Model, Notifier, Sources
from memory.migrations import migrate
from models import LocalModel
from models.embedding import WordLlamaEmbedder
from settings import CHECKOUT, Settings
from stack.bootstrap import ensure_search_attributes
from stack.client import connect
from workflows import options
from workflows.attention import AttentionWorkflow
from workflows.digest import DigestWorkflow
from workflows.gateway import Gateway
from workflows.learning_cycle import LearningCycleWorkflow
from workflows.memory_upkeep import MemoryUpkeepWorkflow
from workflows.polling import PollWorkflow
from workflows.proposed import ProposedWorkflow
from workflows.reconciling import Reconciler
from workflows.relay import Relay
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
CONSOLE = "http://127.0.0.1:8400"
"""Where the console is, if nobody says otherwise."""


@dataclass(frozen=True, kw_only=True)
class Outside:
    """What touches the world: one connector a capability, what connected systems tell us, analytics, model, messages to you."""

    connectors: Mapping[Capability, Connector]
    analytics: Analytics
    model: Model
    intents: IntentModels
    sources: Sources = field(default_factory=InMemorySources)
    notifier: Notifier = field(default_factory=AppriseNotifier)
    console_url: str = CONSOLE


@dataclass(frozen=True, kw_only=True)
class Staff:
    """The activities, each kind with the ports it needs."""

    action: ActionActivities
    approval: ApprovalActivities
    run: RunActivities
    support: SupportActivities
    stock: StockActivities
    content: ContentActivities
    rollout: RolloutActivities
    learning: LearningActivities
    upkeep: UpkeepActivities
    attention: AttentionActivities
    digest: DigestActivities
    poll: PollActivities
    notify: NotifyActivities


def staff(kept: memory.Memory, outside: Outside) -> Staff:
    log, state, policies = kept.log, kept.state, kept.policies
    measurer, exposer = Measurer(log=log, state=state), Exposer(flags=kept.flags, log=log, state=state)
    licensing = Licensing(flags=kept.flags, log=log, policies=policies, state=state)
    common: dict[str, Any] = {"log": log, "state": state, "policies": policies}
    reading: dict[str, Any] = {"state": state, "policies": policies}
    planner = StockPlanner(**reading)
    writing: dict[str, Any] = {**reading, "packs": kept.packs, "model": outside.model}
    return Staff(
        action=ActionActivities(
            **common,
            executor=Executor(connectors=outside.connectors),
            auditor=Auditor(**reading),
            ledger=kept.ledger,
            guards=kept.guards,
            licensing=licensing,
        ),
        approval=ApprovalActivities(log=log, state=state, learner=Learner(state=state), licensing=licensing, measurer=measurer),
        run=RunActivities(log=log, state=state, measurer=measurer, licensing=licensing),
        support=SupportActivities(**common, planner=SupportPlanner(**writing), exposer=exposer),
        stock=StockActivities(**common, planner=planner, exposer=exposer, measurer=measurer),
        content=ContentActivities(
            planner=ContentPlanner(**writing),
            analytics=outside.analytics,
            log=log,
            policies=policies,
            exposer=exposer,
            measurer=measurer,
        ),
        rollout=RolloutActivities(log=log, state=state),
        learning=LearningActivities(
            **common,
            facts=kept.facts,
            flags=kept.flags,
            refitter=Refitter(models=outside.intents),
            tester=BackTester(planner=planner),
            shelf=ShelfWatch(measurer=measurer, state=state),
        ),
        upkeep=UpkeepActivities(
            **common,
            anchors=kept.anchors,
            archive=kept.archive,
            summariser=Summariser(log=log, state=state, model=outside.model),
            canary=Canary(recall=kept.recall, passages=kept.passages),
            recall=kept.recall,
        ),
        attention=AttentionActivities(**common),
        digest=DigestActivities(**common, guards=kept.guards),
        poll=PollActivities(
            sources=outside.sources,
            cursors=kept.cursors,
            intake=Intake(inbox=kept.inbox, log=log, state=state),
            log=log,
            state=state,
        ),
        notify=NotifyActivities(
            log=log,
            state=state,
            notifier=outside.notifier,
            linking=Linking(links=kept.links, state=state),
            console_url=outside.console_url,
        ),
    )


def queues(s: Staff) -> dict[str, list[Any]]:
    """Every activity on the queue of its kind of work."""
    return {
        options.ORCHESTRATION: [
            *(s.approval.request_approval, s.approval.record_decision, s.approval.conclude_decision),
            *(s.approval.record_refused_decision, s.approval.remind, s.approval.end_approval),
            *(s.action.settle_by_operator, s.action.effects_to_undo),
            *(s.run.start_run, s.run.finish_run, s.run.await_end, s.run.record_reverted, s.run.alert, s.run.record_outcome),
            *(s.digest.write_digest, s.support.close_ticket, s.support.hand_over, s.stock.check_deliveries),
            *(s.upkeep.verify_log, s.upkeep.archive_month, s.upkeep.check_recall, s.upkeep.record_upkeep),
            *(s.rollout.judge_rollout, s.attention.attend, s.notify.admit_undelivered),
        ],
        options.MODEL_CALLS: [
            *(s.support.plan_turn, s.support.plan_follow_up, s.stock.plan_stock, s.upkeep.summarise),
            *(s.content.choose_topics, s.content.write_page, s.content.measure_page),
            *(s.learning.measure_shelf, s.learning.find_failures, s.learning.propose_changes, s.learning.report_learning),
        ],
        options.CONNECTORS: [
            s.poll.poll,
            *(s.action.propose, s.action.carry_out, s.action.reconcile, s.action.undo),
            *(s.notify.notify, s.notify.send_digest),
        ],
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
            interceptors=[StewardInterceptor(StuckSteps(log=kept.log, state=kept.state)), *interceptors],
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
    embedder = WordLlamaEmbedder()
    key = settings.anthropic_api_key.get_secret_value() if settings.anthropic_api_key else None
    return Outside(
        connectors={c: board.connector(c, otherwise=local) for c, local in connectors.open_local(settings.home).items()},
        sources=board,
        analytics=board.analytics(otherwise=AnalyticsCsv(settings.home / "outside" / "analytics.csv")),
        model=models.open_model(
            api_key=key, routing=routing, journal=kept.journal, embedder=embedder, daily_budget=daily_budget, taught=taught
        ),
        intents=LocalModel(embedder),
        notifier=AppriseNotifier(addresses(settings.notify_urls, settings.home / "notify")),
        console_url=settings.console_url or CONSOLE,
    )


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[memory.Memory]:
    """Memory at the addresses that the settings or the running stack give. Raises SetupError."""
    found = stack.endpoints(settings)
    if found is None:
        raise SetupError("Steward is not running", hint="`./steward up`")
    async with memory.open_memory(
        database_url=found.database_url, chroma_url=found.chroma_url, embedder=WordLlamaEmbedder(), home=settings.home
    ) as kept:
        yield kept


async def prepare(settings: Settings) -> None:
    """Bring database, search attributes and schedules to what this code needs."""
    found = stack.endpoints(settings)
    if found is None:
        raise SetupError("Steward is not running", hint="`./steward up`")
    await migrate(found.database_url)
    client = await connect(stack.connected(settings, found), attempts=CONNECT_ATTEMPTS)
    await ensure_search_attributes(client)
    async with opened(settings) as kept:
        policy = (await kept.policies.in_force(ApprovalPolicy)).document
        on = [c.name for c in await kept.state.find(Connection) if c.mode is not ConnectionMode.OFF]
    await ensure_schedules(client, timezone=policy.timezone)
    for name in on:
        await Gateway(client).look(name)


async def run(settings: Settings) -> None:
    """Work until told to stop; then finish the steps in hand."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with AsyncExitStack() as open_things:
        kept = await open_things.enter_async_context(opened(settings))
        found = stack.endpoints(settings)
        client = await connect(stack.connected(settings, found) if found else settings, attempts=CONNECT_ATTEMPTS)
        for worker in workers(client, kept, await outside_of(settings, kept)):
            await open_things.enter_async_context(worker)
        relay = asyncio.create_task(Relay(outbox=kept.outbox, gateway=Gateway(client), policies=kept.policies).run())
        open_things.callback(relay.cancel)
        reconciler = Reconciler(client=client, log=kept.log, state=kept.state, clock=lambda: datetime.now(UTC))
        open_things.callback(asyncio.create_task(reconciler.run()).cancel)
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
