"""MCP servers on loopback, in the test's own loop: the SDK's server, behind a token, whose answers can get lost."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from mcp.server import Server
from mcp.server.mcpserver import MCPServer
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.mcp_servers import RemoteServer, ToolLimits
from connectors.mcp_session import session
from connectors.mcp_tools import McpTools
from domain.actions import CallTool
from domain.ports import Attempts
from memory.fakes.shelves import InMemoryAttempts
from tests.contract.outside_cases import Case, call, reply
from tests.contract.tool_program import tools

TOKEN = "let-the-till-in"
LIMITS = ToolLimits()


@dataclass
class Till:
    """``calls`` are those that arrived. The answers of the next ``lose`` calls never come; a served one can be exchanged."""

    url: str
    calls: list[tuple[str, ...]] = field(default_factory=list)
    lose: int = 0
    serving: ASGIApp | None = None

    def opened(self, attempts: Attempts, *, limits: ToolLimits = LIMITS, token: str = TOKEN) -> McpTools:
        def open_session() -> Any:
            return session(RemoteServer(url=self.url, token=token), name="till", limits=limits)

        return McpTools("till", open_session=open_session, attempts=attempts)


async def mapped(connector: McpTools, title: str = "one", *, tool: str = "open_ticket", **terms: Any) -> CallTool:
    """A call of a tool as it describes itself now."""
    (offered,) = (o for o in await connector.offered() if o.name == tool)
    return call(title, tool=tool, digest=offered.digest, **terms)


@asynccontextmanager
async def till(server: MCPServer[Any] | Server[Any] | None = None) -> AsyncIterator[Till]:
    """A till's tools, or ``server``, on a free port of 127.0.0.1."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        served = Till(url=f"http://127.0.0.1:{listening.getsockname()[1]}/mcp")
        inner = (server or tools(lambda *words: served.calls.append(words))).streamable_http_app()
        running = _Quiet(uvicorn.Config(_guarded(inner, served), log_level="critical", lifespan="on", ws="none"))
        task = asyncio.create_task(running.serve([listening]))
        try:
            while not running.started:
                assert not task.done(), task
                await asyncio.sleep(0.01)
            yield served
        finally:
            running.should_exit = running.force_exit = True
            await task


@asynccontextmanager
async def calling(_home: Path) -> AsyncIterator[Case]:
    """The contract's case."""
    async with till() as served:
        connector = served.opened(InMemoryAttempts())
        first, second = await mapped(connector), await mapped(connector, "two")
        impossible = first.model_copy(update={"arguments": {"title": 7}})

        async def count() -> int:
            return len(served.calls)

        yield Case(connector, first, second, impossible, reply(), count)


class _Quiet(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _guarded(inner: ASGIApp, served: Till) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await inner(scope, receive, send)
            return
        if dict(scope["headers"]).get(b"authorization") != f"Bearer {TOKEN}".encode():
            await send({"type": "http.response.start", "status": 401, "headers": []})
            await send({"type": "http.response.body"})
            return
        message = await receive()
        assert not message.get("more_body"), "the tests send little"
        lost = served.lose > 0 and b'"tools/call"' in message.get("body", b"")
        served.lose -= lost

        async def again() -> Any:
            nonlocal message
            given, message = message, {"type": "http.disconnect"}
            return given if given["type"] == "http.request" else await receive()

        async def nowhere(_message: Any) -> None:
            return

        await (served.serving or inner)(scope, again, nowhere if lost else send)
        if lost:
            raise ConnectionError("the answer is lost")

    return app
