"""The run's own record: started, finished, reverted, alerts, outcomes, the daily digest."""

import asyncio
from datetime import timedelta

from temporalio import activity

from activities.steps import AlertInput, DigestInput, DigestText, EffectInput, FinishInput, OutcomeInput, RevertedInput, RunInput
from domain.approvals import Approval, ApprovalStatus
from domain.entities import PurchaseOrder, PurchaseOrderStatus, Ticket, TicketStatus
from domain.errors import Retryable
from domain.event import EventData, new_event
from domain.model import Moment
from domain.ports import EventLog, Guards, State
from domain.runs import (
    Alert,
    AlertRaised,
    Digest,
    DigestWritten,
    Outcome,
    OutcomeRecorded,
    Run,
    RunFinished,
    RunReverted,
    RunStarted,
)

_LOOKS, _LOOK_SECONDS = 100, 0.05


class RunActivities:
    def __init__(self, *, log: EventLog, state: State, guards: Guards) -> None:
        self._log = log
        self._state = state
        self._guards = guards

    @activity.defn
    async def start_run(self, run: RunInput) -> None:
        data = RunStarted(run_id=run.run_id, workflow=run.workflow, at=run.now)
        await self._append(data, run.now, run.run_id, run.run_id, run.now.isoformat())

    @activity.defn
    async def finish_run(self, end: FinishInput) -> None:
        data = RunFinished(run_id=end.run_id, at=end.now, status=end.status, result=end.result)
        await self._append(data, end.now, end.run_id, end.run_id, end.now.isoformat())

    @activity.defn
    async def await_end(self, request: EffectInput) -> None:
        """Wait until the run named by ``key`` has ended. Raises Retryable where that takes long."""
        for _ in range(_LOOKS):
            run = await self._state.get(Run, request.key)
            if run is None or run.status != "running":
                return
            await asyncio.sleep(_LOOK_SECONDS)
        raise Retryable(f"{request.key} still goes on")

    @activity.defn
    async def record_reverted(self, reverted: RevertedInput) -> None:
        """A run that left no record of its own (an imported one) is not invented here."""
        if await self._state.get(Run, reverted.run_id) is None:
            return
        data = RunReverted(run_id=reverted.run_id, by=reverted.by, compensated=reverted.compensated, impossible=reverted.impossible)
        await self._append(data, reverted.now, reverted.run_id, reverted.run_id, reverted.now.isoformat())

    @activity.defn
    async def alert(self, alert: AlertInput) -> None:
        raised = Alert(
            key=alert.key, level=alert.level, text=alert.text, what_to_do=alert.what_to_do, run_id=alert.run_id, at=alert.now
        )
        await self._append(AlertRaised(alert=raised), alert.now, alert.run_id, alert.key, alert.now.isoformat())

    @activity.defn
    async def record_outcome(self, outcome: OutcomeInput) -> None:
        measured = Outcome(metric=outcome.metric, value=outcome.value, at=outcome.now)
        data = OutcomeRecorded(run_id=outcome.run_id, outcome=measured)
        await self._append(data, outcome.now, outcome.run_id, outcome.run_id, outcome.metric, outcome.now.isoformat())

    @activity.defn
    async def write_digest(self, request: DigestInput) -> DigestText:
        """One page: what needs you, what happened since yesterday, what is used of today's bounds."""
        sections = [await self._needs_you(), await self._happened(request.now), await self._bounds(request.now)]
        text = "\n\n".join(section for section in sections if section)
        digest = Digest(day=request.day, text=text, at=request.now)
        await self._append(DigestWritten(digest=digest), request.now, "", request.day, request.now.isoformat())
        return DigestText(text=text)

    async def _needs_you(self) -> str:
        waiting = await self._state.find(Approval, status=ApprovalStatus.PENDING)
        alerts = [a for a in await self._state.find(Alert) if a.open]
        if not waiting and not alerts:
            return "## Nothing needs you"
        lines = [f"- {a.proposal.action.summary()} — {'; '.join(a.proposal.gate.reasons)}" for a in waiting]
        lines += [f"- {a.level}: {a.text}" for a in alerts]
        return "\n".join([f"## Needs you ({len(lines)})", *lines])

    async def _happened(self, now: Moment) -> str:
        since = now - timedelta(days=1)
        runs = [r for r in await self._state.find(Run) if r.started_at >= since]
        done = sum(r.status == "done" for r in runs)
        tickets = await self._state.find(Ticket)
        late = await self._state.find(PurchaseOrder, status=PurchaseOrderStatus.LATE)
        open_tickets = sum(t.status is not TicketStatus.CLOSED for t in tickets)
        lines = [f"- {len(runs)} runs, {done} finished", f"- {open_tickets} tickets open"]
        lines += [f"- late: purchase order {o.purchase_order_id} from {o.supplier_id}" for o in late]
        return "\n".join(["## Since yesterday", *lines])

    async def _bounds(self, now: Moment) -> str:
        used = await self._guards.used(now=now)
        lines = [
            f"- {bound}: {amount} of {limit}" for bound, (amount, limit) in sorted(used.items()) if amount and limit is not None
        ]
        return "\n".join(["## Used of today's bounds", *lines]) if lines else ""

    async def _append(self, data: EventData, at: Moment, run: str, *key: str) -> None:
        await self._log.append([new_event(data, at=at, key=key, correlation_id=run)])
