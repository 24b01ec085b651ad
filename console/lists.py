"""Lists of the business: one way to search them, to narrow them and to go through their pages.

What is searched for comes as a form, so that an address that somebody types stands in no URL.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi.responses import HTMLResponse

from console.visit import Visit
from domain.errors import InvalidInput

PER_PAGE = 25
_MOST_PAGES = 10_000
TABS = (
    ("/business/stock", "Stock"),
    ("/business/purchase-orders", "Purchase orders"),
    ("/business/tickets", "Tickets"),
    ("/business/orders", "Orders"),
    ("/business/content", "Pages"),
)

Cells = tuple[Any, ...]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """``number`` is the page's, from 1."""

    text: str
    status: str
    number: int

    @property
    def offset(self) -> int:
        return (self.number - 1) * PER_PAGE


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What was found: ``rows`` as the table macro takes them, and how many there are on all pages."""

    rows: list[Cells]
    total: int


@dataclass(frozen=True, kw_only=True)
class List:
    """A tab: where it is, what its columns are, how it can be narrowed, and what finds its rows. ``kinds`` change it."""

    path: str
    name: str
    heads: tuple[str, ...]
    numeric: tuple[int, ...]
    statuses: Sequence[tuple[str, str]]
    hint: str
    kinds: tuple[str, ...]
    find: Callable[[Visit, Asked], Awaitable[Shown]]


async def show(visit: Visit, listed: List) -> HTMLResponse:
    asked = _asked(visit, listed)
    found = await listed.find(visit, asked)
    pages = max(-(-found.total // PER_PAGE), 1)
    return await visit.page("business_list.html", listed=listed, asked=asked, found=found, pages=pages, tabs=TABS)


def _asked(visit: Visit, listed: List) -> Asked:
    """Of the form where one was sent, else of the address. Raises InvalidInput."""
    query = visit.request.query_params
    status = visit.field("status", most=50) or query.get("status", "")
    if status not in ("", *(value for value, _ in listed.statuses)):
        raise InvalidInput(f"{listed.name} cannot be narrowed like that", hint="choose one of the list")
    return Asked(
        text=visit.field("q", most=200), status=status, number=_number(visit.field("page", most=10) or query.get("page", "1"))
    )


def _number(text: str) -> int:
    if not text.isdecimal() or not text.isascii() or not 1 <= int(text) <= _MOST_PAGES:
        raise InvalidInput("there is no such page of the list", hint="go back to its first page")
    return int(text)
