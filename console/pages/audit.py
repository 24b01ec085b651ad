"""Audit: the trail, as a page and as files; and the proof that nobody changed it."""

from collections.abc import AsyncIterator

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response, StreamingResponse

from console.audit import ALL, TOPICS, as_csv, as_json, entry, in_pieces
from console.happenings import Wanted, wanted
from console.proof import Proof
from console.visit import Here, Visit
from domain.errors import InvalidInput

router = APIRouter()
_PAGE = 50


@router.get("/audit", response_class=HTMLResponse)
async def show_audit(visit: Here) -> HTMLResponse:
    asked = _wanted(visit)
    found = await visit.house.memory.views.events(asked.filter, limit=_PAGE + 1)
    shown = found[:_PAGE]
    return await visit.page(
        "audit.html",
        asked=asked,
        entries=[entry(event) for event in shown],
        older=asked.older(shown[-1]) if len(found) > _PAGE else "",
        topics=list(TOPICS),
        proof=_proof(visit).standing,
        anchor=await visit.house.memory.anchors.last(),
    )


@router.get("/audit/export.csv")
async def export_csv(visit: Here) -> StreamingResponse:
    return _file(visit, as_csv(visit.house.memory.views.all_events(_wanted(visit).filter)), "csv", "text/csv")


@router.get("/audit/export.json")
async def export_json(visit: Here) -> StreamingResponse:
    return _file(visit, as_json(visit.house.memory.views.all_events(_wanted(visit).filter)), "json", "application/json")


@router.post("/audit/verify")
async def verify(visit: Here) -> Response:
    """It goes on beside the page, which says how far it is."""
    _proof(visit).start()
    return await visit.see("/audit/verify")


@router.get("/audit/verify", response_class=HTMLResponse)
async def show_proof(visit: Here) -> HTMLResponse:
    return await visit.page("proof.html", proof=_proof(visit).standing, anchor=await visit.house.memory.anchors.last())


def _wanted(visit: Visit) -> Wanted:
    """``topic`` is a heading of the trail; without one it is all of them, and ``everything`` is the whole log."""
    query = visit.request.query_params
    topic = query.get("topic", "")
    if topic not in ("", "everything", *TOPICS):
        raise InvalidInput(f"{topic[:40]!r} is no part of the trail", hint=f"one of {', '.join(TOPICS)}, everything")
    types = () if topic == "everything" else TOPICS.get(topic, ALL)
    return wanted(query, visit.zone, types=types, also=("topic",))


def _proof(visit: Visit) -> Proof:
    proof: Proof = visit.request.app.state.proof
    return proof


def _file(visit: Visit, lines: AsyncIterator[str], ending: str, kind: str) -> StreamingResponse:
    name = f"steward-audit-{visit.now:%Y-%m-%d}.{ending}"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(in_pieces(lines), media_type=f"{kind}; charset=utf-8", headers=headers)
