"""Steps of a support ticket."""

from collections.abc import Mapping

from temporalio import activity

from activities.exposing import Exposer
from activities.steps import CloseInput, FollowUp, HandOverInput, TicketInput, TurnPlan
from agents.support_planner import SupportPlanner, Triage
from domain.entities import Direction, Ticket, TicketStatus
from domain.errors import NotFound, Retryable, VersionConflict
from domain.event import EventData, new_event
from domain.events import TicketClosed, TicketHandedOver, TicketTriaged
from domain.model import Moment
from domain.policies import SupportPolicy
from domain.ports import EventLog, Policies, State
from domain.tasks import CLASSIFY, REPLY


class SupportActivities:
    def __init__(self, *, planner: SupportPlanner, log: EventLog, state: State, policies: Policies, exposer: Exposer) -> None:
        self._planner = planner
        self._exposer = exposer
        self._log = log
        self._state = state
        self._policies = policies

    @activity.defn
    async def plan_turn(self, request: TicketInput) -> TurnPlan:
        """Understand the ticket's newest message and plan the answer: all the thinking in one step."""
        ticket = await self._ticket(request.ticket_id)
        run_id, now = request.run_id, request.now
        policy = (await self._policies.of(run_id).in_force(SupportPolicy)).document
        unanswered = ticket.unanswered
        first = await self._came_in(ticket, now)
        if not unanswered or ticket.status in (TicketStatus.CLOSED, TicketStatus.WITH_OPERATOR):
            return TurnPlan(plan=None, policy=policy, first_message_at=first, unanswered=0, newest=_newest(ticket))
        turn = sum(m.direction is Direction.INBOUND for m in ticket.messages)
        await self._exposer.expose("triage", run_id=run_id, now=now)
        await self._exposer.expose("prompts", run_id=run_id, topic=CLASSIFY.prompt, now=now)
        triage = await self._planner.triage(request.ticket_id, now=now, run_id=run_id)
        await self._exposer.expose("routing", "support", "gate", run_id=run_id, topic=triage.label.intent, now=now)
        await self._exposer.expose("prompts", run_id=run_id, topic=REPLY.prompt, now=now)
        await self._append(_triaged(triage), request, "triaged", unanswered[-1].message_id)
        policy = (await self._policies.of(run_id).in_force(SupportPolicy)).document
        plan = await self._planner.plan(triage, now=now, turn=turn, run_id=run_id)
        return TurnPlan(plan=plan, policy=policy, first_message_at=first, unanswered=len(unanswered), newest=_newest(ticket))

    @activity.defn
    async def plan_follow_up(self, request: TicketInput) -> FollowUp:
        return FollowUp(planned=await self._planner.follow_up(request.ticket_id, now=request.now, run_id=request.run_id))

    @activity.defn
    async def close_ticket(self, request: CloseInput) -> bool:
        """False where a message waits that came after the plan: then it stays open."""
        data = TicketClosed(ticket_id=request.ticket_id, reason=request.reason, labels=request.labels)
        return await self._end(data, request, "closed")

    @activity.defn
    async def hand_over(self, request: HandOverInput) -> bool:
        """False where a message waits that came after the plan: then it stays open."""
        data = TicketHandedOver(ticket_id=request.ticket_id, reason=request.reason)
        return await self._end(data, request, "handed-over", request.reason)

    async def _end(self, data: TicketClosed | TicketHandedOver, request: CloseInput | HandOverInput, what: str, *key: str) -> bool:
        """Raises Retryable where a message came in while this was being written."""
        seen = await self._state.version(Ticket, request.ticket_id)
        ticket = await self._ticket(request.ticket_id)
        if ticket.status is TicketStatus.CLOSED and data.type == TicketClosed.type:
            return True
        if request.newest is not None and _newest(ticket) not in ("", request.newest):
            return False
        try:
            await self._append(data, request, what, str(len(ticket.messages)), *key, expected={data.stream: seen})
        except VersionConflict as moved:
            raise Retryable(f"{request.ticket_id} moved meanwhile") from moved
        return True

    async def _came_in(self, ticket: Ticket, now: Moment) -> Moment:
        """When the first message could be answered: a mail that is imported may have been written long before."""
        first = ticket.messages[0]
        begun = await self._log.read(stream=f"ticket/{ticket.ticket_id}", limit=1)
        known = [event.recorded_at for event in begun if event.data.get("message", {}).get("message_id") == first.message_id]
        return max(first.at, *(min(moment, now) for moment in known)) if known else first.at

    async def _ticket(self, ticket_id: str) -> Ticket:
        ticket = await self._state.get(Ticket, ticket_id)
        if ticket is None:
            raise NotFound(f"no ticket {ticket_id}", hint="import its message first")
        return ticket

    async def _append(
        self,
        data: EventData,
        request: TicketInput | CloseInput | HandOverInput,
        *key: str,
        expected: Mapping[str, int] | None = None,
    ) -> None:
        """What was decided, with the policies and flags it was decided under."""
        now: Moment = request.now
        policies = self._policies.of(request.run_id)
        event = new_event(
            data,
            at=now,
            key=(request.run_id, *key),
            correlation_id=request.run_id,
            policy_versions=await policies.versions(),
            flags=await policies.arms(),
        )
        await self._log.append([event], expected=expected)


def _newest(ticket: Ticket) -> str:
    """The id of the newest message that is unanswered; empty where there is none."""
    return ticket.unanswered[-1].message_id if ticket.unanswered else ""


def _triaged(triage: Triage) -> TicketTriaged:
    return TicketTriaged(
        ticket_id=triage.ticket_id,
        intent=triage.label.intent,
        urgency=triage.label.urgency,
        language=triage.label.language,
        confidence=triage.confidence,
        engine=triage.engine,
        customer_id=triage.customer_id,
        order_id=triage.order_id,
    )
