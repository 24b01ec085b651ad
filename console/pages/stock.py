"""The shelf: what there is of each article, how long it lasts, and what one of them will need."""

from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from agents.skills.reorder import per_day
from agents.stock_outlook import Outlook, StockOutlook
from console.charts import Chart, bars, cover
from console.lists import PER_PAGE, TABS, Asked, List, Shown, show
from console.places import place_of
from console.visit import Here, Visit
from domain.deliveries import not_on_sale
from domain.entities import Product, PurchaseOrder, PurchaseOrderStatus, Stock, Supplier
from domain.errors import NotFound
from domain.event import Event
from memory.listings import StockLine
from memory.memory import Memory
from memory.views import EventFilter

router = APIRouter()
_LOW = "low"


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """One article. ``why`` says where its reorder point comes from; ``coming`` are (order, units) that are under way."""

    product: Product
    stock: Stock
    supplier: Supplier | None
    outlook: Outlook | None
    why: str
    coming: list[tuple[PurchaseOrder, int]]
    events: list[Event]

    @property
    def cover_days(self) -> float | None:
        """By the forecast; None where nothing is asked for."""
        if self.outlook is None or self.outlook.daily <= 0:
            return None
        return max(self.stock.here - self.stock.reserved, 0) / self.outlook.daily

    @property
    def not_on_sale(self) -> str:
        return not_on_sale(self.stock)

    @property
    def charts(self) -> list[Chart]:
        return [_cover(self), _sold(self)] if self.outlook else []


@router.get("/business")
async def business(_visit: Here) -> Response:
    return RedirectResponse(TABS[0][0], 303)


@router.get("/business/stock", response_class=HTMLResponse)
@router.post("/business/stock", response_class=HTMLResponse)
async def show_stock(visit: Here) -> HTMLResponse:
    return await show(visit, STOCK)


@router.get("/business/stock/{sku:path}", response_class=HTMLResponse)
async def show_article(visit: Here, sku: str) -> HTMLResponse:
    return await visit.page("stock.html", shelf=await shelf(visit.house.memory, sku, now=visit.now), tabs=TABS)


async def shelf(memory: Memory, sku: str, *, now: datetime) -> Shelf:
    """Raises NotFound."""
    product = await memory.state.get(Product, sku)
    if product is None:
        raise NotFound(f"there is no article {sku}", hint="the list of the stock shows those on sale")
    set_last = await memory.views.events(EventFilter(stream=f"stock/{sku}", type="stock.reorder-point-set"), limit=1)
    return Shelf(
        product=product,
        stock=await memory.state.get(Stock, sku) or Stock(sku=sku),
        supplier=await memory.state.get(Supplier, product.supplier_id),
        outlook=await StockOutlook(state=memory.state, policies=memory.policies).of(product, now=now),
        why=str(set_last[0].data.get("why", "")) if set_last else "",
        coming=await _coming(memory, product),
        events=await memory.views.events(EventFilter(stream=f"stock/{sku}"), limit=15),
    )


async def _coming(memory: Memory, product: Product) -> list[tuple[PurchaseOrder, int]]:
    under_way = (PurchaseOrderStatus.SENT, PurchaseOrderStatus.LATE)
    orders = [o for s in under_way for o in await memory.state.find(PurchaseOrder, supplier_id=product.supplier_id, status=s)]
    units = [(order, sum(line.units for line in order.lines if line.sku == product.sku)) for order in orders]
    return sorted(((order, n) for order, n in units if n), key=lambda row: row[0].expected_at)


async def _find(visit: Visit, asked: Asked) -> Shown:
    found = await visit.house.memory.listings.stock(
        now=visit.now.date(), text=asked.text, low=asked.status == _LOW, limit=PER_PAGE, offset=asked.offset
    )
    return Shown(rows=[_row(line) for line in found.rows], total=found.total)


def _row(line: StockLine) -> tuple[object, ...]:
    stock, sku = line.stock, line.product.sku
    return (
        (place_of(f"stock/{sku}"), sku),
        line.product.title,
        _state(line),
        f"{stock.on_hand} + {stock.not_on_sale} not on sale" if stock.not_on_sale else stock.on_hand,
        stock.reserved,
        stock.on_order,
        "" if stock.reorder_point is None else stock.reorder_point,
        per_day(line.daily),
        "" if line.cover_days is None else f"{line.cover_days:.0f} d",
    )


def _state(line: StockLine) -> str:
    if line.stock.on_hand - line.stock.reserved <= 0:
        return "not on sale yet" if line.stock.not_on_sale else "out of stock"
    return "reorder" if line.stock.below_reorder_point else ""


STOCK = List(
    path="/business/stock",
    name="Stock",
    heads=("SKU", "Article", "State", "On hand", "Reserved", "On order", "Reorder point", "Sells", "Cover"),
    numeric=(3, 4, 5, 6, 7, 8),
    statuses=((_LOW, "to be reordered, or out of stock"),),
    hint="SKU, name or supplier",
    kinds=("stock", "product"),
    find=_find,
)


def _cover(shelf: Shelf) -> Chart:
    outlook = shelf.outlook
    assert outlook is not None
    return cover(
        "Demand from today on, and what is there for it",
        outlook.days,
        outlook.expected,
        outlook.high,
        there=float(shelf.stock.position),
        note=f"units in all; the band ends where demand stays with {outlook.service_level:.0%} certainty",
    )


def _sold(shelf: Shelf) -> Chart:
    outlook = shelf.outlook
    assert outlook is not None
    return bars("Units sold a week", outlook.weeks, words=lambda n: f"{n:.0f}", note=f"up to {outlook.until.isoformat()}")
