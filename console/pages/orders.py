"""Customers' orders, with what was refunded and the tickets about them."""

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from console.lists import PER_PAGE, TABS, Asked, List, Shown, show
from console.places import place_of
from console.rendering import clock
from console.visit import Here, Visit
from domain.entities import Customer, Order, OrderStatus, Ticket
from domain.errors import NotFound
from domain.event import Event
from memory.views import EventFilter

router = APIRouter()


@dataclass(frozen=True, kw_only=True)
class Sale:
    order: Order
    customer: Customer | None
    tickets: list[Ticket]
    events: list[Event]


@router.get("/business/orders", response_class=HTMLResponse)
@router.post("/business/orders", response_class=HTMLResponse)
async def show_orders(visit: Here) -> HTMLResponse:
    return await show(visit, ORDERS)


@router.get("/business/orders/{order_id:path}", response_class=HTMLResponse)
async def show_order(visit: Here, order_id: str) -> HTMLResponse:
    memory = visit.house.memory
    order = await memory.state.get(Order, order_id)
    if order is None:
        raise NotFound(f"there is no order {order_id}", hint="the list shows all of them")
    sale = Sale(
        order=order,
        customer=await memory.state.get(Customer, order.customer_id),
        tickets=await memory.views.page(Ticket, limit=10, order_id=order_id),
        events=await memory.views.events(EventFilter(stream=f"order/{order_id}"), limit=20),
    )
    return await visit.page("order.html", sale=sale, tabs=TABS)


async def _find(visit: Visit, asked: Asked) -> Shown:
    only = {"status": asked.status} if asked.status else {}
    found = await visit.house.memory.listings.find(Order, text=asked.text, limit=PER_PAGE, offset=asked.offset, **only)
    return Shown(rows=[_row(order, visit.zone) for order in found.rows], total=found.total)


def _row(order: Order, zone: str) -> tuple[object, ...]:
    return (
        (place_of(f"order/{order.order_id}"), order.order_id),
        order.ship_to.name,
        order.status,
        str(order.total),
        str(order.refunded) if order.refunds else "",
        clock(order.placed_at, zone),
        clock(order.shipped_at, zone),
        clock(order.delivered_at, zone),
    )


ORDERS = List(
    path="/business/orders",
    name="Orders",
    heads=("Order", "Customer", "State", "Total", "Refunded", "Placed", "Shipped", "Delivered"),
    numeric=(3, 4),
    statuses=tuple((s.value, s.value) for s in OrderStatus),
    hint="number, address or article",
    kinds=("order",),
    find=_find,
)
