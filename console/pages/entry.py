"""The way in and out: first start, log in, log out."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from console.entered import Entered
from console.house import House
from console.rendering import render
from console.visit import Here, client_of, cookie_name, house_of, inside, party_of
from domain.errors import StewardError

router = APIRouter()
_NOT_TYPED = ("csrf", "credential", "digest", "decision", "password", "old", "new", "again", "batch", "chosen")
_LONGEST = 30 * 24 * 3600  # seconds a browser keeps the cookie; the session itself may end sooner


@router.get("/login", response_class=HTMLResponse)
async def login_form(request: Request) -> Response:
    house = house_of(request)
    if await house.doorkeeper.needs_setup():
        return RedirectResponse("/setup", 303)
    return await shown("login.html", request)


@router.post("/login")
async def log_in(request: Request) -> Response:
    """No session exists yet, so that the guard's look at the origin is what keeps other sites out."""
    house, sent = house_of(request), await request.form(max_files=0, max_fields=10)
    try:
        entered = await house.doorkeeper.log_in(password=str(sent.get("password", "")), client=client_of(request))
    except StewardError as error:
        return await shown("login.html", request, error=error, status=403, following=str(sent.get("next", "")))
    return welcome(house, entered, inside(str(sent.get("next", "/"))))


@router.get("/setup", response_class=HTMLResponse)
async def setup_form(request: Request) -> Response:
    if not await house_of(request).doorkeeper.needs_setup():
        return RedirectResponse("/login", 303)
    return await shown("setup.html", request)


@router.post("/setup")
async def set_up(request: Request) -> Response:
    house, sent = house_of(request), await request.form(max_files=0, max_fields=10)
    password, again = str(sent.get("password", "")), str(sent.get("again", ""))
    try:
        if password != again:
            return await shown("setup.html", request, error="the two passwords differ", status=422)
        entered = await house.doorkeeper.set_up(code=str(sent.get("code", "")), password=password, client=client_of(request))
    except StewardError as error:
        return await shown("setup.html", request, error=error, status=422)
    return welcome(house, entered, "/")


@router.post("/logout")
async def log_out(visit: Here) -> Response:
    await visit.house.doorkeeper.log_out(visit.session)
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(cookie_name(visit.house), secure=visit.house.secure, httponly=True, samesite="lax")
    return answer


def welcome(house: House, entered: Entered, path: str) -> Response:
    answer = RedirectResponse(path, 303)
    answer.set_cookie(
        cookie_name(house), entered.cookie, max_age=_LONGEST, httponly=True, secure=house.secure, samesite="lax", path="/"
    )
    return answer


async def sent_without_session(request: Request) -> HTMLResponse:
    """The session was over when a form was sent: log in, with the text of it, so that nothing typed is lost."""
    sent = await request.form(max_files=0, max_fields=2_000)
    kept = [(name, text) for name, text in sent.multi_items() if name not in _NOT_TYPED and isinstance(text, str) and text]
    came_from = urlsplit(request.headers.get("referer", "")).path
    error = "You are not logged in any more, so this was not done"
    return await shown("login.html", request, error=error, status=401, following=came_from, kept=kept)


async def shown(
    template: str,
    request: Request,
    *,
    error: object = "",
    status: int = 200,
    following: str = "",
    kept: Sequence[tuple[str, str]] = (),
) -> HTMLResponse:
    """``following`` is where to go on; else it is said in the address."""
    following = inside(following or request.query_params.get("next", "/"))
    passkey = await house_of(request).doorkeeper.passkeys.fits(party_of(request))
    return HTMLResponse(render(template, {"error": str(error), "next": following, "kept": kept, "passkey": passkey}), status)
