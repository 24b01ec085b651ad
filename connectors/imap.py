"""A mail account over IMAP: reading what is new, and finding and filing what was sent. Every method blocks: call it in a thread.

Reading changes nothing: folders are opened read-only and bodies are peeked at.
"""

import imaplib
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from itertools import islice

from imap_tools import BaseMailBox, MailBox, MailboxLoginError, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError, MailboxFolderSelectError, MailboxFolderStatusError

from domain.errors import Permanent, Retryable

_SECONDS = 30.0
_WHOLE = 20 * 1024 * 1024  # a larger mail is read up to _BEGINNING: its text is in front, its attachments are not needed
_BEGINNING = 1024 * 1024
_AT_ONCE = 50  # mails
_BYTES_AT_ONCE = 40 * 1024 * 1024
_SENT_NAMES = ("Sent", "INBOX.Sent", "Sent Items", "Sent Messages", "INBOX.Sent Items")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Server:
    """``security`` is tls, starttls or none; none only where the host is this machine."""

    host: str
    port: int
    security: str
    user: str
    password: str = field(repr=False)


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
    """One account. Raises Retryable where the server is away, Permanent for what the operator has to mend."""

    def __init__(self, server: Server, *, name: str) -> None:
        self._server = server
        self._name = name

    def check(self, folder: str) -> str:
        with self._open() as box:
            status = box.folder.status(folder, ["MESSAGES"])
            return f"{folder} has {status['MESSAGES']} mails, sent mail is kept in {_sent_folder(box) or 'no folder yet'}"

    def read(self, folder: str, place: Place, *, since: date) -> Found:
        """Mails of ``folder`` after ``place`` that came in on ``since`` or later; from the start where the numbering is new."""
        with self._open() as box:
            status = box.folder.status(folder, ["UIDVALIDITY", "UIDNEXT"])
            start = place if place.validity == status["UIDVALIDITY"] else Place(status["UIDVALIDITY"])
            box.folder.set(folder, readonly=True)
            criteria = f"UID {start.uid + 1}:* SINCE {since.day}-{_MONTHS[since.month - 1]}-{since.year}"
            uids = sorted(uid for uid in map(int, box.uids(criteria, charset=None)) if uid > start.uid)
            mails = tuple((Place(start.validity, uid), raw) for uid, raw in _within(_fetched(box, islice(uids, _AT_ONCE))))
            if len(mails) < len(uids):
                return Found(mails, mails[-1][0], more=True)
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
        try:
            box = _connected(self._server)
            try:
                box.login(self._server.user, self._server.password, initial_folder=None)
                yield box
            finally:
                with suppress(ImapToolsError, imaplib.IMAP4.error, OSError):
                    box.logout()
        except MailboxLoginError as error:
            raise self._not_let_in(error) from None
        except (MailboxFolderSelectError, MailboxFolderStatusError):
            raise Permanent(f"{self._name} has no such folder", hint=f"`./steward connect {self._name}` sets another") from None
        except ssl.SSLCertVerificationError:
            raise Permanent(f"{self._name} shows a certificate that is not valid for it", hint="check the host's name") from None
        except (ImapToolsError, imaplib.IMAP4.error, OSError, EOFError, ValueError) as error:
            raise Retryable(f"{self._name} broke off ({type(error).__name__})", hint="it is tried again by itself") from None

    def _not_let_in(self, error: MailboxLoginError) -> Permanent | Retryable:
        """RFC 5530: a server that is busy says so, and that is no wrong password."""
        if "[UNAVAILABLE]" in str(error.command_result):
            return Retryable(f"{self._name} is not available", hint="it is tried again by itself")
        hint = f"`./steward connect {self._name}` asks for it anew"
        return Permanent(f"{self._name} refuses the user or the password", hint=hint)


def _connected(server: Server) -> BaseMailBox:
    match server.security:
        case "tls":
            return MailBox(server.host, server.port, timeout=_SECONDS, ssl_context=ssl.create_default_context())
        case "starttls":
            return MailBoxStartTls(server.host, server.port, timeout=_SECONDS, ssl_context=ssl.create_default_context())
    return MailBoxUnencrypted(server.host, server.port, timeout=_SECONDS)


def _fetched(box: BaseMailBox, uids: Iterator[int]) -> Iterator[tuple[int, bytes]]:
    """One after the other. A mail that went meanwhile is skipped, a huge one is read in its beginning."""
    for uid in uids:
        _, answer = box.client.uid("fetch", str(uid), "(RFC822.SIZE)")
        size = re.search(rb"RFC822\.SIZE (\d+)", b" ".join(part for part in answer if isinstance(part, bytes)))
        if size is None:
            continue
        part = "(BODY.PEEK[])" if int(size[1]) <= _WHOLE else f"(BODY.PEEK[]<0.{_BEGINNING}>)"
        _, answer = box.client.uid("fetch", str(uid), part)
        raw = next((part[1] for part in answer if isinstance(part, tuple)), None)
        if raw is not None:
            yield uid, raw


def _within(mails: Iterator[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    """As many as fit into memory with ease; at least one."""
    total = 0
    for uid, raw in mails:
        yield uid, raw
        total += len(raw)
        if total > _BYTES_AT_ONCE:
            return


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
