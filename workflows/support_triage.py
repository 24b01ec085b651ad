"""A support ticket, from the customer's message to its closing: ``support/<source>/<external id>``."""

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.runs import RunActivities
    from activities.steps import (
        ActionResult,
        CloseInput,
        FollowUp,
        HandOverInput,
        OutcomeInput,
        ResultKind,
        TicketInput,
        TurnPlan,
    )
    from activities.support import SupportActivities
    from agents.support_planner import SupportPlan
    from domain.actions import SendReply
    from domain.model import Name, Value
    from domain.policies import SupportPolicy
    from domain.runs import AlertLevel
    from workflows import options
    from workflows.governed_workflow import GovernedWorkflow
    from workflows.search_attributes import INTENT, STAGE


class SupportInput(Value):
    """``turn`` and what follows it are carried over when a long conversation continues as new.

    ``anew`` says that the run had ended, and begins again for what came while it did.
    """

    ticket_id: Name
    anew: bool = False
    turn: int = 0
    answered_first: bool = False
    asked_back: bool = False
    came_back: bool = False


class MessageArrived(Value):
    event_id: Name


@workflow.defn
class SupportTriageWorkflow(GovernedWorkflow):
    """Answers each message, waits durably for the customer, follows up once, closes, and records how it went."""

    kind = "support"

    @workflow.init
    def __init__(self, start: SupportInput) -> None:
        super().__init__(anew=start.anew)
        self.ticket_id = start.ticket_id
        self.turn = start.turn
        self.answered_first = start.answered_first
        self.asked_back = start.asked_back
        self.came_back = start.came_back
        self.arrived: set[str] = set()
        self.seen = 0
        self.newest: str | None = None
        self.policy = SupportPolicy()

    @workflow.run
    async def run(self, start: SupportInput) -> str:
        result = await self.governed(self._converse)
        if self._newer() and workflow.patched("begin-again-for-what-came-late"):
            workflow.continue_as_new(SupportInput(ticket_id=self.ticket_id, anew=True))
        return result

    @workflow.signal
    def message_arrived(self, message: MessageArrived) -> None:
        """Another message in this thread; the same delivery twice counts once."""
        self.arrived.add(message.event_id)

    async def _converse(self) -> str:
        while True:
            ended = await self._answer()
            if ended:
                return ended
            if await self._customer_is_silent():
                ended = await self._close("the customer did not write again")
                if ended:
                    return ended
            await self._continue_as_new_if_long()

    async def _answer(self) -> str:
        """Handle what is unanswered. Returns how the ticket ended, or nothing while it goes on."""
        self.seen = len(self.arrived)
        self.turn += 1
        turn = await self._plan()
        self.policy = turn.policy
        self.newest = turn.newest
        if turn.plan is None:
            return "" if self._newer() or self.turn > 1 else "nothing to answer"
        if self._newer() and workflow.patched("plan-again-for-what-came-meanwhile"):
            return ""
        self._show(turn.plan)
        self._count(turn.plan)
        if turn.plan.close:
            return await self._close(turn.plan.close_reason, label=turn.plan.triage.label.intent)
        if not turn.plan.planned:
            return await self._hand_over(turn.plan.hand_over)
        results = await self.out.act_all(turn.plan.planned, moot=self._newer)
        if self._newer() and not all(r.committed for r in results):
            return ""
        return await self._after(turn, results)

    def _count(self, plan: SupportPlan) -> None:
        """A customer who writes again was not served, unless it is thanks, or what we asked for."""
        self.came_back = self.came_back or (self.answered_first and not plan.close and not self.asked_back)
        self.asked_back = plan.asks_back

    async def _after(self, turn: TurnPlan, results: list[ActionResult]) -> str:
        missed = next((r for r in results if not r.committed), None)
        if missed is not None and missed.kind is ResultKind.SUGGESTED:
            return f"suggested only: {missed.summary}"
        if missed is not None and not await self._operator_wrote(turn, missed):
            reason = f"{missed.kind}: {missed.summary}" + (f" ({missed.detail})" if missed.detail else "")
            return await self._hand_over(reason, known=missed.kind is ResultKind.REJECTED)
        if not self.answered_first:
            self.answered_first = True
            await self._outcome("first-response-minutes", (workflow.now() - turn.first_message_at) / timedelta(minutes=1))
        return ""

    async def _customer_is_silent(self) -> bool:
        """Wait for an answer: follow up once, then give up. True where the customer stayed silent."""
        self._stage("waiting for the customer")
        if await self._message_within(timedelta(days=self.policy.follow_up_after_days)):
            return False
        await self._follow_up()
        rest = self.policy.close_after_days - self.policy.follow_up_after_days
        return not await self._message_within(timedelta(days=max(rest, 0.0)))

    async def _follow_up(self) -> None:
        request = self._request()
        follow_up: FollowUp = await workflow.execute_activity_method(
            SupportActivities.plan_follow_up, request, summary="plan a follow-up", **options.THINK
        )
        if follow_up.planned is not None:
            await self.out.act(follow_up.planned, moot=self._newer)

    async def _message_within(self, patience: timedelta) -> bool:
        try:
            await workflow.wait_condition(self._newer, timeout=patience, timeout_summary="waiting for the customer")
        except TimeoutError:
            return False
        return True

    def _newer(self) -> bool:
        return len(self.arrived) > self.seen

    async def _plan(self) -> TurnPlan:
        self._stage("planning")
        return await workflow.execute_activity_method(
            SupportActivities.plan_turn, self._request(), summary="understand and plan", **options.THINK
        )

    async def _operator_wrote(self, turn: TurnPlan, missed: ActionResult) -> bool:
        """When a step before the reply was not done, the prepared reply is not true any more: the operator writes one."""
        replies = [p for p in turn.plan.planned if isinstance(p.action, SendReply)] if turn.plan else []
        if not replies or missed.summary == replies[-1].action.summary():
            return False
        prepared = replies[-1]
        empty = prepared.action.model_copy(update={"body": "", "facts": {}})
        why = prepared.why.model_copy(update={"force_ask": f"{missed.kind}: {missed.summary}. Please write the answer"})
        own = prepared.model_copy(update={"step": f"{prepared.step}/own-words", "action": empty, "why": why})
        return (await self.out.act(own, moot=self._newer)).committed

    async def _hand_over(self, reason: str, *, known: bool = False) -> str:
        """``known`` where the operator decided it: then there is nothing to alert about. Nothing where a message came first."""
        request = HandOverInput(
            run_id=self._run_id(), ticket_id=self.ticket_id, reason=reason, newest=self.newest, now=workflow.now()
        )
        done: bool | None = await workflow.execute_activity_method(
            SupportActivities.hand_over, request, summary="hand over to the operator", **options.RECORD
        )
        if done is False:  # runs that began earlier have no answer here
            return ""
        if not known:
            what_to_do = "answer it yourself; a new message of the customer comes back to Steward"
            await self.out.alert(f"ticket/{self.ticket_id}", AlertLevel.WARNING, f"a ticket is with you: {reason}", what_to_do)
        self._stage("with the operator")
        return f"with the operator: {reason}"

    async def _close(self, reason: str, *, label: str = "") -> str:
        """Nothing where a message came first."""
        request = CloseInput(
            run_id=self._run_id(),
            ticket_id=self.ticket_id,
            reason=reason,
            labels=(label,) if label else (),
            newest=self.newest,
            now=workflow.now(),
        )
        done: bool | None = await workflow.execute_activity_method(
            SupportActivities.close_ticket, request, summary="close", **options.RECORD
        )
        if done is False:  # runs that began earlier have no answer here
            return ""
        await self._outcome("reopened", float(self.came_back))
        self._stage("closed")
        return f"closed: {reason}"

    async def _outcome(self, metric: str, value: float) -> None:
        outcome = OutcomeInput(run_id=self._run_id(), metric=metric, value=value, now=workflow.now())
        await workflow.execute_activity_method(
            RunActivities.record_outcome, outcome, summary=f"outcome: {metric}", **options.RECORD
        )

    async def _continue_as_new_if_long(self) -> None:
        """Between two turns; what the customer wrote is in the ticket, so that no signal has to be carried over."""
        if workflow.info().is_continue_as_new_suggested():
            await workflow.wait_condition(workflow.all_handlers_finished)
            workflow.continue_as_new(self._carried_over())

    def _carried_over(self) -> SupportInput:
        return SupportInput(
            ticket_id=self.ticket_id,
            turn=self.turn,
            answered_first=self.answered_first,
            asked_back=self.asked_back,
            came_back=self.came_back,
        )

    def _request(self) -> TicketInput:
        return TicketInput(run_id=self._run_id(), ticket_id=self.ticket_id, now=workflow.now(), turn=self.turn)

    def _run_id(self) -> str:
        return workflow.info().workflow_id

    def _stage(self, stage: str) -> None:
        workflow.upsert_search_attributes([STAGE.value_set(stage)])

    def _show(self, plan: SupportPlan) -> None:
        workflow.upsert_search_attributes([INTENT.value_set(plan.triage.label.intent)])
