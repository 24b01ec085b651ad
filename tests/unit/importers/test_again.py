"""The same file again does nothing; a changed one counts, and says what stock it lowers."""

from datetime import UTC, datetime, timedelta

import pytest

import memory
from cli.importing import Changes, Origin, import_report, what_changes
from connectors.importers.again import content_of, file_key
from connectors.importers.catalog import CatalogOptions, read_catalog
from connectors.importers.report import ImportReport
from connectors.importers.table import TableOptions
from domain.entities import Stock
from domain.event import new_event
from domain.events import StockCounted
from models.embedding import HashingEmbedder

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
SOAP = b"sku,title,price,on_hand\nSOAP,Soap,4.00,10\n"
RECOUNTED = SOAP + b"BALM,Balm,6.00,3\n"


@pytest.fixture
def kept() -> memory.Memory:
    return memory.in_memory(embedder=HashingEmbedder())


def read(raw: bytes) -> tuple[ImportReport, Origin]:
    key = file_key("catalog", content_of(raw), table=TableOptions())
    return read_catalog(raw, table=TableOptions(), catalog=CatalogOptions(), at=NOW), Origin("catalog.csv", key)


async def imported(kept: memory.Memory, raw: bytes, *, at: datetime = NOW) -> Changes:
    report, origin = read(raw)
    return await import_report(report, origin=origin, log=kept.log, state=kept.state, at=at)


async def received(kept: memory.Memory, units: int) -> None:
    counted = StockCounted(sku="SOAP", on_hand=units, supplier_id="default-supplier")
    await kept.log.append([new_event(counted, at=NOW, key=("received",))])


async def on_hand(kept: memory.Memory) -> int:
    stock = await kept.state.get(Stock, "SOAP")
    assert stock is not None
    return stock.on_hand


async def test_the_same_file_again_leaves_a_delivery_on_the_shelf(kept: memory.Memory) -> None:
    """And says when it was imported."""
    await imported(kept, SOAP)
    await received(kept, 238)
    again = await imported(kept, SOAP, at=NOW + timedelta(days=1))
    assert (again.fresh, await on_hand(kept)) == ((), 238)
    assert again.before is not None
    assert (again.before.at, again.before.name) == (NOW, "catalog.csv")


async def test_a_changed_file_counts_and_says_what_stock_goes_down(kept: memory.Memory) -> None:
    """Before it is done, too."""
    await imported(kept, SOAP)
    await received(kept, 238)
    report, origin = read(RECOUNTED)
    assert (await what_changes(report, origin=origin, state=kept.state)).notes == ("1 stock level goes down: SOAP 238 → 10",)
    await imported(kept, RECOUNTED)
    assert await on_hand(kept) == 10


async def test_only_what_is_new_is_counted(kept: memory.Memory) -> None:
    """Of a file of which a part is known."""
    await imported(kept, SOAP)
    report, origin = read(RECOUNTED)
    changes = await what_changes(report, origin=origin, state=kept.state)
    assert [event.data.stream for event in changes.fresh] == ["product/BALM", "stock/BALM"]


def test_a_file_that_is_read_otherwise_is_another_file() -> None:
    """Another column, another currency, another kind."""
    plain = file_key("catalog", "c", table=TableOptions())
    others = [
        file_key("catalog", "c", table=TableOptions(mapping={"price": "sale"})),
        file_key("catalog", "c", table=TableOptions(currency="USD")),
        file_key("catalog", "c", table=TableOptions(), catalog=CatalogOptions(supplier="Potter")),
        file_key("sales", "c", table=TableOptions()),
    ]
    assert len({plain, *others}) == 5
