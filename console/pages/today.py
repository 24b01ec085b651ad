"""Today: what needs the operator now, and how things stand."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from console.dashboard import today
from console.recording import record
from console.visit import OPERATOR, Here
from domain.errors import NotFound
from domain.runs import Alert, AlertClosed

router = APIRouter()


@router.get("/", response_class=HTMLResponse)
async def show_today(visit: Here) -> HTMLResponse:
    found = await today(visit.house.memory, now=visit.now, zone=visit.zone, controls=visit.controls)
    return await visit.page("today.html", today=found)


@router.post("/alerts/close")
async def close_alert(visit: Here) -> Response:
    """The operator has dealt with it. One that is closed already stays so."""
    key = visit.field("key", most=300)
    state = visit.house.memory.state
    alert, version = await state.get(Alert, key), await state.version(Alert, key)
    if alert is None:
        raise NotFound("there is no such alert", hint="the first page lists those that are open")
    if alert.open:
        await record(visit, AlertClosed(key=key, by=OPERATOR), expected={f"alert/{key}": version})
    return await visit.see("/", say=f"Dealt with: {alert.text}")
