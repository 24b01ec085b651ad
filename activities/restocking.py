"""Steps of telling a connected shop what came in with a purchase order."""

from collections.abc import Awaitable, Callable

from temporalio import activity

from domain.connections import Connection
from domain.decisions import Planned
from domain.deliveries import Arrival, arrivals, restock_run, restocking, shop_to_tell
from domain.entities import Product, PurchaseOrder, PurchaseOrderStatus, Stock
from domain.errors import Permanent
from domain.model import Name, Value
from domain.ports import State
from domain.runs import Run


class ArrivedInput(Value):
    purchase_order_id: Name


class Arrived(Value):
    """What is to be told, or ``why`` nothing is."""

    arrivals: tuple[Arrival, ...] = ()
    why: str = ""


class RestockInput(Value):
    """``seen`` is the number that the shop had when this was planned before."""

    arrival: Arrival
    seen: int | None = None


class Restocking(Value):
    """``planned`` is None where the shop cannot be told, for the reason ``why``."""

    planned: Planned | None = None
    why: str = ""


class RestockActivities:
    """``units`` is what the shop says of a SKU now; it raises Permanent where it does not count it, and Retryable."""

    def __init__(self, *, state: State, units: Callable[[str], Awaitable[int]]) -> None:
        self._state = state
        self._units = units

    @activity.defn
    async def find_arrivals(self, request: ArrivedInput) -> Arrived:
        """What came with an order and a connected shop does not know of. A run that has begun once never begins again."""
        order = await self._state.get(PurchaseOrder, request.purchase_order_id)
        if order is None or order.status is not PurchaseOrderStatus.RECEIVED:
            return Arrived(why="it has not arrived")
        if shop_to_tell(await self._state.find(Connection)) is None:
            return Arrived(why="no shop is connected that counts its own stock")
        if await self._state.get(Run, restock_run(order.purchase_order_id)) is not None:
            return Arrived(why="it was told before")
        return Arrived(arrivals=tuple([await self._known(arrival) for arrival in arrivals(order)]))

    @activity.defn
    async def plan_restock(self, request: RestockInput) -> Restocking:
        """From the shop's own figure as it is now. Raises Retryable."""
        arrival = request.arrival
        try:
            there = await self._units(arrival.sku)
            return Restocking(planned=restocking(arrival, there=there, seen=request.seen))
        except Permanent as error:
            return Restocking(why=str(error))

    async def _known(self, arrival: Arrival) -> Arrival:
        """With what is here now, and the product's title where the order's line has none."""
        stock = await self._state.get(Stock, arrival.sku)
        product = await self._state.get(Product, arrival.sku) if arrival.title == arrival.sku else None
        update = {"on_hand": stock.on_hand if stock else None, "title": product.title if product else arrival.title}
        return arrival.model_copy(update=update)
