"""The timeline: everything that ever happened, newest first, and what each event changed."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from console.diffs import changes
from console.happenings import line, wanted
from console.visit import Here
from domain.catalogue import ENTITY_TYPES, EVENT_TYPES
from domain.errors import NotFound

router = APIRouter()
_PAGE = 50


@router.get("/timeline", response_class=HTMLResponse)
async def show_timeline(visit: Here) -> HTMLResponse:
    asked = wanted(visit.request.query_params, visit.zone)
    found = await visit.house.memory.views.events(asked.filter, limit=_PAGE + 1)
    shown = found[:_PAGE]
    return await visit.page(
        "timeline.html",
        asked=asked,
        lines=[line(event) for event in shown],
        older=asked.older(shown[-1]) if len(found) > _PAGE else "",
        kinds=sorted(ENTITY_TYPES),
        types=sorted(EVENT_TYPES),
    )


@router.get("/timeline/{seq}", response_class=HTMLResponse)
async def show_event(visit: Here, seq: int) -> HTMLResponse:
    """Of an archived month too."""
    found = await visit.house.memory.log.read(after=seq - 1, limit=1) if 0 < seq < 2**62 else []
    if not found or found[0].seq != seq:
        raise NotFound(f"there is no event {seq}", hint="the timeline lists those that there are")
    (event,) = found
    return await visit.page("event.html", line=line(event), event=event, changes=changes(event.pre, event.post))
