"""A scripted server on loopback that speaks enough of the Messages API: each request gets the next scripted reply."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Reply:
    """An HTTP reply; ``cut`` closes the connection in the middle of the body, ``hang`` never sends anything."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    hang: bool = False


@dataclass
class Server:
    """``requests`` are the JSON bodies that arrived, ``paths`` where they went."""

    url: str
    script: list[Reply]
    requests: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)


def message(*content: dict[str, Any], stop_reason: str = "end_turn", usage: dict[str, int] | None = None) -> Reply:
    """A complete Messages API answer."""
    body = {
        "id": "msg_scripted",
        "type": "message",
        "role": "assistant",
        "model": "scripted",
        "content": list(content),
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": usage or {"input_tokens": 100, "output_tokens": 20},
    }
    return Reply(body=json.dumps(body).encode())


def answer(value: dict[str, Any], *, confidence: float = 0.9, **more: Any) -> Reply:
    """A structured answer, as ``output_config.format`` makes the API give it: JSON in a text block."""
    return message({"type": "text", "text": json.dumps({"answer": value, "confidence": confidence})}, **more)


def failure(status: int, kind: str, **headers: str) -> Reply:
    body = {"type": "error", "error": {"type": kind, "message": f"scripted {kind}"}}
    return Reply(status=status, body=json.dumps(body).encode(), headers=headers)


@asynccontextmanager
async def serving(*script: Reply) -> AsyncIterator[Server]:
    """A server on a free port of 127.0.0.1 that repeats the last reply of ``script`` for ever."""
    state = Server(url="", script=list(script))
    held: set[asyncio.StreamWriter] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.add(writer)
        try:
            await _exchange(reader, writer, state)
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
    state.paths.append(head.split(" ", 2)[1])
    state.requests.append(json.loads(await reader.readexactly(length)))
    reply = _next(state.script)
    if reply.hang:
        await reader.read()  # until the client gives up and closes
        return
    lines = [f"HTTP/1.1 {reply.status} scripted", "content-type: application/json", "connection: close"]
    lines += [f"content-length: {len(reply.body)}", *(f"{k.replace('_', '-')}: {v}" for k, v in reply.headers.items())]
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n")
    writer.write(reply.body[: len(reply.body) // 2] if reply.cut else reply.body)
    await writer.drain()


def _next(script: Sequence[Reply]) -> Reply:
    return script.pop(0) if isinstance(script, list) and len(script) > 1 else script[0]
