"""Lists to look through: searched, counted and paged in the database."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Generic, Protocol, TypeVar

from domain.catalogue import KIND_OF
from domain.entities import Product, Stock
from domain.model import Value
from memory.database import Database, json_of
from memory.state import as_fields

E = TypeVar("E", bound=Value)
PACE_DAYS = 56
"""How many days of sales the pace of an article is taken from."""


@dataclass(frozen=True, kw_only=True)
class Listing(Generic[E]):
    """A page of what was asked for; ``total`` is how many there are on all pages."""

    rows: list[E]
    total: int


class StockLine(Value):
    """An article with its shelf, and the units of it that were sold in the last ``PACE_DAYS``."""

    product: Product
    stock: Stock
    sold: int

    @property
    def daily(self) -> float:
        return self.sold / PACE_DAYS

    @property
    def cover_days(self) -> float | None:
        """How long what is here and not promised lasts at that pace; None where nothing is sold."""
        return max(self.stock.here - self.stock.reserved, 0) / self.daily if self.sold else None


class Listings(Protocol):
    """Reads only. ``text`` is looked for in ids, names, addresses and lines, in any case; empty finds everything."""

    async def find(self, entity: type[E], *, text: str = "", limit: int, offset: int = 0, **equals: str) -> Listing[E]:
        """Those that changed last come first."""
        ...

    async def stock(self, *, now: date, text: str = "", low: bool = False, limit: int, offset: int = 0) -> Listing[StockLine]:
        """Articles on sale: what is at or under its reorder point first, then what lasts the shortest.

        ``low``: only those, and what is not on the shelf. The pace is that up to the last day with sales before ``now``.
        """
        ...


class PostgresListings:
    """See ``Listings``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, entity: type[E], *, text: str = "", limit: int, offset: int = 0, **equals: str) -> Listing[E]:
        wanted = {"kind": KIND_OF[entity], "fields": json_of(as_fields(entity, equals)), "pattern": _pattern(text)}
        rows = await self._database.rows("list_states", limit=limit, offset=offset, **wanted)
        counted = await self._database.row("count_listed", **wanted)
        return Listing(rows=[entity.model_validate(row["body"]) for row in rows], total=int(counted["n"]) if counted else 0)

    async def stock(self, *, now: date, text: str = "", low: bool = False, limit: int, offset: int = 0) -> Listing[StockLine]:
        last = await self._database.row("last_sale", until=now - timedelta(days=1))
        until = last["day"] if last and last["day"] else now
        rows = await self._database.rows(
            "list_stock", until=until, days=PACE_DAYS, pattern=_pattern(text), low=low, limit=limit, offset=offset
        )
        return Listing(
            rows=[_line(row["product"], row["stock"], row["sold"]) for row in rows], total=rows[0]["total"] if rows else 0
        )


def _line(product: object, stock: object, sold: int) -> StockLine:
    listed = Product.model_validate(product)
    return StockLine(product=listed, stock=Stock.model_validate(stock) if stock else Stock(sku=listed.sku), sold=int(sold))


def _pattern(text: str) -> str:
    """For ILIKE: the text as it was typed, anywhere."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%" if escaped else ""
