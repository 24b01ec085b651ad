"""Replenishment: ``replenish/<date>`` by schedule, ``replenish/<supplier>`` when stock crosses a reorder point."""

import asyncio
from datetime import datetime, timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.steps import Deliveries, DeliveryInput, PlanStockInput, StockPlanned
    from activities.stock import StockActivities
    from domain.actions import PlacePurchaseOrder
    from domain.decisions import Planned
    from domain.model import Value
    from workflows import options
    from workflows.governed_action import GovernedWorkflow
    from workflows.search_attributes import STAGE, SUPPLIER


class ReplenishInput(Value):
    """No ``suppliers`` means all of them. ``debounce_seconds`` gathers crossings, so that a supplier gets one order, not ten."""

    suppliers: tuple[str, ...] = ()
    debounce_seconds: float = 0
    outstanding: tuple[str, ...] = ()


class Crossed(Value):
    """A stock event took a SKU of this run's supplier across its reorder point."""

    event_id: str


@workflow.defn
class StockReplenishmentWorkflow(GovernedWorkflow):
    """Plans, orders, and follows late deliveries; a crossing meanwhile plans again."""

    kind = "replenish"

    @workflow.init
    def __init__(self, start: ReplenishInput) -> None:
        super().__init__()
        self.input = start
        self.crossings: set[str] = set()
        self.planned_for = -1
        self.outstanding: tuple[str, ...] = start.outstanding
        self.look_again_at: datetime | None = None

    @workflow.run
    async def run(self, start: ReplenishInput) -> str:
        return await self.governed(self._replenish)

    @workflow.signal
    def crossed(self, crossing: Crossed) -> None:
        self.crossings.add(crossing.event_id)

    async def _replenish(self) -> str:
        workflow.upsert_search_attributes([SUPPLIER.value_set(",".join(self.input.suppliers) or "all")])
        ordered = 0
        while True:
            if self._due_to_plan():
                ordered += await self._plan_and_order()
            if not self.outstanding and not self._due_to_plan():
                return f"{ordered} purchase orders"
            await self._wait_for_deliveries()
            if workflow.info().is_continue_as_new_suggested() and not self._due_to_plan():
                workflow.continue_as_new(self.input.model_copy(update={"outstanding": self.outstanding}))

    def _due_to_plan(self) -> bool:
        first = self.planned_for < 0 and not self.input.outstanding
        return first or len(self.crossings) > max(self.planned_for, 0)

    async def _plan_and_order(self) -> int:
        """One order a supplier, each on its own way: one that waits for a decision holds up no other."""
        await self._debounce()
        self._stage("planning")
        self.planned_for = len(self.crossings)
        request = PlanStockInput(run_id=_run_id(), suppliers=self.input.suppliers, now=workflow.now())
        plan: StockPlanned = await workflow.execute_activity_method(
            StockActivities.plan_stock, request, summary="forecast and plan", **options.THINK
        )
        self._stage("ordering")
        placed = await asyncio.gather(*(self._order(planned) for planned in plan.planned))
        self.outstanding = (*self.outstanding, *(order_id for order_id in placed if order_id))
        return sum(bool(order_id) for order_id in placed)

    async def _debounce(self) -> None:
        if self.input.debounce_seconds:
            self._stage("gathering")
            await workflow.sleep(timedelta(seconds=self.input.debounce_seconds), summary="gather further crossings")

    async def _order(self, planned: Planned) -> str:
        result = await self.out.act(planned)
        action = planned.action
        return action.purchase_order.purchase_order_id if result.committed and isinstance(action, PlacePurchaseOrder) else ""

    async def _wait_for_deliveries(self) -> None:
        self._stage("waiting for deliveries")
        request = DeliveryInput(run_id=_run_id(), purchase_order_ids=self.outstanding, now=workflow.now())
        deliveries: Deliveries = await workflow.execute_activity_method(
            StockActivities.check_deliveries, request, summary="check deliveries", **options.RECORD
        )
        self.outstanding = deliveries.open
        if deliveries.look_again_at is None:
            return
        patience = max(deliveries.look_again_at - workflow.now(), timedelta(seconds=1))
        try:
            await workflow.wait_condition(self._due_to_plan, timeout=patience, timeout_summary="until a delivery is late")
        except TimeoutError:
            return

    def _stage(self, stage: str) -> None:
        workflow.upsert_search_attributes([STAGE.value_set(stage)])


def _run_id() -> str:
    return workflow.info().workflow_id
