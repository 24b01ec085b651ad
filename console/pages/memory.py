"""Memory: search what is remembered, the facts of a subject with their history, and why they are believed."""

from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from console.places import place_of
from console.recording import record
from console.remembering import grounds, known, moment_of
from console.visit import Here
from domain.catalogue import split_stream
from domain.errors import InvalidInput
from domain.notes import note_taken
from domain.passage import Passage

router = APIRouter()
_NOTES = 20
_FOUND = 12


@router.get("/memory", response_class=HTMLResponse)
async def show_memory(visit: Here) -> HTMLResponse:
    notes = await visit.house.memory.views.page(Passage, limit=_NOTES)
    return await visit.page("memory.html", query="", about="", found=None, notes=notes, place=place_of)


@router.post("/memory/search", response_class=HTMLResponse)
async def search(visit: Here) -> HTMLResponse:
    """As a form that is sent, not as an address: what is looked for may be somebody's name."""
    query, about = visit.field("q", most=500), visit.field("about", most=300)
    if not query:
        raise InvalidInput("nothing is looked for", hint="type a few words")
    entities = [_stream(about)] if about else []
    found = await visit.house.memory.recall.search(query, entities=entities, limit=_FOUND, now=visit.now)
    notes = await visit.house.memory.views.page(Passage, limit=_NOTES)
    return await visit.page("memory.html", query=query, about=about, found=found, notes=notes, place=place_of)


@router.get("/memory/facts", response_class=HTMLResponse)
async def show_facts(visit: Here, subject: str = "", world: str = "", belief: str = "") -> HTMLResponse:
    found = await known(
        visit.house.memory,
        subject.strip(),
        world=moment_of(world, visit.zone),
        belief=moment_of(belief, visit.zone),
        now=visit.now,
    )
    return await visit.page("facts.html", found=found, world=world, belief=belief)


@router.get("/memory/why/{event_id}", response_class=HTMLResponse)
async def show_grounds(visit: Here, event_id: UUID, subject: str = "") -> HTMLResponse:
    return await visit.page("why.html", found=await grounds(visit.house.memory, event_id, subject), subject=subject)


@router.post("/memory/notes")
async def take_note(visit: Here) -> Response:
    """What no record says; later decisions find it."""
    about = visit.field("about", most=300)
    await record(visit, note_taken(visit.field("text", most=10_000), about=[_stream(about)] if about else [], at=visit.now))
    return await visit.see("/memory", say="Noted")


def _stream(text: str) -> str:
    split_stream(text)
    return text
