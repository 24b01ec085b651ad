"""Controls: the operator's switches. What lowers a guard wants the password once more; stopping never does."""

from collections.abc import Awaitable, Callable
from functools import wraps

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from activities.breakers import reset
from console.controls import guarding
from console.recording import record
from console.statuses import status_of
from console.visit import Here, Visit
from domain.bypasses import BypassClosed
from domain.decisions import Mode
from domain.errors import AccessError, InvalidInput, NotFound, StewardError
from domain.policies import OPERATOR
from domain.runs import ModeSet
from domain.switches import bypass_of, checked_mode, checked_scope, kill_switch_set
from domain.wording import parse_duration
from workflows.timetable import Change, change

router = APIRouter()
_SPANS = ("30m", "1h", "2h", "4h", "8h", "24h")


_ANSWERED = (AccessError, InvalidInput, NotFound)
"""What a form can be refused with: then it comes back with its words."""


def _with_its_form(handler: Callable[[Visit], Awaitable[Response]]) -> Callable[[Visit], Awaitable[Response]]:
    """What is refused comes back as the page, with the line beside the form and what was chosen and typed."""

    @wraps(handler)
    async def answered(visit: Visit) -> Response:
        try:
            return await handler(visit)
        except _ANSWERED as error:
            return await _shown(visit, error)

    return answered


@router.get("/controls", response_class=HTMLResponse)
async def show_controls(visit: Here) -> HTMLResponse:
    return await _shown(visit)


async def _shown(visit: Visit, error: StewardError | None = None) -> HTMLResponse:
    sent = {name: value for name, value in visit.form.items() if isinstance(value, str) and name != "password"}
    status = status_of(error) if error else 200
    found = await guarding(visit.house, visit.controls, now=visit.now)
    return await visit.page("controls.html", status=status, found=found, modes=list(Mode), spans=_SPANS, error=error, sent=sent)


@router.post("/controls/kill")
@_with_its_form
async def kill(visit: Here) -> Response:
    """On at once; off only with the password."""
    on = visit.field("on") == "yes"
    if not on:
        visit = await visit.prove()
    await record(visit, kill_switch_set(visit.controls, on=on, reason=visit.field("reason", most=500), by=OPERATOR))
    return await visit.see("/controls", say="Nothing new happens outside" if on else "Effects happen again")


@router.post("/controls/mode")
@_with_its_form
async def set_mode(visit: Here) -> Response:
    scope, word = checked_scope(visit.field("scope")), visit.field("mode")
    if word not in list(Mode):
        raise InvalidInput(f"{word[:40]!r} is no mode", hint=f"one of {', '.join(Mode)}")
    mode = checked_mode(scope, Mode(word))
    if mode is Mode.AUTO and visit.controls.mode_of(*_parts(scope)) is not Mode.AUTO:
        visit = await visit.prove()
    await record(visit, ModeSet(scope=scope, mode=mode, by=OPERATOR))
    return await visit.see("/controls", say=f"The mode of {scope} is {word}")


@router.post("/controls/bypass")
@_with_its_form
async def open_bypass(visit: Here) -> Response:
    opened = bypass_of(visit.field("scope"), parse_duration(visit.field("for")), visit.field("reason"), by=OPERATOR, at=visit.now)
    visit = await visit.prove()
    await record(visit, opened)
    return await visit.see("/controls", say=f"{opened.scope} is not asked for {visit.field('for')}")


@router.post("/controls/bypass/close")
@_with_its_form
async def close_bypass(visit: Here) -> Response:
    scope = checked_scope(visit.field("scope"))
    await record(visit, BypassClosed(scope=scope, by=OPERATOR))
    return await visit.see("/controls", say=f"{scope} is asked again")


@router.post("/controls/breaker")
@_with_its_form
async def reset_breaker(visit: Here) -> Response:
    """What failed is mended: effects go through again at once."""
    kept = visit.house.memory
    connector, kind = visit.field("connector"), visit.field("action")
    visit = await visit.prove()
    await reset(kept.log, kept.guards, connector, kind, by=OPERATOR, at=visit.now)
    return await visit.see("/controls", say=f"The breaker of {connector} for {kind} is closed")


@router.post("/controls/schedule")
@_with_its_form
async def change_schedule(visit: Here) -> Response:
    schedule_id, word = visit.field("schedule"), visit.field("change")
    if word not in list(Change):
        raise InvalidInput(f"{word[:40]!r} is nothing that can be done with it", hint=f"one of {', '.join(Change)}")
    await change(visit.house.client, schedule_id, Change(word))
    said = {Change.PAUSE: "rests", Change.RESUME: "runs again", Change.TRIGGER: "was started now"}[Change(word)]
    return await visit.see("/controls", say=f"{schedule_id} {said}")


def _parts(scope: str) -> tuple[str, str]:
    workflow, _, kind = scope.partition("/")
    return workflow, kind
