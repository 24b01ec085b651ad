"""What is recorded as going on, held against Temporal: runs that were terminated, or lost with its database, leave traces.

A question of such a run can never be answered, its record says "running" for ever, and a customer's mail whose wake-up
went to it waits for nobody. Whatever Temporal does not clearly say is gone is left as it is.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client, WorkflowQueryFailedError
from temporalio.service import RPCError

from activities.happened import of_stream
from domain.approvals import Approval, ApprovalEnded, ApprovalStatus
from domain.entities import Ticket, TicketStatus
from domain.errors import VersionConflict
from domain.event import EventData, Topic, new_event
from domain.events import MessageReceived
from domain.knowledge import OutboxItem
from domain.model import Value
from domain.ports import EventLog, State
from domain.runs import Run, RunFinished
from workflows.gateway import Gateway
from workflows.watching import how_is

GONE = "Temporal does not know this run any more"
_EVERY, _AFTER_AN_ERROR = timedelta(days=1), timedelta(minutes=10)
_WITHIN = timedelta(seconds=5)


class Reconciled(Value):
    """The approvals that were withdrawn, the runs that were ended, and the tickets that were woken."""

    approvals: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    tickets: tuple[str, ...] = ()


class Reconciler:
    def __init__(self, *, client: Client, log: EventLog, state: State, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._gateway = Gateway(client)
        self._log = log
        self._state = state
        self._clock = clock
        self._say = structlog.get_logger().bind(part="reconciler")

    async def run(self) -> None:
        """Now and once a day, until cancelled."""
        while True:
            pause = _EVERY
            try:
                done = await self.reconcile()
                if done != Reconciled():
                    self._say.warning("runs were gone from Temporal", **done.model_dump())
            except Exception as error:  # noqa: BLE001 - it outlives every outage of what it compares
                self._say.warning("could not compare, will try again", error=str(error))
                pause = _AFTER_AN_ERROR
            await asyncio.sleep(pause.total_seconds())

    async def reconcile(self) -> Reconciled:
        """Safe to repeat. Raises RPCError where Temporal does not answer, or does not know our namespace."""
        namespace = DescribeNamespaceRequest(namespace=self._client.namespace)
        await self._client.workflow_service.describe_namespace(namespace, timeout=_WITHIN)
        asked = [a.approval_id for a in await self._state.find(Approval, status=ApprovalStatus.PENDING)]
        going = [r.run_id for r in await self._state.find(Run, status="running")]
        approvals = tuple([approval_id for approval_id in asked if await self._withdrawn(approval_id)])
        runs = tuple([run_id for run_id in going if await self._ended(run_id)])
        waiting = await self._state.find(Ticket, status=TicketStatus.OPEN)
        tickets = tuple([t.ticket_id for t in waiting if t.unanswered and await self._woken(t)])
        return Reconciled(approvals=approvals, runs=runs, tickets=tickets)

    async def _withdrawn(self, approval_id: str) -> bool:
        """Whether no run waits for the answer, so that the question was withdrawn."""
        version = await self._state.version(Approval, approval_id)  # before it is read: what moves later stays
        approval = await self._state.get(Approval, approval_id)
        if approval is None or approval.status is not ApprovalStatus.PENDING:
            return False
        run_id = approval.proposal.run_id
        if not await self._is_gone(run_id) and await self._waits_for(run_id, approval_id):
            return False
        ended = ApprovalEnded(approval_id=approval_id, status=ApprovalStatus.WITHDRAWN, at=self._clock(), reason=GONE, by="steward")
        return await self._record(ended, run_id, version)

    async def _ended(self, run_id: str) -> bool:
        """Whether the run is gone, so that its record was closed."""
        version = await self._state.version(Run, run_id)  # before it is read: what moves later stays
        run = await self._state.get(Run, run_id)
        if run is None or run.status != "running" or not await self._is_gone(run_id):
            return False
        ended = RunFinished(run_id=run_id, at=self._clock(), status="failed", result=GONE)
        return await self._record(ended, run_id, version)

    async def _woken(self, ticket: Ticket) -> bool:
        """Whether nobody is at the ticket's newest mail, so that its run was woken."""
        run_id = f"support/{ticket.ticket_id}"
        run = await self._state.get(Run, run_id)
        mails = [e for e in await of_stream(self._log, f"ticket/{ticket.ticket_id}") if e.type == MessageReceived.type]
        ends = [e.seq for e in await of_stream(self._log, f"run/{run_id}") if e.type == RunFinished.type]
        was_seen = run is not None and run.result != GONE and mails[-1].seq < max(ends, default=0)
        if was_seen or not await self._is_gone(run_id):
            return False
        item = OutboxItem(item_id=0, topic=Topic.SUPPORT, key=ticket.ticket_id, event_id=mails[-1].event_id, at=self._clock())
        await self._gateway.wake(item, debounce=timedelta(0))
        return True

    async def _is_gone(self, run_id: str) -> bool:
        rest = await how_is(self._client, self._state, run_id)
        return rest is None or rest.ended

    async def _waits_for(self, run_id: str, approval_id: str) -> bool:
        """Whether the run that goes on waits for this answer; yes, where it does not say."""
        try:
            handle = self._client.get_workflow_handle(run_id)
            waiting: list[Approval] = await handle.query("waiting", result_type=list[Approval], rpc_timeout=_WITHIN)
        except (RPCError, WorkflowQueryFailedError):
            return True
        return any(a.approval_id == approval_id for a in waiting)

    async def _record(self, data: EventData, run_id: str, version: int) -> bool:
        """False where it moved while Temporal was asked: then somebody is at it."""
        event = new_event(data, at=self._clock(), key=(data.stream, "gone", str(version)), correlation_id=run_id)
        try:
            await self._log.append([event], expected={data.stream: version})
        except VersionConflict:
            return False
        return True
