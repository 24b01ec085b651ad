"""A server on loopback. Scripted: each request gets the next reply, and the last one for ever. Or ``answer`` is
asked, as for the double of a system.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
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
class Call:
    """A request as it arrived. Header names are lower case; ``body`` is what its JSON or its form says, a picture's bytes, or
    None for none.
    """

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


Answer = Callable[[Call], Reply | Awaitable[Reply]]


@dataclass
class Server:
    """``requests`` are the JSON bodies that arrived (None for none), ``paths`` and ``methods`` where they went and how.
    ``faults`` are what ``answer`` found wrong: whoever asked only saw the line break.
    """

    url: str
    script: list[Reply]
    answer: Answer | None = None
    requests: list[Any] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)


def as_json(value: Any, *, status: int = 200, **headers: str) -> Reply:
    return Reply(status=status, body=json.dumps(value).encode(), headers=headers)


@asynccontextmanager
async def serving(*script: Reply, answer: Answer | None = None, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """A server on a free port of 127.0.0.1; with ``tls`` it speaks that. At its end it raises what ``answer`` raised first."""
    state = Server(url="", script=list(script), answer=answer)
    held: set[asyncio.StreamWriter] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.add(writer)
        try:
            await _exchange(reader, writer, state)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has had enough
        except Exception as fault:  # noqa: BLE001 - told at the end, whatever it is
            state.faults.append(fault)
        finally:
            held.discard(writer)
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    state.url = f"http{'s' if tls else ''}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield state
    finally:
        for writer in tuple(held):
            writer.close()
        server.close()
        await server.wait_closed()
        if state.faults:
            raise state.faults[0]


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, state: Server) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = next((int(line.split(":")[1]) for line in head.splitlines() if line.lower().startswith("content-length")), 0)
    state.heads.append(head)
    state.methods.append(head.split(" ", 1)[0])
    state.paths.append(head.split(" ", 2)[1])
    body = await reader.readexactly(length)
    call = _call(head, body)
    state.requests.append(call.body)
    reply = state.answer(call) if state.answer else _next(state.script)
    await _send(reader, writer, reply if isinstance(reply, Reply) else await reply)


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


def _call(head: str, body: bytes) -> Call:
    first, *lines = head.rstrip().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Call(method, urlsplit(target).path, dict(parse_qsl(urlsplit(target).query)), headers, _said(headers, body))


def _said(headers: dict[str, str], body: bytes) -> Any:
    kind = headers.get("content-type", "")
    if not body or kind.startswith("image/"):
        return body or None
    return dict(parse_qsl(body.decode())) if kind.startswith("application/x-www-form-urlencoded") else json.loads(body)


def _next(script: list[Reply]) -> Reply:
    return script.pop(0) if len(script) > 1 else script[0]
