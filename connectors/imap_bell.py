"""IMAP IDLE: the server says at once that a mail came in (RFC 2177).

The session is watched by the event loop; threads only do what is over in seconds, so that nothing is left behind when
listening stops. An IDLE is renewed before servers and routers forget about it.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator, Callable
from typing import TypeVar

from imap_tools import BaseMailBox

from connectors.imap import ImapAccount, hang_up

T = TypeVar("T")
_RENEWED = 9 * 60.0  # seconds


class ImapBell:
    """See ``ports.Bell``."""

    def __init__(self, account: ImapAccount, *, name: str, folder: str, renewed: float = _RENEWED) -> None:
        self._account = account
        self._name = name
        self._folder = folder
        self._renewed = renewed

    async def rings(self) -> AsyncGenerator[None, None]:
        box = await self._open()
        try:
            if "IDLE" not in box.client.capabilities:
                return
            yield
            while True:
                if await self._news(box):
                    yield
        finally:
            hang_up(box)

    async def _open(self) -> BaseMailBox:
        """Whoever stops listening while it is opened does not leave it open."""
        opening = asyncio.ensure_future(self._account.calling(self._opened))
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(_hang_up_late)
            raise

    def _opened(self) -> BaseMailBox:
        with self._account.trouble():
            box = self._account.sign_in()
            try:
                _, said = box.client.capability()  # what it can do now: more than before it knew us
                box.client.capabilities = tuple(b" ".join(said).decode("ascii", "replace").upper().split())
                box.folder.set(self._folder, readonly=True)
            except BaseException:
                hang_up(box)
                raise
            return box

    async def _news(self, box: BaseMailBox) -> bool:
        """Whether the server spoke of mails before the IDLE was over."""
        await self._shortly(box.idle.start)
        await _readable(box.client.sock, self._renewed)
        said = await self._shortly(lambda: box.idle.poll(timeout=0))
        _, more = await self._shortly(box.idle.stop)
        return any(b"EXISTS" in line for line in (*said, *more))

    async def _shortly(self, work: Callable[[], T]) -> T:
        with self._account.trouble():
            return await asyncio.to_thread(work)


async def _readable(sock: socket.socket, seconds: float) -> None:
    """Return when there is something to read, or after ``seconds``."""
    if isinstance(sock, ssl.SSLSocket) and sock.pending():
        return
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sock, ready.set)
    try:
        async with asyncio.timeout(seconds):
            await ready.wait()
    except TimeoutError:
        return
    finally:
        loop.remove_reader(sock)


def _hang_up_late(opening: "asyncio.Future[BaseMailBox]") -> None:
    if not opening.cancelled() and opening.exception() is None:
        hang_up(opening.result())
