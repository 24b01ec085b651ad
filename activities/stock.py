"""Steps of replenishment."""

from datetime import timedelta

from temporalio import activity

from activities.exposing import Exposer
from activities.measuring import Measurer
from activities.steps import Deliveries, DeliveryInput, PlanStockInput, StockPlanned
from agents.stock_planner import StockPlan, StockPlanner
from domain.actions import PlacePurchaseOrder
from domain.approvals import Approval, ApprovalStatus
from domain.decisions import Planned
from domain.entities import PurchaseOrder, PurchaseOrderStatus
from domain.event import NewEvent, new_event
from domain.events import PurchaseOrderLate
from domain.model import Moment
from domain.policies import StockPolicy
from domain.ports import EventLog, Policies, State
from domain.runs import Alert, AlertLevel, AlertRaised
from domain.wording import counted


class StockActivities:
    def __init__(
        self, *, planner: StockPlanner, log: EventLog, state: State, policies: Policies, exposer: Exposer, measurer: Measurer
    ) -> None:
        self._planner = planner
        self._exposer = exposer
        self._measurer = measurer
        self._log = log
        self._state = state
        self._policies = policies

    @activity.defn
    async def plan_stock(self, request: PlanStockInput) -> StockPlanned:
        """Forecast and plan all SKUs in one step; store the new reorder points; skip what already waits for a decision."""
        if not request.suppliers:  # a supplier's run lasts for years: it goes by what is in force, not week by week
            await self._exposer.expose("stock", run_id=request.run_id, now=request.now)
        seen = (await self._log.head()).seq
        plans = [
            await self._planner.plan(run_id=request.run_id, now=request.now, supplier_id=supplier)
            for supplier in request.suppliers or ("",)
        ]
        await self._log.append([event for plan in plans for event in self._points(plan, request)])
        waiting = await self._waiting_suppliers(request.now) | set(request.deciding)
        orders = [_seen(order, seen) for plan in plans for order in plan.orders]
        notes = [note for plan in plans for note in plan.notes]
        notes += [f"{_supplier(o)}: an earlier order still waits for your decision" for o in orders if _supplier(o) in waiting]
        return StockPlanned(
            planned=tuple(o for o in orders if _supplier(o) not in waiting),
            postponed=any(_supplier(o) in request.deciding for o in orders),
            notes=tuple(notes[:50]),
        )

    @activity.defn
    async def check_deliveries(self, request: DeliveryInput) -> Deliveries:
        """Mark what is late, record what came, and say when to look again."""
        policy = (await self._policies.in_force(StockPolicy)).document
        grace = timedelta(days=policy.follow_up_late_after_days)
        still_open = []
        for order_id in request.purchase_order_ids:
            order = await self._state.get(PurchaseOrder, order_id)
            if order is None or order.status is PurchaseOrderStatus.CANCELLED:
                continue
            if order.status is PurchaseOrderStatus.RECEIVED:
                await self._lateness(order, request)
                continue
            if order.status is PurchaseOrderStatus.SENT and request.now >= order.expected_at + grace:
                await self._log.append(_late(order, request))
            still_open.append(order)
        due = [o.expected_at + grace for o in still_open if o.expected_at + grace > request.now]
        look_again = min(due, default=request.now + timedelta(days=1)) if still_open else None
        return Deliveries(open=tuple(o.purchase_order_id for o in still_open), look_again_at=look_again)

    async def _lateness(self, order: PurchaseOrder, request: DeliveryInput) -> None:
        """In days, as declared for an order's outcomes; negative where it came early."""
        days = ((order.received_at or request.now) - order.expected_at) / timedelta(days=1)
        await self._measurer.measured(
            run_id=request.run_id, metric="supplier-lateness", value=days, now=request.now, occurrence=order.purchase_order_id
        )

    def _points(self, plan: StockPlan, request: PlanStockInput) -> list[NewEvent]:
        return [
            new_event(
                point,
                at=request.now,
                key=(request.run_id, point.sku, request.now.isoformat()),
                actor="planner",
                correlation_id=request.run_id,
                policy_versions={"stock": plan.policy_version},
            )
            for point in plan.reorder_points
        ]

    async def _waiting_suppliers(self, now: Moment) -> set[str]:
        """Suppliers with an order that waits for a decision, whichever run asks."""
        approvals = [a for a in await self._state.find(Approval, status=ApprovalStatus.PENDING) if a.expires_at > now]
        asked = [a.proposal.action for a in approvals]
        return {action.purchase_order.supplier_id for action in asked if isinstance(action, PlacePurchaseOrder)}


def _seen(planned: Planned, seq: int) -> Planned:
    return planned.model_copy(update={"action": planned.action.model_copy(update={"planned_at_seq": seq})})


def _supplier(planned: Planned) -> str:
    return planned.action.purchase_order.supplier_id if isinstance(planned.action, PlacePurchaseOrder) else ""


def _late(order: PurchaseOrder, request: DeliveryInput) -> list[NewEvent]:
    days = (request.now - order.expected_at).days
    alert = Alert(
        key=f"late/{order.purchase_order_id}",
        level=AlertLevel.WARNING,
        text=f"purchase order {order.purchase_order_id} from {order.supplier_id} is {counted(days, 'day')} late",
        what_to_do="ask the supplier, or record the delivery when it comes",
        run_id=request.run_id,
        at=request.now,
    )
    key = (order.purchase_order_id,)
    return [
        new_event(
            PurchaseOrderLate(purchase_order_id=order.purchase_order_id), at=request.now, key=key, correlation_id=request.run_id
        ),
        new_event(AlertRaised(alert=alert), at=request.now, key=key, correlation_id=request.run_id),
    ]
