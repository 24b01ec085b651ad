"""A scripted server on loopback: each request gets the next scripted reply, and the last one for ever."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Reply:
    """An HTTP reply. ``cut`` closes the connection in the middle of the body, ``hang`` never sends anything, ``drip`` sends
    one byte after the other without end.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    hang: bool = False
    drip: bool = False


@dataclass
class Server:
    """``requests`` are the JSON bodies that arrived (None for none), ``paths`` and ``methods`` where they went and how."""

    url: str
    script: list[Reply]
    requests: list[Any] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)


def as_json(value: Any, *, status: int = 200, **headers: str) -> Reply:
    return Reply(status=status, body=json.dumps(value).encode(), headers=headers)


@dataclass(frozen=True)
class Request:
    """``head`` are the request's line and headers."""

    method: str
    path: str
    head: str
    body: bytes

    def header(self, name: str) -> str:
        lines = (line.partition(":") for line in self.head.splitlines()[1:])
        return next((value.strip() for given, _, value in lines if given.lower() == name), "")


@asynccontextmanager
async def serving(*script: Reply) -> AsyncIterator[Server]:
    """A server on a free port of 127.0.0.1."""
    state = Server(url="", script=list(script))

    async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _exchange(reader, writer, state)

    async with _listening(exchange) as state.url:
        yield state


@asynccontextmanager
async def answering(answer: Callable[[Request], Awaitable[Reply]]) -> AsyncIterator[str]:
    """The URL of a server that gives each request the reply of ``answer``."""

    async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head, body = await _read(reader)
        method, path, _ = head.split(" ", 2)
        await _send(reader, writer, await answer(Request(method, path, head, body)))

    async with _listening(exchange) as url:
        yield url


@asynccontextmanager
async def _listening(exchange: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> AsyncIterator[str]:
    held: set[asyncio.StreamWriter] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.add(writer)
        try:
            await exchange(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has had enough
        finally:
            held.discard(writer)
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        for writer in tuple(held):
            writer.close()
        server.close()
        await server.wait_closed()


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, state: Server) -> None:
    head, body = await _read(reader)
    state.heads.append(head)
    state.methods.append(head.split(" ", 1)[0])
    state.paths.append(head.split(" ", 2)[1])
    state.requests.append(json.loads(body) if body else None)
    await _send(reader, writer, _next(state.script))


async def _read(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = next((int(line.split(":")[1]) for line in head.splitlines() if line.lower().startswith("content-length")), 0)
    return head, await reader.readexactly(length)


async def _send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, reply: Reply) -> None:
    if reply.hang:
        await reader.read()  # until the client gives up and closes
        return
    lines = [f"HTTP/1.1 {reply.status} scripted", "content-type: application/json", "connection: close"]
    lines += [] if reply.drip else [f"content-length: {len(reply.body)}"]
    lines += [f"{k.replace('_', '-')}: {v}" for k, v in reply.headers.items()]
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n")
    while reply.drip:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.01)
    writer.write(reply.body[: len(reply.body) // 2] if reply.cut else reply.body)
    await writer.drain()


def _next(script: list[Reply]) -> Reply:
    return script.pop(0) if len(script) > 1 else script[0]
