"""Replenishment: ``replenish/<date>`` by schedule, ``replenish/<supplier>`` when stock crosses a reorder point."""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.steps import Deliveries, DeliveryInput, PlanStockInput, ResultKind, StockPlanned
    from activities.stock import StockActivities
    from domain.actions import PlacePurchaseOrder
    from domain.decisions import Planned
    from domain.model import Value
    from domain.runs import AlertLevel
    from workflows import options
    from workflows.governed_workflow import GovernedWorkflow
    from workflows.search_attributes import STAGE, SUPPLIER


_LONGEST_MINUTES = 24 * 60
_PATIENCE = 3
"""So often an order of this run may give way to others before the operator is told."""


class ReplenishInput(Value):
    """No ``suppliers`` means all of them. ``debounce_seconds`` gathers crossings, so that a supplier gets one order, not ten.

    ``outstanding`` and ``ordered`` are carried over when a long run continues as new. ``anew`` says that the run had
    ended, and begins again for what crossed while it did.
    """

    suppliers: tuple[str, ...] = ()
    debounce_seconds: float = 0
    outstanding: tuple[str, ...] = ()
    ordered: int = 0
    anew: bool = False


class Crossed(Value):
    """A stock event took a SKU of this run's supplier across its reorder point."""

    event_id: str


