"""One session with an MCP server: what its tools are, and one call. Errors have one meaning each.

phase               listing                         calling
not reached         Retryable                       Retryable: nothing was sent
401, 403            Permanent                       Permanent
429                 Retryable                       Retryable
error of protocol   Permanent where the request     Permanent where the request itself was wrong, else Unknown
                    itself was wrong, else Retryable
cut, slow, too      Retryable                       Unknown: it may have happened
  large, nonsense
the tool says no    -                               Permanent

A server may answer whatever it likes, as much and as slowly: what is kept is bounded and clean, and never more than data.
Sources: MCP specification 2026-07-28, transports and tools; the SDK ``mcp`` 2 (its client).
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Any, TextIO, cast

import httpx2
from mcp import Client, MCPError
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    CallToolRequest,
    CallToolRequestParams,
    CallToolResult,
    Implementation,
    PaginatedRequestParams,
    TextContent,
)
from mcp_types import Tool as ToolOnTheWire
from pydantic import JsonValue, ValidationError

from connectors.mcp_servers import LocalServer, RemoteServer, ToolLimits
from connectors.offered_tools import OfferedTool
from domain.errors import EffectError, Permanent, Retryable, Unknown
from domain.ids import canonical_json
from domain.tools import ToolAnswer

KEY = "steward/effect-key"
"""In the request's ``_meta``: which effect a call is. A server that knows it can refuse to do the same twice."""

_WRONG_REQUEST = (INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND)
_TEXT_KEPT = 4_000  # characters
_RESULT_KEPT = 20_000  # characters of JSON
_AGAIN = "it is tried again by itself"
_LOOK = "it may have happened all the same: look before it is repeated"


class ToolSession:
    """Open, until its context ends. ``calling`` is whether anything was asked of it that may have an effect."""

    def __init__(self, client: Client, *, name: str, limits: ToolLimits) -> None:
        self.calling = False
        self._client = client
        self._name = name
        self._limits = limits

    @property
    def server(self) -> str:
        """What the server calls itself."""
        info = self._client.session.server_info
        return _clean(f"{info.name} {info.version}".strip())[:80] if info else "a server without a name"

    async def tools(self) -> tuple[OfferedTool, ...]:
        """All it offers, in its order. Raises Permanent where that has no end."""
        found: list[OfferedTool] = []
        cursor: str | None = None
        with _told_as(self.meaning):
            while True:
                page = await self._client.session.list_tools(params=PaginatedRequestParams(cursor=cursor) if cursor else None)
                found += [_offered(tool) for tool in page.tools]
                if len(found) > self._limits.tools:
                    raise Permanent(f"{self._name} lists more than {self._limits.tools:,} tools", hint="it cannot mean that")
                if not page.next_cursor or page.next_cursor == cursor:
                    return tuple(found)
                cursor = page.next_cursor

    async def call(self, tool: str, arguments: Mapping[str, JsonValue], *, key: str) -> ToolAnswer:
        """Raises Permanent where the tool says that it failed, and as the table says."""
        request = CallToolRequest(params=CallToolRequestParams(name=tool, arguments=dict(arguments), _meta=cast("Any", {KEY: key})))
        self.calling = True
        seconds = self._limits.calling_seconds
        with _told_as(self.meaning):
            async with asyncio.timeout(seconds):
                result = await self._client.session.send_request(request, CallToolResult, request_read_timeout_seconds=seconds)
        answer = _answer(result)
        if result.is_error:
            hint = "look what it did before you propose it again"
            raise Permanent(f"{tool} of {self._name} says that it failed: {answer.text[:200]!r}", hint=hint)
        return answer

    def meaning(self, error: BaseException) -> EffectError:
        return _meaning(error, self._name, calling=self.calling)


@asynccontextmanager
async def session(server: RemoteServer | LocalServer, *, name: str, limits: ToolLimits) -> AsyncIterator[ToolSession]:
    """A greeted server. What goes wrong when it is closed after all went well is of no matter."""
    opened: ToolSession | None = None
    over, trouble = False, None
    try:
        async with asyncio.timeout(limits.listing_seconds + limits.calling_seconds), _client(server, limits) as client:
            opened = ToolSession(client, name=name, limits=limits)
            try:
                yield opened
            except Exception as error:  # the body's own, which the task groups around it would wrap
                trouble = error
                raise
            over = True
    except _ALL as error:
        if over:
            return
        if trouble is not None:
            raise trouble from None
        calling = opened is not None and opened.calling
        raise _meaning(_first(error), name, calling=calling) from None


@asynccontextmanager
async def _client(server: RemoteServer | LocalServer, limits: ToolLimits) -> AsyncIterator[Client]:
    info = Implementation(name="Steward", version="1")
    async with (
        _transport(server, limits) as transport,
        Client(transport, client_info=info, cache=None, read_timeout_seconds=limits.listing_seconds) as client,
    ):
        yield client


