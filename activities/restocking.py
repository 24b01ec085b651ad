"""Steps of telling a connected shop what came in with a purchase order."""

from collections.abc import Awaitable, Callable

from temporalio import activity

from domain.connections import Connection, ConnectionMode
from domain.decisions import Planned
from domain.deliveries import Arrival, arrivals, restock_run, restocking, shop_to_tell, unlisted_units
from domain.entities import Product, PurchaseOrder, PurchaseOrderStatus, Stock
from domain.errors import NotCounted, Permanent
from domain.event import new_event
from domain.events import ListingGivenUp
from domain.model import Moment, Name, Value
from domain.ports import EventLog, State
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
    """``planned`` is None where the shop cannot be told, for the reason ``why``; ``uncounted`` where it counts none of the SKU."""

    planned: Planned | None = None
    why: str = ""
    uncounted: bool = False


class GiveUpInput(Value):
    """``why`` the shop is not told of the ``arrival``: somebody said no, or it counts none, which is ``uncounted``."""

    run_id: Name
    arrival: Arrival
    why: str
    uncounted: bool = False
    now: Moment


class RestockActivities:
    """``units`` is what the shop says of a SKU now; it raises NotCounted, Permanent and Retryable."""

    def __init__(self, *, log: EventLog, state: State, units: Callable[[str], Awaitable[int]]) -> None:
        self._log = log
        self._state = state
        self._units = units

    @activity.defn
    async def find_arrivals(self, request: ArrivedInput) -> Arrived:
        """What came with an order and a connected shop does not know of.

        What a run was at before is told again only where the shop is live by now, and only what still waits for it.
        """
        order = await self._state.get(PurchaseOrder, request.purchase_order_id)
        if order is None or order.status is not PurchaseOrderStatus.RECEIVED:
            return Arrived(why="it has not arrived")
        shop = shop_to_tell(await self._state.find(Connection))
        if shop is None:
            return Arrived(why="no shop is connected that counts its own stock")
        found = [await self._known(arrival) for arrival in arrivals(order)]
        if await self._state.get(Run, restock_run(order.purchase_order_id)) is not None:
            found = [await self._left(arrival) for arrival in found if shop.mode is ConnectionMode.LIVE]
        waiting = tuple(arrival for arrival in found if arrival.units)
        return Arrived(arrivals=waiting, why="" if waiting else "it was told before")

    @activity.defn
    async def plan_restock(self, request: RestockInput) -> Restocking:
        """From the shop's own figure as it is now. Raises Retryable."""
        arrival = request.arrival
        try:
            there = await self._units(arrival.sku)
            return Restocking(planned=restocking(arrival, there=there, seen=request.seen))
        except NotCounted as error:
            return Restocking(why=str(error), uncounted=True)
        except Permanent as error:
            return Restocking(why=str(error))

    @activity.defn
    async def give_up(self, request: GiveUpInput) -> None:
        """Nothing waits any more for the shop to be told of them; safe to repeat."""
        arrival = request.arrival
        if not unlisted_units(await self._state.get(Stock, arrival.sku), arrival.purchase_order_id):
            return
        data = ListingGivenUp(
            sku=arrival.sku, purchase_order_id=arrival.purchase_order_id, why=request.why, counted=not request.uncounted
        )
        key = (arrival.sku, arrival.purchase_order_id)
        await self._log.append([new_event(data, at=request.now, key=key, correlation_id=request.run_id)])

    async def _known(self, arrival: Arrival) -> Arrival:
        """With what was here once they had come, and the product's title where the order's line has none.

        The shop's own figure does not have them in it, unless it was somebody's hand that put them there.
        """
        stock = await self._state.get(Stock, arrival.sku)
        product = await self._state.get(Product, arrival.sku) if arrival.title == arrival.sku else None
        here = stock.on_hand + unlisted_units(stock, arrival.purchase_order_id) if stock else None
        return arrival.model_copy(update={"on_hand": here, "title": product.title if product else arrival.title})

    async def _left(self, arrival: Arrival) -> Arrival:
        """With the units that still wait, which may be none."""
        units = unlisted_units(await self._state.get(Stock, arrival.sku), arrival.purchase_order_id)
        return arrival.model_copy(update={"units": units, "again": True})