@workflow.defn
class StockReplenishmentWorkflow(GovernedWorkflow):
    """Plans, orders, and follows late deliveries; a crossing meanwhile plans again."""

    kind = "replenish"

    @workflow.init
    def __init__(self, start: ReplenishInput) -> None:
        super().__init__(anew=start.anew)
        self.input = start
        self.crossings: set[str] = set()
        self.planned_for = -1
        self.outstanding: tuple[str, ...] = start.outstanding
        self.look_again_at: datetime | None = None
        self.deciding: list[asyncio.Task[None]] = []
        self.ordered = start.ordered
        self.postponed = False
        self.suppliers_deciding: list[str] = []
        self.plan_again_at: datetime | None = None
        self.gave_way = 0

    @workflow.run
    async def run(self, start: ReplenishInput) -> str:
        result = await self.governed(self._replenish)
        if self._crossed_since() and workflow.patched("begin-again-for-what-came-late"):
            workflow.continue_as_new(ReplenishInput(suppliers=start.suppliers, debounce_seconds=start.debounce_seconds, anew=True))
        return result

    @workflow.signal
    def crossed(self, crossing: Crossed) -> None:
        self.crossings.add(crossing.event_id)

    async def _replenish(self) -> str:
        workflow.upsert_search_attributes([SUPPLIER.value_set(",".join(self.input.suppliers) or "all")])
        try:
            await self._order_and_watch()
        except (Exception, asyncio.CancelledError):
            for order in self.deciding:
                order.cancel()
            await asyncio.gather(*self.deciding, return_exceptions=True)
            raise
        return f"{self.ordered} purchase orders"

    async def _order_and_watch(self) -> None:
        """Orders that wait for a decision hold up neither the other orders nor the watch over deliveries."""
        while True:
            if self._due_to_plan():
                self.deciding += [asyncio.create_task(self._order(planned)) for planned in await self._plan()]
            await self._check_deliveries()
            self._collect()
            if self._at_rest():
                return
            await self._wait()
            self._collect()
            await self._continue_as_new_if_long()

    def _due_to_plan(self) -> bool:
        first = self.planned_for < 0 and not self.input.outstanding
        decided = self.postponed and not self._undecided()
        again = self.plan_again_at is not None and workflow.now() >= self.plan_again_at
        return first or decided or again or self._crossed_since()

    def _crossed_since(self) -> bool:
        return len(self.crossings) > max(self.planned_for, 0)

    def _at_rest(self) -> bool:
        return not (self._undecided() or self.outstanding or self.plan_again_at or self._due_to_plan())

    def _collect(self) -> None:
        """Let go of orders that are decided; an error in one is an error of the run."""
        for order in self.deciding:
            if order.done():
                order.result()
        self.deciding = [order for order in self.deciding if not order.done()]

    def _undecided(self) -> int:
        return sum(not order.done() for order in self.deciding)

    async def _plan(self) -> tuple[Planned, ...]:
        await self._debounce()
        self._stage("planning")
        self.planned_for = len(self.crossings)
        self.plan_again_at = None
        request = PlanStockInput(
            run_id=_run_id(), suppliers=self.input.suppliers, deciding=tuple(self.suppliers_deciding), now=workflow.now()
        )
        plan: StockPlanned = await workflow.execute_activity_method(
            StockActivities.plan_stock, request, summary="forecast and plan", **options.THINK
        )
        self.postponed = plan.postponed
        return plan.planned

    async def _debounce(self) -> None:
        if self.input.debounce_seconds:
            self._stage("gathering")
            await workflow.sleep(timedelta(seconds=self.input.debounce_seconds), summary="gather further crossings")

    async def _order(self, planned: Planned) -> None:
        order = planned.action.purchase_order if isinstance(planned.action, PlacePurchaseOrder) else None
        if order is None:
            return
        self.suppliers_deciding.append(order.supplier_id)
        result = await self.out.act(planned)
        self.suppliers_deciding.remove(order.supplier_id)
        if result.committed:
            self.outstanding = (*self.outstanding, order.purchase_order_id)
            self.ordered += 1
            self.gave_way = 0
        if result.kind is ResultKind.OUTDATED:
            await self._give_way(order.supplier_id, result.detail)

    async def _give_way(self, supplier_id: str, detail: str) -> None:
        """Another order is on its way: plan again when it is known what became of it, with growing patience."""
        self.gave_way += 1
        self.plan_again_at = workflow.now() + timedelta(minutes=min(2**self.gave_way, _LONGEST_MINUTES))
        if self.gave_way == _PATIENCE:
            what_to_do = "look what became of the other order: `steward inbox` and `steward state list purchase-order`"
            await self.out.alert(f"gave-way/{supplier_id}", AlertLevel.WARNING, f"{supplier_id}: {detail}", what_to_do)

    async def _check_deliveries(self) -> None:
        if not self.outstanding:
            self.look_again_at = None
            return
        asked = self.outstanding
        request = DeliveryInput(run_id=_run_id(), purchase_order_ids=asked, now=workflow.now())
        deliveries: Deliveries = await workflow.execute_activity_method(
            StockActivities.check_deliveries, request, summary="check deliveries", **options.RECORD
        )
        self.outstanding = tuple(o for o in self.outstanding if o not in asked or o in deliveries.open)
        self.look_again_at = deliveries.look_again_at

    async def _wait(self) -> None:
        """Until a crossing, a decided order, or the next look at the deliveries."""
        self._stage("waiting for deliveries" if self.outstanding else "waiting for decisions")
        before = self._undecided()
        due = [moment for moment in (self.look_again_at, self.plan_again_at) if moment is not None]
        patience = max(min(due) - workflow.now(), timedelta(seconds=1)) if due else None
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self._due_to_plan() or self._undecided() != before,
                timeout=patience,
                timeout_summary="until the next look",
            )

    async def _continue_as_new_if_long(self) -> None:
        """While nothing but deliveries is waited for: questions and crossings are not carried over."""
        if not workflow.info().is_continue_as_new_suggested():
            return
        await workflow.wait_condition(workflow.all_handlers_finished)
        if not (self._undecided() or self.plan_again_at or self._due_to_plan()):
            carried = {"outstanding": self.outstanding, "ordered": self.ordered, "anew": False}
            workflow.continue_as_new(self.input.model_copy(update=carried))

    def _stage(self, stage: str) -> None:
        workflow.upsert_search_attributes([STAGE.value_set(stage)])


def _run_id() -> str:
    return workflow.info().workflow_id