@asynccontextmanager
async def _transport(server: RemoteServer | LocalServer, limits: ToolLimits) -> AsyncIterator[AbstractAsyncContextManager[Any]]:
    """What a local server writes to its error stream is nobody's: it may have secrets in it."""
    if isinstance(server, LocalServer):
        with _nowhere() as errlog:
            started = StdioServerParameters(command=server.command, args=list(server.args), env=dict(server.env))
            yield stdio_client(started, errlog=errlog)
        return
    headers = {"user-agent": "Steward", "accept-encoding": "identity"}
    headers |= {"authorization": f"Bearer {server.token}"} if server.token else {}
    timeout = httpx2.Timeout(limits.calling_seconds, connect=5.0)
    transport = _Careful(httpx2.AsyncHTTPTransport(), limits.max_bytes)
    async with httpx2.AsyncClient(headers=headers, timeout=timeout, transport=transport, trust_env=False) as http:
        yield streamable_http_client(server.url, http_client=http, max_sse_event_size=limits.max_bytes)


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 - the caller closes it


class _TurnedAway(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class _TooLarge(Exception):
    pass


class _Careful(httpx2.AsyncBaseTransport):
    """Tells what the SDK would swallow: that we are not let in, that we are too many, that an answer has no end."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, max_bytes: int) -> None:
        self._inner = inner
        self._max_bytes = max_bytes

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._inner.handle_async_request(request)
        if response.status_code in (401, 403, 429):
            await response.aclose()
            raise _TurnedAway(response.status_code)
        stream = cast("httpx2.AsyncByteStream", response.stream)
        response.stream = _Bounded(stream, self._max_bytes)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Bounded(httpx2.AsyncByteStream):
    def __init__(self, inner: httpx2.AsyncByteStream, max_bytes: int) -> None:
        self._inner = inner
        self._left = max_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._inner:
            self._left -= len(chunk)
            if self._left < 0:
                raise _TooLarge
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()


_ALL = (BaseExceptionGroup, Exception)


@contextmanager
def _told_as(meaning: Callable[[BaseException], EffectError]) -> Iterator[None]:
    try:
        yield
    except EffectError:
        raise
    except (BaseExceptionGroup, MCPError, httpx2.HTTPError, OSError, TimeoutError, ValueError, RuntimeError) as error:
        raise meaning(_first(error)) from None


def _first(error: BaseException) -> BaseException:
    """The first one of a group, ours before others. What is to end the program goes on as it is."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    leaves = [_first(inner) for inner in error.exceptions]
    if fatal := next((e for e in leaves if not isinstance(e, Exception)), None):
        raise fatal
    return next((e for e in leaves if isinstance(e, EffectError)), leaves[0])


def _meaning(error: BaseException, name: str, *, calling: bool) -> EffectError:
    match error:
        case EffectError():
            return error
        case httpx2.ConnectError() | httpx2.ConnectTimeout():
            return Retryable(f"{name} cannot be reached", hint=_AGAIN)
        case _TurnedAway(status=429):
            return Retryable(f"{name} asked to be left alone", hint=_AGAIN)
        case _TurnedAway(status=status):
            return Permanent(f"{name} answered {status}", hint=f"its token is wrong or expired: `./steward connect {name}`")
        case MCPError(code=code) if code in _WRONG_REQUEST:
            return Permanent(f"{name} does not understand the request ({code})", hint="the same request would be refused again")
        case MCPError(code=code):
            return _uncertain(f"{name} answered with an error ({code})", calling)
        case FileNotFoundError() | PermissionError():
            return Permanent(f"{name} cannot be started", hint="the command has to be a program on this machine")
        case httpx2.InvalidURL() | httpx2.UnsupportedProtocol():
            return Permanent(f"{name} has an address that cannot be", hint="mend the setting")
    return _uncertain(f"{name} did not answer as it should", calling)


def _uncertain(text: str, calling: bool) -> EffectError:
    return Unknown(text, hint=_LOOK) if calling else Retryable(text, hint=_AGAIN)


def _offered(tool: ToolOnTheWire) -> OfferedTool:
    try:
        return OfferedTool(
            name=tool.name,
            title=tool.title or "",
            description=tool.description or "",
            input_schema=tool.input_schema,
            output_schema=tool.output_schema,
        )
    except ValidationError:  # no JSON that we could keep: it has a name, and nothing fits it
        return OfferedTool(name=tool.name, input_schema={"not": {}})


def _answer(result: CallToolResult) -> ToolAnswer:
    said = "\n".join(block.text for block in result.content if isinstance(block, TextContent))
    text, cut = _clean(said[:_TEXT_KEPT]), len(said) > _TEXT_KEPT
    cut = cut or any(not isinstance(block, TextContent) for block in result.content)
    structured = result.structured_content
    if not isinstance(structured, dict):
        return ToolAnswer(text=text, cut=cut)
    try:
        kept = cast("dict[str, JsonValue]", _cleaned(structured))
        if len(canonical_json(kept)) <= _RESULT_KEPT:
            return ToolAnswer(text=text, result=kept, cut=cut)
    except (ValueError, RecursionError):
        pass  # not a number, or deeper than anything that means something
    return ToolAnswer(text=text, cut=True)


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, dict):
        return {_clean(str(name)): _cleaned(inner) for name, inner in value.items()}
    return [_cleaned(inner) for inner in value] if isinstance(value, list) else value


def _clean(text: str) -> str:
    """Without the characters that do something instead of being read."""
    return "".join(c for c in text if c.isprintable() or c in "\n\t")
