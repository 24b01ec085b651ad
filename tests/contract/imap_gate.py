"""A gate before a real IMAP server: it takes tokens in place of passwords, may hide IDLE, and can cut every line at once."""

import asyncio
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from tests.contract.mail_servers import ADDRESS, PASSWORD, Post, xoauth2


@dataclass
class Gate:
    """``tokens`` let in. ``opened`` counts lines; ``lines`` are those that are open."""

    port: int = 0
    tokens: set[str] = field(default_factory=set)
    with_idle: bool = True
    opened: int = 0
    lines: set[asyncio.StreamWriter] = field(default_factory=set)

    def cut(self) -> None:
        for line in tuple(self.lines):
            line.close()


@asynccontextmanager
async def gate(post: Post) -> AsyncIterator[Gate]:
    """On a free port of 127.0.0.1, before the server that ``post`` reads from."""
    state, running = Gate(), set[asyncio.Task[None]]()

    async def come_in(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        state.opened += 1
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", post.imap_port)
        state.lines |= {writer, inner_writer}
        try:
            await asyncio.gather(_inwards(reader, inner_writer, writer, state), _outwards(inner_reader, writer, state))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            state.lines -= {writer, inner_writer}
            writer.close()
            inner_writer.close()
            running.discard(task)

    server = await asyncio.start_server(come_in, "127.0.0.1", 0)
    state.port = server.sockets[0].getsockname()[1]
    try:
        yield state
    finally:
        state.cut()
        server.close()
        await server.wait_closed()
        for task in tuple(running):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def _inwards(reader: asyncio.StreamReader, inner: asyncio.StreamWriter, client: asyncio.StreamWriter, state: Gate) -> None:
    while line := await reader.readline():
        tag, *words = line.split() or [b""]
        if words[:2] == [b"AUTHENTICATE", b"XOAUTH2"]:
            client.write(b"+ \r\n")
            said = b64decode(await reader.readline())
            if said not in [xoauth2(token) for token in state.tokens]:
                client.write(b"+ " + b64encode(b'{"status":"400"}') + b"\r\n")
                await reader.readline()
                client.write(tag + b" NO [AUTHENTICATIONFAILED] Invalid credentials\r\n")
                continue
            line = tag + f' LOGIN "{ADDRESS}" "{PASSWORD}"\r\n'.encode()
        inner.write(line)
    inner.close()


async def _outwards(inner: asyncio.StreamReader, client: asyncio.StreamWriter, state: Gate) -> None:
    while line := await inner.readline():
        client.write(line if state.with_idle else line.replace(b" IDLE", b""))
    client.close()
