"""Today: what needs the operator now, and how things stand."""

from contextlib import suppress

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from console.dashboard import today
from console.recording import record
from console.settling import settle, unsettled, waits_for_word
from console.visit import Here
from domain.errors import InvalidInput, NotFound, Stale
from domain.event import EventData
from domain.policies import OPERATOR
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
    if waits_for_word(alert):
        raise InvalidInput("a run waits for your word on this", hint="say whether it happened")
    if alert.open:
        await record(visit, AlertClosed(key=key, by=OPERATOR), expected={f"alert/{key}": version})
    return await visit.see("/", say=f"Dealt with: {alert.text}")


@router.post("/alerts/settle")
async def settle_alert(visit: Here) -> Response:
    """The operator looked: it happened, or it did not. The run that waits for this goes on."""
    happened = {"yes": True, "no": False}.get(visit.field("happened", most=5))
    if happened is None:
        raise InvalidInput("this is neither yes nor no", hint="use the buttons of the page")
    found = await unsettled(visit.house.memory, visit.field("key", most=300))
    if found.needs_proof:
        visit = await visit.prove()

    async def closed(event: EventData, expected: dict[str, int]) -> None:
        with suppress(Stale):  # raised anew meanwhile: it stays open
            await record(visit, event, expected=expected)

    said = await settle(visit.house, found, happened=happened, by=OPERATOR, now=visit.now, record=closed)
    return await visit.see("/", say=said)
