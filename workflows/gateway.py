"""The one place from which runs are started, decided and stopped from outside: CLI, console and relay call it."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities.steps import SettleInput
from domain.approvals import Approval, Decision
from domain.autonomy import PROPOSE
from domain.deliveries import RESTOCK, restock_run
from domain.errors import DecisionRefused, InvalidInput, NotFound, Refused, Retryable, StewardError
from domain.event import Topic
from domain.ids import digest
from domain.judging import judge
from domain.knowledge import OutboxItem
from workflows import options
from workflows.attention import AttentionInput, AttentionWorkflow, SomethingWaits
from workflows.digest import DigestStart, DigestWorkflow
from workflows.learning_cycle import LearningCycleWorkflow, LearnStart
from workflows.memory_upkeep import MemoryUpkeepWorkflow, UpkeepStart
from workflows.polling import LookNow, PollStart, PollWorkflow
from workflows.proposed import ProposedInput, ProposedWorkflow
from workflows.restock import RestockStart, RestockWorkflow
from workflows.rollback import RollbackInput, RollbackResult, RollbackWorkflow
from workflows.rollout import ResultMatured, RolloutInput, RolloutWorkflow
from workflows.search_attributes import KIND
from workflows.seo_content import ContentPlanInput, PlanContentWorkflow
from workflows.stock_replenishment import Crossed, ReplenishInput, StockReplenishmentWorkflow
from workflows.support_triage import MessageArrived, SupportInput, SupportTriageWorkflow

_EVERYTHING = "everything"  # in the memo of a rollback: how far it goes
_DIGEST = "proposal"  # in the memo of a proposed run: what its id stands for
_PATIENCE = timedelta(seconds=20)  # how long a decision waits for a worker to take it


class Gateway:
    """Business calls on workflows. Ids are business keys, so that asking twice is asking once."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def decide(self, approval: Approval, decision: Decision, *, now: datetime) -> str:
        """Take a decision to the run that waits for it.

        Raises DecisionRefused where it does not count, NotFound where no run waits, Retryable where no worker answers.
        """
        judge(approval, decision, now)
        handle = self._client.get_workflow_handle(approval.proposal.run_id)
        return await self._update(handle, "decide", decision, update_id=decision.decision_id)

    async def settle(self, run_id: str, word: SettleInput) -> str:
        """The operator's word on an effect whose fate is unknown, or on a compensation that failed."""
        handle = self._client.get_workflow_handle(run_id)
        return await self._update(handle, "settle", word, update_id=f"settle/{word.key}/{word.now.isoformat()}")

    async def wake(self, item: OutboxItem, *, debounce: timedelta) -> None:
        """Deliver a committed wake-up: start the run it concerns, or signal the one that is there. Safe to repeat."""
        match item.topic:
            case Topic.SUPPORT:
                await self._wake_support(item)
            case Topic.REPLENISH:
                await self._wake_replenishment(item, debounce)
            case Topic.ROLLOUT:
                await self._wake_rollout(item)
            case Topic.ATTENTION:
                await self._wake_attention(item, debounce)
            case Topic.CONNECTION:
                await self._wake_poll(item)
            case Topic.RESTOCK:
                await self._wake_restock(item)
            case _:
                raise InvalidInput(f"nothing listens to {item.topic!r}", hint="the outbox was written by a newer version")

    async def start_replenishment(self, *, now: datetime, suppliers: tuple[str, ...] = ()) -> str:
        """Plan now, for all suppliers or the ones named; one run of a kind a day. Returns the run's id."""
        run_id = f"replenish/{'+'.join((now.date().isoformat(), *suppliers))}"
        return await self._start(
            StockReplenishmentWorkflow.run,
            ReplenishInput(suppliers=suppliers),
            run_id,
            "replenish",
            f"replenish {', '.join(suppliers) or 'all suppliers'}",
        )

    async def start_content(self, *, now: datetime) -> str:
        """Choose topics and start a run for each. Returns the planning run's id."""
        run_id = f"content-plan/{now.date().isoformat()}"
        return await self._start(PlanContentWorkflow.run, ContentPlanInput(), run_id, "content-plan", "choose what deserves a page")

    async def start_digest(self, *, now: datetime) -> str:
        day = now.date().isoformat()
        return await self._start(DigestWorkflow.run, DigestStart(day=day), f"digest/{day}", "digest", f"the page of {day}")

    async def start_upkeep(self, *, now: datetime) -> str:
        day = now.date().isoformat()
        return await self._start(MemoryUpkeepWorkflow.run, UpkeepStart(day=day), f"memory/{day}", "memory", "upkeep of memory")

    async def start_learning(self, *, now: datetime) -> str:
        """Look back now. Again on the same day is another look, whose report replaces the first."""
        day = now.date().isoformat()
        return await self._start(LearningCycleWorkflow.run, LearnStart(day=day), f"learn/{day}", "learn", f"what {day} teaches")

    async def learn(self, *, now: datetime) -> str:
        """Look back now, and wait for what it says."""
        run_id = await self.start_learning(now=now)
        said: str = await self._client.get_workflow_handle(run_id, result_type=str).result()
        return said

    async def propose(self, proposal_id: str, proposed: ProposedInput) -> str:
        """Take a program's action to the operator; the same proposal again is the same run. Returns the run's id.

        Raises InvalidInput where the id was used for another proposal.
        """
        run_id = f"propose/{proposal_id}"
        try:
            await self._client.start_workflow(
                ProposedWorkflow.run,
                proposed,
                id=run_id,
                task_queue=options.ORCHESTRATION,
                task_timeout=options.TASK,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                static_summary=f"proposed: {proposed.action.kind}",
                search_attributes=_attributes(PROPOSE),
                memo={_DIGEST: digest(proposed)},
            )
        except RPCError as error:
            raise _rpc(error, run_id) from error
        except WorkflowAlreadyStartedError as there:
            memo = await (await self._client.get_workflow_handle(run_id).describe()).memo()
            if memo.get(_DIGEST) != digest(proposed):
                raise InvalidInput(f"{proposal_id} was proposed with other content", hint="take another id") from there
        return run_id

    async def rollback(self, run_id: str, *, by: str, everything: bool = False) -> RollbackResult:
        """Undo what a run did and wait for the end of it. Undoing it again finds nothing left to do."""
        rollback_id = await self.start_rollback(run_id, by=by, everything=everything)
        handle = self._client.get_workflow_handle(rollback_id, result_type=RollbackResult)
        undone: RollbackResult = await handle.result()
        return undone

    async def start_rollback(self, run_id: str, *, by: str, everything: bool = False) -> str:
        """Begin to undo what a run did since it last began, or ``everything`` that was ever done under its id.

        Returns the id of the run that undoes it: the one under way where there is one. Raises Refused where that undoes less.
        """
        start, rollback_id = RollbackInput(run_id=run_id, by=by, everything=everything), f"rollback/{run_id}"
        await self._start(RollbackWorkflow.run, start, rollback_id, "rollback", f"undo {run_id}", memo={_EVERYTHING: everything})
        if everything:
            memo = await (await self._client.get_workflow_handle(rollback_id).describe()).memo()
            if not memo.get(_EVERYTHING):
                raise Refused(f"what {run_id} did last is being undone now", hint="once that is done, undo all of it")
        return rollback_id

    async def cancel(self, run_id: str) -> None:
        """Ask a run to stop; what it began in its current plan is undone. Raises NotFound."""
        try:
            await self._client.get_workflow_handle(run_id).cancel()
        except RPCError as error:
            raise _rpc(error, run_id) from error

    async def _wake_support(self, item: OutboxItem) -> None:
        await self._client.start_workflow(
            SupportTriageWorkflow.run,
            SupportInput(ticket_id=item.key),
            id=f"support/{item.key}",
            task_queue=options.ORCHESTRATION,
            task_timeout=options.TASK,
            start_signal="message_arrived",
            start_signal_args=[MessageArrived(event_id=str(item.event_id))],
            static_summary=f"ticket {item.key}",
            search_attributes=_attributes("support"),
        )

    async def _wake_replenishment(self, item: OutboxItem, debounce: timedelta) -> None:
        await self._client.start_workflow(
            StockReplenishmentWorkflow.run,
            ReplenishInput(suppliers=(item.key,), debounce_seconds=debounce.total_seconds()),
            id=f"replenish/{item.key}",
            task_queue=options.ORCHESTRATION,
            task_timeout=options.TASK,
            start_signal="crossed",
            start_signal_args=[Crossed(event_id=str(item.event_id))],
            static_summary=f"stock of {item.key} crossed a reorder point",
            search_attributes=_attributes("replenish"),
        )

    async def _wake_rollout(self, item: OutboxItem) -> None:
        policy, _, version = item.key.partition("@")
        await self._client.start_workflow(
            RolloutWorkflow.run,
            RolloutInput(experiment_id=item.key),
            id=f"rollout/{policy}/{version}",
            task_queue=options.ORCHESTRATION,
            task_timeout=options.TASK,
            start_signal="result_matured",
            start_signal_args=[ResultMatured(event_id=str(item.event_id))],
            static_summary=f"try version {version} of the policy {policy}",
            search_attributes=_attributes("rollout"),
        )

    async def _wake_attention(self, item: OutboxItem, debounce: timedelta) -> None:
        day = item.at.astimezone(UTC).date().isoformat()
        await self._client.start_workflow(
            AttentionWorkflow.run,
            AttentionInput(day=day, gather_seconds=debounce.total_seconds()),
            id=f"attention/{day}",
            task_queue=options.ORCHESTRATION,
            task_timeout=options.TASK,
            start_signal="something_waits",
            start_signal_args=[SomethingWaits(event_id=str(item.event_id))],
            static_summary=f"what is worth an interrupt on {day}",
            search_attributes=_attributes("attention"),
        )

    async def _wake_restock(self, item: OutboxItem) -> None:
        """Whoever wakes it again finds it under way, or begins a run that proposes what still waits, which may be nothing."""
        with suppress(WorkflowAlreadyStartedError):
            await self._client.start_workflow(
                RestockWorkflow.run,
                RestockStart(purchase_order_id=item.key),
                id=restock_run(item.key),
                task_queue=options.ORCHESTRATION,
                task_timeout=options.TASK,
                static_summary=f"tell the shop what came with {item.key}",
                search_attributes=_attributes(RESTOCK),
            )

    async def look(self, connection: str, *, event_id: str = "") -> None:
        """Read a connection now, and from now on for as long as it is on. Safe to repeat."""
        await self._client.start_workflow(
            PollWorkflow.run,
            PollStart(connection=connection),
            id=f"poll/{connection}",
            task_queue=options.ORCHESTRATION,
            task_timeout=options.TASK,
            start_signal="look_now",
            start_signal_args=[LookNow(event_id=event_id)],
            static_summary=f"read {connection}",
            search_attributes=_attributes("poll"),
        )

    async def _wake_poll(self, item: OutboxItem) -> None:
        await self.look(item.key, event_id=str(item.event_id))

    async def _start(
        self, run: Any, start: Any, run_id: str, kind: str, summary: str, *, memo: dict[str, Any] | None = None
    ) -> str:
        """Raises Retryable where Temporal does not answer."""
        try:
            with suppress(WorkflowAlreadyStartedError):
                await self._client.start_workflow(
                    run,
                    start,
                    id=run_id,
                    task_queue=options.ORCHESTRATION,
                    task_timeout=options.TASK,
                    id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                    static_summary=summary,
                    search_attributes=_attributes(kind),
                    memo=memo,
                )
        except RPCError as error:
            raise _rpc(error, run_id) from error
        return run_id

    async def _update(self, handle: WorkflowHandle[Any, Any], name: str, argument: Any, *, update_id: str) -> str:
        try:
            answer: str = await handle.execute_update(name, argument, id=update_id, result_type=str, rpc_timeout=_PATIENCE)
        except WorkflowUpdateFailedError as failed:
            raise DecisionRefused(str(failed.cause)) from failed
        except WorkflowUpdateRPCTimeoutOrCancelledError as late:
            raise Retryable("no worker took the decision", hint="`steward status`, then decide again: it counts once") from late
        except RPCError as error:
            raise _rpc(error, handle.id) from error
        return answer


def _attributes(kind: str) -> TypedSearchAttributes:
    return TypedSearchAttributes([SearchAttributePair(KIND, kind)])


def _rpc(error: RPCError, run_id: str) -> StewardError:
    if error.status is RPCStatusCode.NOT_FOUND:
        return NotFound(f"no run {run_id} waits", hint="it may have ended; see `steward inbox`")
    return Retryable(f"Temporal did not answer: {error.message}", hint="`steward status`")
