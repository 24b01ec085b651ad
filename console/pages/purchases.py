"""Purchase orders: what is under way, what is late, and that something has arrived."""

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from activities.receiving import receiving, waiting
from console.lists import PER_PAGE, TABS, Asked, List, Shown, show
from console.places import place_of
from console.recording import record
from console.rendering import day
from console.visit import Here, Visit
from domain.connections import Connection
from domain.deliveries import days_late, restock_run, untold
from domain.entities import PurchaseOrder, PurchaseOrderStatus, Supplier
from domain.errors import NotFound
from domain.event import Event
from domain.model import Moment
from domain.policies import OPERATOR
from domain.runs import Run
from memory.views import EventFilter

router = APIRouter()
_UNDER_WAY = (PurchaseOrderStatus.SENT, PurchaseOrderStatus.LATE)


@dataclass(frozen=True, kw_only=True)
class Purchase:
    """One order in full. ``run`` is the run that placed it; ``days_late`` up to its arrival, or up to now.

    ``restock`` is the run that tells a connected shop what came; None where none has to be told. ``untold`` says when
    the shop hears of what arrives in its present mode, where that is not at once. ``waits`` are the units by SKU that came
    and that it was not told of.
    """

    order: PurchaseOrder
    supplier: Supplier | None
    days_late: int
    run: str
    restock: Run | None
    untold: str
    waits: dict[str, int]
    events: list[Event]

    @property
    def under_way(self) -> bool:
        return self.order.status in _UNDER_WAY

    @property
    def can_be_proposed_again(self) -> bool:
        """Not while a run is at it, or before the shop is live."""
        return bool(self.waits) and not self.untold and self.restock is not None and self.restock.status != "running"


@router.get("/business/purchase-orders", response_class=HTMLResponse)
@router.post("/business/purchase-orders", response_class=HTMLResponse)
async def show_purchases(visit: Here) -> HTMLResponse:
    return await show(visit, PURCHASES)


@router.get("/business/purchase-orders/{order_id}", response_class=HTMLResponse)
async def show_purchase(visit: Here, order_id: str) -> HTMLResponse:
    memory, order = visit.house.memory, await _order(visit, order_id)
    events = await memory.views.events(EventFilter(stream=f"purchase-order/{order_id}"), limit=20)
    purchase = Purchase(
        order=order,
        supplier=await memory.state.get(Supplier, order.supplier_id),
        days_late=days_late(order, now=visit.now),
        run=next((e.correlation_id for e in reversed(events) if e.correlation_id), ""),
        restock=await memory.state.get(Run, restock_run(order_id)),
        untold=untold(await memory.state.find(Connection)),
        waits=await waiting(order, memory.state),
        events=events,
    )
    return await visit.page("purchase_order.html", purchase=purchase, tabs=TABS)


@router.post("/business/purchase-orders/{order_id}/received")
async def received(visit: Here, order_id: str) -> Response:
    """It has arrived: its units go on the shelf. Said again, what waits is proposed again. Raises InvalidInput."""
    state = visit.house.memory.state
    version = await state.version(PurchaseOrder, order_id)
    came = await receiving(await _order(visit, order_id), by=OPERATOR, at=visit.now, state=state)
    await record(visit, *came.events, expected={f"purchase-order/{order_id}": version})
    what = f"{sum(came.units.values())} units {'wait' if came.again else 'are on the shelf'}"
    proposed = f"; to put them on sale in {came.shop.name} is proposed{' again' if came.again else ''}" if came.shop else ""
    return await visit.see(place_of(f"purchase-order/{order_id}"), say=f"{what}{proposed}")


async def _order(visit: Visit, order_id: str) -> PurchaseOrder:
    order = await visit.house.memory.state.get(PurchaseOrder, order_id)
    if order is None:
        raise NotFound(f"there is no purchase order {order_id}", hint="the list shows all of them")
    return order


async def _find(visit: Visit, asked: Asked) -> Shown:
    only = {"status": asked.status} if asked.status else {}
    found = await visit.house.memory.listings.find(PurchaseOrder, text=asked.text, limit=PER_PAGE, offset=asked.offset, **only)
    return Shown(rows=[_row(order, visit.now, visit.zone) for order in found.rows], total=found.total)


def _row(order: PurchaseOrder, now: Moment, zone: str) -> tuple[object, ...]:
    late = days_late(order, now=now)
    return (
        (place_of(f"purchase-order/{order.purchase_order_id}"), order.purchase_order_id),
        order.supplier_id,
        order.status,
        sum(line.units for line in order.lines),
        str(order.total),
        day(order.ordered_at, zone),
        day(order.expected_at, zone),
        day(order.received_at, zone) if order.received_at else "",
        f"{late} d" if late else "",
    )


PURCHASES = List(
    path="/business/purchase-orders",
    name="Purchase orders",
    heads=("Order", "Supplier", "State", "Units", "Total", "Ordered", "Expected", "Arrived", "Late"),
    numeric=(3, 4, 8),
    statuses=tuple((s.value, s.value) for s in PurchaseOrderStatus),
    hint="number, supplier or SKU",
    kinds=("purchase-order",),
    find=_find,
)
