"""A scripted server on loopback: each request gets the next scripted reply, and the last one for ever."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit


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


@dataclass(frozen=True)
class Asked:
    """A request that arrived. ``body`` is what its JSON or its form says; ``headers`` are in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class Server:
    """``requests`` are the JSON bodies that arrived (None for none), ``paths`` and ``methods`` where they went and how."""

    url: str
    script: list[Reply]
    requests: list[Any] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    answer: Callable[[Asked], Reply] | None = None  # in place of the script


def as_json(value: Any, *, status: int = 200, **headers: str) -> Reply:
    return Reply(status=status, body=json.dumps(value).encode(), headers=headers)


@asynccontextmanager
async def serving(*script: Reply, answer: Callable[[Asked], Reply] | None = None) -> AsyncIterator[Server]:
    """A server on a free port of 127.0.0.1. Where there is an ``answer``, it is asked, and not the script."""
    state = Server(url="", script=list(script), answer=answer)
    held: set[asyncio.StreamWriter] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.add(writer)
        try:
            await _exchange(reader, writer, state)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has had enough
        finally:
            held.discard(writer)
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    state.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield state
    finally:
        for writer in tuple(held):
            writer.close()
        server.close()
        await server.wait_closed()


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, state: Server) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = next((int(line.split(":")[1]) for line in head.splitlines() if line.lower().startswith("content-length")), 0)
    state.heads.append(head)
    state.methods.append(head.split(" ", 1)[0])
    state.paths.append(head.split(" ", 2)[1])
    body = await reader.readexactly(length)
    asked = _asked(head, body)
    state.requests.append(asked.body)
    await _send(reader, writer, state.answer(asked) if state.answer else _next(state.script))


def _asked(head: str, body: bytes) -> Asked:
    (method, target, _), *lines = (head.splitlines()[0].split(" ", 2), *head.splitlines()[1:])
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines) if name}
    is_form = headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    said = None if not body else dict(parse_qsl(body.decode())) if is_form else json.loads(body)
    parts = urlsplit(target)
    return Asked(method, parts.path, dict(parse_qsl(parts.query)), headers, said)


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
