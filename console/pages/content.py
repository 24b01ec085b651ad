"""The pages of the shop's site, and how often they are clicked."""

from collections.abc import Sequence
from datetime import date

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from console.charts import Chart, bars, line
from console.lists import PER_PAGE, TABS, Asked, List, Shown, show
from console.places import place_of
from console.rendering import day
from console.visit import Here, Visit
from domain.entities import ContentMetrics, ContentPiece, ContentStatus
from domain.errors import NotFound
from memory.views import EventFilter

router = APIRouter()
_RECENT = 28  # days with figures that a page is summed over
_CHARTED = 90


@router.get("/business/content", response_class=HTMLResponse)
@router.post("/business/content", response_class=HTMLResponse)
async def show_content(visit: Here) -> HTMLResponse:
    return await show(visit, CONTENT)


@router.get("/business/content/{slug}", response_class=HTMLResponse)
async def show_piece(visit: Here, slug: str) -> HTMLResponse:
    memory = visit.house.memory
    piece = await memory.state.get(ContentPiece, slug)
    if piece is None:
        raise NotFound(f"there is no page {slug}", hint="the list shows all of them")
    events = await memory.views.events(EventFilter(stream=f"content/{slug}"), limit=15)
    return await visit.page("content.html", piece=piece, charts=charts(piece.metrics), events=events, tabs=TABS)


def charts(metrics: Sequence[ContentMetrics]) -> list[Chart]:
    """Clicks for a hundred impressions, and the impressions, of the last days with figures."""
    recent = metrics[-_CHARTED:]
    if not recent:
        return []
    rates: list[tuple[date, float | None]] = [(m.day, m.clicks / m.impressions if m.impressions else None) for m in recent]
    return [
        line("Click-through rate", rates, words=rate, note="clicks of those who saw it in a search"),
        bars("Impressions a day", [(m.day, float(m.impressions)) for m in recent], words=lambda n: f"{n:,.0f}"),
    ]


def rate(share: float) -> str:
    return f"{share * 100:.1f} %"


async def _find(visit: Visit, asked: Asked) -> Shown:
    only = {"status": asked.status} if asked.status else {}
    found = await visit.house.memory.listings.find(ContentPiece, text=asked.text, limit=PER_PAGE, offset=asked.offset, **only)
    return Shown(rows=[_row(piece, visit.zone) for piece in found.rows], total=found.total)


def _row(piece: ContentPiece, zone: str) -> tuple[object, ...]:
    recent = piece.metrics[-_RECENT:]
    impressions, clicks = sum(m.impressions for m in recent), sum(m.clicks for m in recent)
    return (
        (place_of(f"content/{piece.slug}"), piece.title),
        piece.kind,
        piece.status,
        piece.revision,
        day(piece.published_at, zone) if piece.published_at else "",
        f"{impressions:,}",
        f"{clicks:,}",
        rate(clicks / impressions) if impressions else "",
    )


CONTENT = List(
    path="/business/content",
    name="Pages",
    heads=("Page", "Kind", "State", "Revision", "Published", "Impressions", "Clicks", "Rate"),
    numeric=(3, 5, 6, 7),
    statuses=tuple((s.value, s.value) for s in ContentStatus),
    hint="title, address or keyword",
    kinds=("content",),
    find=_find,
)
