"""What importing a file would change beside what it says: nothing where it was imported before, and stock that goes down."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict

from connectors.importers.catalog import CatalogOptions
from connectors.importers.table import TableOptions
from domain.connections import FileOutcome, TakenFile
from domain.entities import Stock
from domain.event import NewEvent
from domain.events import StockCounted
from domain.ids import digest
from domain.ports import State
from domain.wording import counted

_NAMED = 10  # articles that a note names


def file_key(
    kind: str,
    content: str,
    *,
    table: TableOptions,
    catalog: CatalogOptions | None = None,
    opening_stock_days: int = 0,
) -> str:
    """What a table is known by: its content, a SHA-256, and all that decides how it is read."""
    assumed = asdict(catalog or CatalogOptions()) if kind == "catalog" else {}
    return digest([kind, content, asdict(table), assumed, opening_stock_days])


def content_of(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


async def imported_before(state: State, *keys: str) -> TakenFile | None:
    """The file that was imported under one of ``keys``: a later count may stand by now, and it must not go back."""
    for key in keys:
        file = await state.get(TakenFile, key)
        if file is not None and file.outcome is FileOutcome.IMPORTED:
            return file
    return None


async def lowered(fresh: Sequence[NewEvent], state: State) -> tuple[str, ...]:
    """A note on the stock levels that these events set below what is known: units that came since may be missing in them."""
    counts = {e.data.sku: e.data.on_hand for e in fresh if isinstance(e.data, StockCounted)}
    if not counts:
        return ()
    known = {stock.sku: stock.on_hand for stock in await state.find(Stock)}
    down = [f"{sku} {known[sku]} → {units}" for sku, units in sorted(counts.items()) if units < known.get(sku, units)]
    if not down:
        return ()
    named = ", ".join([*down[:_NAMED], *(["…"] if len(down) > _NAMED else [])])
    return (f"{counted(len(down), 'stock level goes', 'stock levels go')} down: {named}",)
