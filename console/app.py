"""The console as one ASGI application over a ``House``."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from console import hooks, live
from console.api.app import create_api
from console.guard import Guard, TooLarge
from console.hooks import Hooks
from console.house import House
from console.live import Feed
from console.mcp_http import PATH as MCP
from console.mcp_http import McpOverHttp
from console.pages import (
    access,
    audit,
    connectors,
    content,
    controls,
    entry,
    inbox,
    learning,
    link,
    memory,
    orders,
    passkeys,
    purchases,
    rules,
    runs,
    stock,
    tickets,
    timeline,
    today,
)
from console.proof import Proof
from console.rendering import render
from console.statuses import status_of
from console.visit import NotEntered, Visit
from domain.errors import StewardError

STATIC = Path(__file__).with_name("static")
PAGES: tuple[APIRouter, ...] = tuple(
    page.router
    for page in (
        today,
        inbox,
        runs,
        stock,
        purchases,
        tickets,
        orders,
        content,
        timeline,
        learning,
        rules,
        controls,
        access,
        passkeys,
        connectors,
        audit,
        memory,
    )
)
"""Every page behind the log-in, in the order of the menu."""


class Console(FastAPI):
    """The guard is around everything, the page for what nobody foresaw included."""

    def build_middleware_stack(self) -> ASGIApp:
        house: House = self.state.house
        return Guard(super().build_middleware_stack(), hosts=house.hosts)


def create_app(house: House) -> FastAPI:
    """Routes, guard and errors; the feed of live events lives as long as the application."""
    app = Console(title="Steward", docs_url=None, redoc_url=None, openapi_url=None, lifespan=_living)
    app.state.house = house
    app.state.feed = Feed(house.memory)
    app.state.hooks = Hooks(house)
    app.state.mcp = McpOverHttp(house)
    app.state.proof = Proof(house.memory.log, clock=house.clock)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.mount("/api/v1", create_api(house))
    app.router.add_route(MCP, app.state.mcp)
    app.add_api_route("/health", _health, methods=["GET"])
    for router in (entry.router, passkeys.door, link.router, live.router, hooks.router, *PAGES):
        app.include_router(router)
    app.add_exception_handler(NotEntered, _to_login)
    app.add_exception_handler(StewardError, _refused)
    app.add_exception_handler(TooLarge, _too_large)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unforeseen)
    return app


@asynccontextmanager
async def _living(app: FastAPI) -> AsyncIterator[None]:
    await app.state.feed.start()
    try:
        yield
    finally:
        await app.state.mcp.stop()
        await app.state.feed.stop()
        await app.state.proof.stop()


async def _health() -> JSONResponse:
    """With the process that answers, so that whoever started one can tell it from another's on the same port."""
    return JSONResponse({"ok": True, "pid": os.getpid()})


async def _to_login(request: Request, _error: Exception) -> Response:
    if request.headers.get("hx-request") == "true":
        return Response(status_code=401, headers={"HX-Redirect": "/login"})
    if _by_script(request):
        return _told(request, 401, "you are not logged in any more", "load the page again")
    if request.method != "GET":
        return await entry.sent_without_session(request)
    following = quote(request.scope["path"]) + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/login?next={quote(following)}", 303)


async def _refused(request: Request, error: Exception) -> Response:
    """What happened and what to do, as a page or, for a part of one, as its place for messages."""
    assert isinstance(error, StewardError)
    visit = getattr(request.state, "visit", None)
    if isinstance(visit, Visit) and not (visit.partial or _by_script(request)):
        told = {"message": error.message, "hint": error.hint, "layout": "base.html", "back": visit.came_from}
        return await visit.page("refused.html", status=status_of(error), **told)
    return _told(request, status_of(error), error.message, error.hint)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    hint = "the menu leads on" if error.status_code == 404 else ""
    return _told(request, error.status_code, "there is no such page" if error.status_code == 404 else str(error.detail), hint)


async def _malformed(request: Request, _error: Exception) -> Response:
    return _told(request, 422, "this address has something in it that means nothing here", "the menu leads on")


async def _unforeseen(request: Request, error: Exception) -> Response:
    """The log has the rest: it is written there after this answer."""
    return _told(request, 500, "this was not foreseen", f"{type(error).__name__}: `./steward logs console` says more")


async def _too_large(_request: Request, _error: Exception) -> Response:
    return PlainTextResponse("the request is too large\n", 413)


def _told(request: Request, status: int, message: str, hint: str) -> Response:
    if _by_script(request):
        return JSONResponse({"message": message, "hint": hint}, status)
    if request.headers.get("hx-request") == "true":
        answer = HTMLResponse(render("parts/refused.html", {"message": message, "hint": hint}), status)
        answer.headers["HX-Retarget"] = "#told"
        answer.headers["HX-Reswap"] = "innerHTML"
        answer.headers["HX-Reselect"] = ".refused"  # in place of what the part asked to have of its page
        return answer
    return HTMLResponse(render("refused.html", {"message": message, "hint": hint, "layout": "bare.html", "back": ""}), status)


def _by_script(request: Request) -> bool:
    """Whether a script of a page asks, which shows the words itself."""
    return request.headers.get("accept") == "application/json"
