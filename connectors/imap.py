"""A mail account over IMAP: reading what is new, finding and filing what was sent. Its methods block; ``calling`` them does not.

Reading changes nothing: folders are opened read-only and bodies are peeked at.
"""

import asyncio
import imaplib
import re
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ParamSpec, TypeVar

from imap_tools import BaseMailBox, MailBox, MailboxLoginError, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError, MailboxFolderSelectError, MailboxFolderStatusError

from connectors.oauth import AccessTokens
from domain.errors import Permanent, Retryable
from domain.wording import counted

P = ParamSpec("P")
T = TypeVar("T")
_SENT_NAMES = ("Sent", "INBOX.Sent", "Sent Items", "Sent Messages", "INBOX.Sent Items")
_HINT = "are host, port and security right? A connection that was working is tried again by itself"
_NONSENSE = (ValueError, LookupError, TypeError, AttributeError)  # what answers that make no sense end in
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Server:
    """``security`` is tls, starttls or none; none only where the host is this machine. ``tokens`` stand in for the password."""

    host: str
    port: int
    security: str
    user: str
    password: str = field(repr=False)
    tokens: AccessTokens | None = field(default=None, repr=False)


class NotLetIn(Permanent):
    """The user, the password or the token is refused."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """A mail of more than ``whole`` bytes is read up to ``beginning``: its text is in front, its attachments are not needed."""

    seconds: float = 30.0
    whole: int = 20 * 1024 * 1024
    beginning: int = 1024 * 1024
    mails_at_once: int = 50
    bytes_at_once: int = 40 * 1024 * 1024


@dataclass(frozen=True)
class Place:
    """How far a folder was read: RFC 9051, 2.3.1.1. Another ``validity`` means that the numbers are others."""

    validity: int = 0
    uid: int = 0

    @classmethod
    def of(cls, cursor: str) -> "Place":
        match = re.fullmatch(r"(\d{1,20}):(\d{1,20})", cursor)
        return cls(int(match[1]), int(match[2])) if match else cls()

    def __str__(self) -> str:
        return f"{self.validity}:{self.uid}"


@dataclass(frozen=True)
class Found:
    """Mails by their place, oldest first. ``more`` says that others wait."""

    mails: tuple[tuple[Place, bytes], ...]
    place: Place
    more: bool


class ImapAccount:
    """One account. Raises Retryable where the server is away, Permanent for what the operator has to mend.

    ``calling`` runs any of the methods below it in a thread, signed in.
    """

    def __init__(self, server: Server, *, name: str, limits: Limits = Limits()) -> None:
        self._server = server
        self._name = name
        self._limits = limits
        self._token = ""

    async def calling(self, work: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        """Once more with another token, where the first is refused: a session that was not let in did nothing."""
        tokens = self._server.tokens
        if tokens is None:
            return await asyncio.to_thread(work, *args, **named)
        self._token = token = await tokens.current()
        try:
            return await asyncio.to_thread(work, *args, **named)
        except NotLetIn:
            self._token = await tokens.instead_of(token)
            return await asyncio.to_thread(work, *args, **named)

    def check(self, folder: str) -> str:
        with self._open() as box:
            status = box.folder.status(folder, ["MESSAGES"])
            return (
                f"{folder} has {counted(status['MESSAGES'], 'mail')}, sent mail is kept in {_sent_folder(box) or 'no folder yet'}"
            )

    def read(self, folder: str, place: Place, *, since: date) -> Found:
        """Mails of ``folder`` after ``place`` that came in on ``since`` or later; from the start where the numbering is new."""
        with self._open() as box:
            status = box.folder.status(folder, ["UIDVALIDITY", "UIDNEXT"])
            start = place if place.validity == status["UIDVALIDITY"] else Place(status["UIDVALIDITY"])
            box.folder.set(folder, readonly=True)
            criteria = f"UID {start.uid + 1}:* SINCE {since.day}-{_MONTHS[since.month - 1]}-{since.year}"
            uids = sorted(uid for uid in map(int, box.uids(criteria, charset=None)) if uid > start.uid)
            tried, mails = self._fetched(box, uids, start.validity)
            if tried < len(uids):
                return Found(mails, Place(start.validity, uids[tried - 1]), more=True)
            return Found(mails, Place(start.validity, max(start.uid, *uids[-1:], status["UIDNEXT"] - 1)), more=False)

    def has_sent(self, message_id: str) -> bool:
        with self._open() as box:
            return _is_in_sent(box, message_id)

    def file_as_sent(self, raw: bytes, message_id: str) -> None:
        """Put it into the folder of sent mail, unless it is there: many servers file by themselves what they send."""
        with self._open() as box:
            if not _is_in_sent(box, message_id):
                folder = _sent_folder(box)
                if not folder:
                    folder = _SENT_NAMES[0]
                    box.folder.create(folder)
                box.append(raw, folder, flag_set=["\\Seen"])

    @contextmanager
    def _open(self) -> Iterator[BaseMailBox]:
        """A session of its own: servers close idle ones, and a new one costs little beside a poll a minute."""
        with self.trouble():
            box = _connected(self._server, self._limits.seconds)
            try:
                self._sign_in(box)
                yield box
            finally:
                with suppress(ImapToolsError, imaplib.IMAP4.error, OSError):
                    box.logout()
                hang_up(box)

    def sign_in(self) -> BaseMailBox:
        """A session that stays open; whoever asked for it closes it."""
        box = _connected(self._server, self._limits.seconds)
        try:
            self._sign_in(box)
        except BaseException:
            hang_up(box)
            raise
        return box

    @contextmanager
    def trouble(self) -> Iterator[None]:
        """What a session ends in, in our words."""
        try:
            yield
        except MailboxLoginError as error:
            raise self._not_let_in(error) from None
        except (MailboxFolderSelectError, MailboxFolderStatusError):
            raise Permanent(f"{self._name} has no such folder", hint=f"`./steward connect {self._name}` sets another") from None
        except ssl.SSLCertVerificationError:
            raise Permanent(f"{self._name} shows a certificate that is not valid for it", hint="check the host's name") from None
        except socket.gaierror:
            hint = "is its name spelt right? If it is, the network is down, and nothing is lost by waiting"
            raise Retryable(f"{self._name}: no server named {self._server.host} is found", hint=hint) from None
        except (ImapToolsError, imaplib.IMAP4.error, OSError, EOFError, *_NONSENSE) as error:
            raise Retryable(f"{self._name} broke off ({type(error).__name__})", hint=_HINT) from None

    def _sign_in(self, box: BaseMailBox) -> None:
        server = self._server
        if server.tokens is not None:
            try:
                box.xoauth2(server.user, self._token, initial_folder=None)
            except imaplib.IMAP4.abort:
                raise
            except imaplib.IMAP4.error as error:  # as imaplib says that it was not let in
                raise MailboxLoginError(command_result=("NO", [str(error).encode()]), expected="OK") from None
            return
        login = box.login if server.password.isascii() and server.user.isascii() else box.login_utf8
        login(server.user, server.password, initial_folder=None)

    def _fetched(self, box: BaseMailBox, uids: Sequence[int], validity: int) -> tuple[int, tuple[tuple[Place, bytes], ...]]:
        """As many as fit into memory with ease, up to one that is refused now: how many, and those that are still there."""
        mails: list[tuple[Place, bytes]] = []
        total = tried = 0
        for uid in uids[: self._limits.mails_at_once]:
            try:
                raw = self._mail(box, uid)
            except Retryable:
                if not tried:
                    raise
                break
            tried += 1
            if raw is not None:
                mails.append((Place(validity, uid), raw))
                total += len(raw)
            if total > self._limits.bytes_at_once:
                break
        return tried, tuple(mails)

    def _mail(self, box: BaseMailBox, uid: int) -> bytes | None:
        """None where it went meanwhile. Raises Retryable where the server will not give it now: then it is no mail that went."""
        answer = self._fetch(box, uid, "(RFC822.SIZE)")
        size = re.search(rb"RFC822\.SIZE (\d+)", b" ".join(part for part in answer if isinstance(part, bytes)))
        if size is None:
            return None
        huge = int(size[1]) > self._limits.whole
        part = f"(BODY.PEEK[]<0.{self._limits.beginning}>)" if huge else "(BODY.PEEK[])"
        return next((part[1] for part in self._fetch(box, uid, part) if isinstance(part, tuple)), None)

    def _fetch(self, box: BaseMailBox, uid: int, part: str) -> list[Any]:
        done, answer = box.client.uid("fetch", str(uid), part)
        if done != "OK":
            raise Retryable(f"{self._name} does not hand over a mail ({done})", hint="it is tried again by itself")
        return answer

    def _not_let_in(self, error: MailboxLoginError) -> Permanent | Retryable:
        """RFC 5530: a server that is busy says so, and that is no wrong password."""
        if "[UNAVAILABLE]" in str(error.command_result):
            return Retryable(f"{self._name} is not available", hint="it is tried again by itself")
        what = "password" if self._server.tokens is None else "token"
        hint = f"`./steward connect {self._name}` asks for it anew"
        return NotLetIn(f"{self._name} refuses the user or the {what}", hint=hint)


def hang_up(box: BaseMailBox) -> None:
    """At once, whatever the server does: a thread that still waits for an answer gets an error instead."""
    with suppress(OSError):
        box.client.sock.shutdown(socket.SHUT_RDWR)
    with suppress(OSError, imaplib.IMAP4.error):
        box.client.shutdown()


def _connected(server: Server, seconds: float) -> BaseMailBox:
    match server.security:
        case "tls":
            return MailBox(server.host, server.port, timeout=seconds, ssl_context=ssl.create_default_context())
        case "starttls":
            return MailBoxStartTls(server.host, server.port, timeout=seconds, ssl_context=ssl.create_default_context())
    return MailBoxUnencrypted(server.host, server.port, timeout=seconds)


def _is_in_sent(box: BaseMailBox, message_id: str) -> bool:
    """The header is searched without its brackets, which some servers do not find."""
    folder = _sent_folder(box)
    if not folder:
        return False
    box.folder.set(folder, readonly=True)
    quoted = message_id.strip("<>").replace("\\", "\\\\").replace('"', '\\"')
    return bool(box.uids(f'HEADER Message-ID "{quoted}"', charset=None))


def _sent_folder(box: BaseMailBox) -> str:
    """The folder that the server marks as such (RFC 6154), else one of the usual names; empty where there is none."""
    folders = {f.name: f.flags for f in box.folder.list()}
    marked = [name for name, flags in folders.items() if "\\Sent" in flags]
    return next(iter([*marked, *(name for name in _SENT_NAMES if name in folders)]), "")
