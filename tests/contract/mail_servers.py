"""Mail servers on loopback: pymap for reading, aiosmtpd for sending, both in the test's own loop."""

import asyncio
import warnings
from argparse import Namespace
from base64 import b64decode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope
from imap_tools import MailBoxUnencrypted
from proxyprotocol.reader import ProxyProtocolReader
from pydantic import SecretStr
from pymap.backend.dict import DictBackend
from pymap.imap import IMAPServer
from pysasl.hashing import Cleartext

from connectors.kinds import Opened, Opening
from connectors.mailbox import KIND
from domain.ports import Attempts

ADDRESS, PASSWORD = "hello@mill.example", "open-sesame"

Taken = Callable[[Envelope], Awaitable[str]]
"""What the server does with a mail it was given, and what it answers."""


@dataclass
class Post:
    """``delivered`` are the mails that were handed over for others; ``taking`` may be exchanged by a test."""

    imap_port: int
    smtp_port: int = 0
    delivered: list[bytes] = field(default_factory=list)
    taking: Taken | None = None
    tokens: set[str] = field(default_factory=set)  # those that let in, beside the password

    def settings(self, **changes: str) -> dict[str, str]:
        given = {
            "address": ADDRESS,
            "imap_host": "127.0.0.1",
            "imap_port": str(self.imap_port),
            "imap_security": "none",
            "smtp_port": str(self.smtp_port),
            "smtp_security": "none",
            "since": "2026-01-01",
            **changes,
        }
        return KIND.checked(given)

    def opened(self, attempts: Attempts, *, password: str = PASSWORD, refresh_token: str = "", **changes: str) -> Opened:
        """The mailbox on these servers."""
        secrets = {"password": password, "refresh_token": refresh_token, "client_secret": ""}
        return KIND.open(
            Opening(
                name="mailbox",
                settings=self.settings(**changes),
                secrets={name: SecretStr(value) for name, value in secrets.items()},
                folder=None,  # type: ignore[arg-type]  # a mailbox keeps nothing in files
                attempts=attempts,
            )
        )

    async def arrive(self, *raw: bytes, folder: str = "INBOX", at: str = ADDRESS) -> None:
        """Mails come in, as they are. Other mailboxes than our own are there where the server has them."""
        await asyncio.to_thread(self._append, raw, folder, at)

    async def kept(self, folder: str, *, at: str = ADDRESS) -> list[bytes]:
        """The mails in a folder."""
        return await asyncio.to_thread(self._fetch, folder, at)

    async def deliver(self, envelope: Envelope) -> str:
        """For ``taking``: into the mailboxes of those whom the mail is for."""
        said = self.take(envelope)
        for address in envelope.rcpt_tos:
            await self.arrive(self.delivered[-1], at=address)
        return said

    async def give(self, envelope: Envelope) -> str:
        if self.taking is not None:
            return await self.taking(envelope)
        return self.take(envelope)

    def take(self, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        self.delivered.append(envelope.content)
        return "250 OK"

    def _append(self, raw: tuple[bytes, ...], folder: str, address: str) -> None:
        with self._box(address) as box:
            for one in raw:
                box.append(one, folder, dt=datetime.now(UTC))

    def _fetch(self, folder: str, address: str) -> list[bytes]:
        with self._box(address) as box:
            if not box.folder.exists(folder):
                return []
            box.folder.set(folder, readonly=True)
            return [bytes(mail.obj) for mail in box.fetch(mark_seen=False)]

    def _box(self, address: str = ADDRESS) -> MailBoxUnencrypted:
        return MailBoxUnencrypted("127.0.0.1", self.imap_port, timeout=10).login(address, PASSWORD, initial_folder=None)


def xoauth2(token: str) -> bytes:
    """As a client says who it is, decoded."""
    return f"user={ADDRESS}\x01auth=Bearer {token}\x01\x01".encode()


@asynccontextmanager
async def mail_servers() -> AsyncIterator[Post]:
    """An empty mailbox."""
    async with AsyncExitStack() as running:
        post = Post(imap_port=await running.enter_async_context(_pymap()))
        post.smtp_port = await running.enter_async_context(smtp_server(post))
        yield post


@asynccontextmanager
async def smtp_server(post: Post) -> AsyncIterator[int]:
    """Its port. It takes mails from whoever knows the password."""

    class Handler:
        async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
            return await post.give(envelope)

        async def auth_XOAUTH2(self, server: Any, args: list[str]) -> AuthResult:  # noqa: N802 - as above
            if b64decode(args[1]) in [xoauth2(token) for token in post.tokens]:
                return AuthResult(success=True, auth_data=ADDRESS)
            await server.challenge_auth(b'{"status":"400"}')
            return AuthResult(success=False, handled=False)

    def let_in(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (ADDRESS.encode(), PASSWORD.encode()), handled=False)

    def protocol() -> SMTP:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Requiring AUTH while not requiring TLS")  # there is nobody else on loopback
            return SMTP(
                Handler(), hostname="localhost", authenticator=let_in, auth_required=True, auth_require_tls=False, loop=loop
            )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(protocol, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def _pymap() -> AsyncIterator[int]:
    arguments = Namespace(
        host=None,
        port="0",
        debug=False,
        tls=False,
        cert=None,
        key=None,
        proxy_protocol=None,
        passlib_cfg=None,
        inherited_sockets=None,
        demo_data=False,
        demo_user=ADDRESS,
        demo_password=PASSWORD,
    )
    backend, config = await DictBackend.init(arguments, reject_dnsbl=False, invalid_user_sleep=0.0, hash_context=Cleartext())
    config.apply_context()
    callback = ProxyProtocolReader(config.proxy_protocol).get_callback(IMAPServer(backend.login, config))
    server = await asyncio.start_server(callback, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()
