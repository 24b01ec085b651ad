"""One contract for the lists of the console: the fake and Postgres find the same, in the same order."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

import memory
from domain.entities import Order, PurchaseOrder, Ticket
from domain.event import EventData, new_event
from domain.events import (
    MessageReceived,
    OrderPlaced,
    ProductListed,
    ReorderPointSet,
    SaleRecorded,
    StockCounted,
    StockOrdered,
    StockReceived,
)
from models.embedding import HashingEmbedder
from tests.unit.domain.happenings import NOW, message, order, product

TODAY = NOW.date()


@pytest.fixture(params=["in-memory", "postgres"])
def urls(request: pytest.FixtureRequest) -> dict[str, str] | None:
    """The addresses of the servers, started only for the tests that use them."""
    if request.param == "in-memory":
        return None
    return {name: request.getfixturevalue(name) for name in ("database_url", "chroma_url")}


@pytest.fixture
async def kept(urls: dict[str, str] | None) -> AsyncIterator[memory.Memory]:
    """Memory of either kind, empty."""
    if urls is None:
        yield memory.in_memory(embedder=HashingEmbedder())
        return
    async with memory.open_memory(
        database_url=urls["database_url"], chroma_url=urls["chroma_url"], embedder=HashingEmbedder()
    ) as opened:
        yield opened


async def happens(kept: memory.Memory, *events: EventData) -> None:
    for event in events:
        number = (await kept.log.head()).seq
        await kept.log.append([new_event(event, at=NOW, key=(str(number),))])


async def test_a_list_comes_in_pages_newest_first(kept: memory.Memory) -> None:
    """With the number of all."""
    await happens(kept, *(OrderPlaced(order=order(str(number))) for number in (1001, 1002, 1003)))
    first, rest = await kept.listings.find(Order, limit=2), await kept.listings.find(Order, limit=2, offset=2)
    assert ([o.order_id for o in first.rows], first.total) == (["1003", "1002"], 3)
    assert ([o.order_id for o in rest.rows], rest.total) == (["1001"], 3)
    assert (await kept.listings.find(PurchaseOrder, limit=2)).total == 0


@pytest.mark.parametrize(("text", "found"), [("BOX", 1), ("ada@", 2), ("1_0", 0), ("100%", 1), ("zzz", 0), ("", 2), ("\\", 0)])
async def test_a_text_is_looked_for_as_it_is_typed(kept: memory.Memory, text: str, found: int) -> None:
    """In any case, anywhere; signs that mean something to the database are signs."""
    for ticket, subject in (("t1", "A box"), ("t2", "100% cotton?")):
        await happens(kept, MessageReceived(ticket_id=ticket, source="mail", subject=subject, message=message(ticket, "Hello")))
    assert (await kept.listings.find(Ticket, text=text, limit=10)).total == found


async def test_what_lies_in_the_lines_is_found(kept: memory.Memory) -> None:
    """And a field that has to have a value narrows it."""
    await happens(kept, OrderPlaced(order=order("1001")))
    assert (await kept.listings.find(Order, text="the mug", limit=10, status="paid")).total == 1
    assert (await kept.listings.find(Order, text="the mug", limit=10, status="shipped")).total == 0


async def test_stock_that_is_short_comes_first(kept: memory.Memory) -> None:
    """Under its reorder point, then by how long it lasts, then what nobody buys; what is not on sale is left out."""
    for sku, on_hand in (("SLOW", 50), ("FAST", 50), ("LOW", 4), ("DUST", 9), ("GONE", 0)):
        await happens(kept, ProductListed(product=product(sku)), StockCounted(sku=sku, on_hand=on_hand))
    day = TODAY - timedelta(days=1)
    await happens(kept, SaleRecorded(sku="SLOW", units=2, day=day), SaleRecorded(sku="FAST", units=20, day=day))
    await happens(kept, ReorderPointSet(sku="LOW", reorder_point=5, supplier_id="acme"))
    await happens(kept, ProductListed(product=product("OFF").model_copy(update={"active": False})))
    found = await kept.listings.stock(now=TODAY, limit=10)
    assert [line.product.sku for line in found.rows] == ["LOW", "FAST", "SLOW", "DUST", "GONE"]
    assert [line.cover_days for line in found.rows][1:4] == [pytest.approx(30 / 20 * 56), pytest.approx(48 / 2 * 56), None]
    assert [line.product.sku for line in (await kept.listings.stock(now=TODAY, low=True, limit=10)).rows] == ["LOW", "GONE"]


async def test_what_is_on_order_counts_for_the_reorder_point(kept: memory.Memory) -> None:
    """A SKU without a shelf is one without units, and is found by its name."""
    await happens(kept, ProductListed(product=product("MUG")), ProductListed(product=product("LAMP")))
    await happens(kept, StockCounted(sku="MUG", on_hand=2), ReorderPointSet(sku="MUG", reorder_point=5, supplier_id="acme"))
    await happens(kept, StockOrdered(sku="MUG", units=10, purchase_order_id="po1"))
    assert [line.product.sku for line in (await kept.listings.stock(now=TODAY, low=True, limit=10)).rows] == ["LAMP"]
    found = await kept.listings.stock(now=TODAY, text="the mug", limit=1)
    assert ([line.stock.on_order for line in found.rows], found.total) == ([10], 1)


async def test_what_is_not_on_sale_yet_counts_for_the_reorder_point(kept: memory.Memory) -> None:
    """And for how long it lasts; but what nobody can buy is looked at all the same."""
    for sku, on_hand in (("MUG", 2), ("LAMP", 0)):
        point = ReorderPointSet(sku=sku, reorder_point=5, supplier_id="acme")
        came = StockReceived(sku=sku, units=10, purchase_order_id="po1", on_sale=False)
        sale = SaleRecorded(sku=sku, units=4, day=TODAY - timedelta(days=1), moves_stock=False)
        await happens(kept, ProductListed(product=product(sku)), StockCounted(sku=sku, on_hand=on_hand), point, came, sale)
    found = await kept.listings.stock(now=TODAY, limit=10)
    assert [(line.product.sku, line.cover_days) for line in found.rows] == [("LAMP", 10 / 4 * 56), ("MUG", 12 / 4 * 56)]
    assert [line.product.sku for line in (await kept.listings.stock(now=TODAY, low=True, limit=10)).rows] == ["LAMP"]


async def test_the_pace_is_that_of_the_last_days_with_sales(kept: memory.Memory) -> None:
    """Where nothing was sold for long, as after an import of an old history."""
    long_ago = TODAY - timedelta(days=400)
    await happens(kept, ProductListed(product=product("MUG")), SaleRecorded(sku="MUG", units=28, day=long_ago))
    await happens(kept, SaleRecorded(sku="MUG", units=9, day=long_ago - timedelta(days=56)))
    (line,) = (await kept.listings.stock(now=TODAY, limit=10)).rows
    assert (line.sold, line.daily) == (28, 0.5)
