"""What came in goes on sale: ``restock/<purchase order>``, woken by its arrival where a connected shop counts its own stock."""

import asyncio
from collections import Counter

from temporalio import workflow
from temporalio.exceptions import ActivityError, CancelledError

with workflow.unsafe.imports_passed_through():
    from activities.restocking import Arrived, ArrivedInput, GiveUpInput, RestockActivities, Restocking, RestockInput
    from activities.steps import ResultKind
    from domain.actions import AdjustStock
    from domain.deliveries import RESTOCK, Arrival, not_told
    from domain.model import Name, Value
    from domain.runs import AlertLevel
    from workflows import options
    from workflows.governed_workflow import GovernedWorkflow
    from workflows.saying import said_by

MOST_PLANS = 20
"""So often the shop may have another number by the time it is told."""
ENDS = {ResultKind.COMMITTED: "on sale", ResultKind.REJECTED: "rejected", ResultKind.SUGGESTED: "suggested"}
"""What an article is left at without a word: it is done, or it is what somebody chose."""
NOT_DONE = {ResultKind.EXPIRED: "nobody answered the question in time"}
"""The reason for an end that gives none."""


class RestockStart(Value):
    purchase_order_id: Name


@workflow.defn
class RestockWorkflow(GovernedWorkflow):
    """One question an article. A sale while it waits is no mistake: then it is planned again, from what the shop has by then."""

    kind = RESTOCK

    @workflow.run
    async def run(self, start: RestockStart) -> str:
        """Where there is nothing to tell, nothing is recorded."""
        asked = ArrivedInput(purchase_order_id=start.purchase_order_id)
        arrived: Arrived = await workflow.execute_activity_method(
            RestockActivities.find_arrivals, asked, summary="what came in", **options.RECORD
        )
        if not arrived.arrivals:
            return arrived.why
        return await self.governed(lambda: self._tell(arrived.arrivals))

    async def _tell(self, arrivals: tuple[Arrival, ...]) -> str:
        """All at once: an article that waits for its answer holds up no other."""
        telling = [asyncio.create_task(self._put_on_sale(arrival)) for arrival in arrivals]
        try:
            ends = Counter(await asyncio.gather(*telling))
        except (Exception, asyncio.CancelledError):
            for article in telling:
                article.cancel()
            await asyncio.gather(*telling, return_exceptions=True)
            raise
        return ", ".join(f"{count} {end}" for end, count in sorted(ends.items()))

    async def _put_on_sale(self, arrival: Arrival) -> str:
        """How it ended, in a word. Where nobody said no, what was not told waits on."""
        seen, failed = None, ""
        for _ in range(MOST_PLANS):
            plan = await self._plan(arrival, seen)
            if plan.planned is None:
                return await self._left_out(arrival, plan.why, uncounted=plan.uncounted)
            there = _units_before(plan)
            if there == seen:  # it did not fail for a number that moved, so that trying again is no use
                break
            result = await self.out.act(plan.planned)
            if result.kind is ResultKind.REJECTED:
                await self._give_up(arrival, ENDS[result.kind])
            if result.kind in ENDS:
                return ENDS[result.kind]
            if result.kind is not ResultKind.FAILED:
                return await self._left_out(arrival, result.detail or NOT_DONE.get(result.kind, result.kind.value))
            seen, failed = there, result.detail
        return await self._left_out(arrival, failed)

    async def _plan(self, arrival: Arrival, seen: int | None) -> Restocking:
        request = RestockInput(arrival=arrival, seen=seen)
        try:
            plan: Restocking = await workflow.execute_activity_method(
                RestockActivities.plan_restock, request, summary=f"look how many {arrival.sku} the shop has", **options.EFFECT
            )
        except ActivityError as error:
            if isinstance(error.cause, CancelledError):
                raise
            return Restocking(why=said_by(error))
        return plan

    async def _left_out(self, arrival: Arrival, why: str, *, uncounted: bool = False) -> str:
        said = not_told(arrival, why, uncounted=uncounted)
        await self.out.alert(said.key, AlertLevel.WARNING, said.text, said.what_to_do)
        if uncounted:
            await self._give_up(arrival, why, uncounted=True)
        return "not told"

    async def _give_up(self, arrival: Arrival, why: str, *, uncounted: bool = False) -> None:
        """Nothing waits any more: somebody said no, or the shop does not count it."""
        if not workflow.patched("give-up-listing"):
            return
        run_id, now = workflow.info().workflow_id, workflow.now()
        request = GiveUpInput(run_id=run_id, arrival=arrival, why=why, uncounted=uncounted, now=now)
        await workflow.execute_activity_method(
            RestockActivities.give_up, request, summary=f"{arrival.sku} is not to be told", **options.RECORD
        )


def _units_before(plan: Restocking) -> int | None:
    action = plan.planned.action if plan.planned else None
    return action.units_before if isinstance(action, AdjustStock) else None
