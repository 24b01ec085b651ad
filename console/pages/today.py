"""Today: what needs the operator now, and how things stand."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from activities.attending import look
from console.visit import Here

router = APIRouter()


@router.get("/", response_class=HTMLResponse)
async def today(visit: Here) -> HTMLResponse:
    memory = visit.house.memory
    attention = await look(memory.state, memory.policies, now=visit.now)
    return await visit.page("today.html", needs=attention.head, rest=len(attention.ranked) - len(attention.head))
