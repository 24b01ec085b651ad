"""The MCP server at ``/mcp``: streamable HTTP without sessions, behind the same tokens as the API."""

import asyncio
from typing import Any
from urllib.parse import urlsplit

from mcp.server.mcpserver import Context
from mcp.server.transport_security import TransportSecuritySettings
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from console.callers import Caller, NotKnown, caller_of
from console.guard import MOST_BYTES
from console.house import House
from console.mcp_server import StewardServer, create_mcp
from domain.approvals import Via

PATH = "/mcp"
_CALLER = "steward.caller"


class McpOverHttp:
    """An ASGI application for one path. Each request stands for itself, so that nothing is kept of who asked before."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._stopping = asyncio.Event()
        self._served: tuple[ASGIApp, asyncio.Future[None]] | None = None
        self._task: asyncio.Task[None] | None = None

    async def stop(self) -> None:
        self._stopping.set()
        if self._task:
            await self._task

    async def _opened(self) -> ASGIApp:
        """Made for the first who comes: to describe all tools takes a tenth of a second. Raises what keeps it from starting."""
        if self._served is None:
            server = create_mcp(_caller_in)
            # Names and origins are looked at here and by the guard, which know the console's own.
            app = server.streamable_http_app(
                streamable_http_path=PATH,
                json_response=True,
                stateless_http=True,
                max_request_body_size=MOST_BYTES,
                transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
            )
            self._served = app, asyncio.get_running_loop().create_future()
            # In a task of its own: what is begun in one task has to end there (anyio), and this one ends with its request.
            self._task = asyncio.create_task(self._live(server, self._served[1]), name="mcp")
        inner, started = self._served
        await asyncio.shield(started)
        return inner

    async def _live(self, server: StewardServer, started: "asyncio.Future[None]") -> None:
        try:
            async with server.session_manager.run():
                started.set_result(None)
                await self._stopping.wait()
        except Exception as error:
            if started.done():
                raise
            self._served = None  # the next one tries again
            started.set_exception(error)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if refusal := self._refusal(request):
            await refusal(scope, receive, send)
            return
        try:
            caller = await caller_of(self._house, request, Via.MCP)
        except NotKnown as error:
            answer = JSONResponse({"error": "invalid_token", "error_description": str(error)}, 401)
            answer.headers["www-authenticate"] = 'Bearer realm="steward", error="invalid_token"'
            await answer(scope, receive, send)
            return
        await (await self._opened())({**scope, _CALLER: caller}, receive, send)

    def _refusal(self, request: Request) -> JSONResponse | None:
        origin = request.headers.get("origin", "")
        if origin and urlsplit(origin).netloc not in self._house.hosts:
            return JSONResponse({"error": "this request comes from another site"}, 403)
        if request.method != "POST":
            return JSONResponse({"error": "only POST: there is no stream to open"}, 405, headers={"allow": "POST"})
        return None


def _caller_in(ctx: Context[Any, Any]) -> Caller:
    """Put there by ``McpOverHttp``; a request that did not pass it has none, and fails."""
    request = ctx.request_context.request
    assert isinstance(request, Request)
    caller: Caller = request.scope[_CALLER]
    return caller
