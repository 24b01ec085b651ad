"""Tickets from mail: an mbox file or a Maildir folder, as mail programs export them."""

import email
import mailbox
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message as Mail
from email.utils import getaddresses, parsedate_to_datetime
from pathlib import Path
from types import MappingProxyType

from connectors.importers.cells import is_email
from connectors.importers.mail_body import body_of, clean
from connectors.importers.report import BadCell, ImportReport, Rejection
from connectors.importers.table import unpack
from domain.entities import Direction, Message
from domain.errors import InvalidInput
from domain.event import NewEvent, new_event
from domain.events import MessageReceived
from domain.ids import digest

SOURCE = "mail"
_MAX_BYTES = 50 * 1024 * 1024  # of one message; more is not a customer's question
_MAX_HEADER = 200
_MACHINES = {"mailer-daemon", "postmaster"}

Threads = Mapping[tuple[str, str], str]
"""The ticket of each known message, by the customer's address and the message's id."""
_NO_THREADS: Threads = MappingProxyType({})


@dataclass(frozen=True)
class _Mail:
    """One message, understood: ``thread`` is the id of the message it all began with, as far as the mail says;
    ``answers`` are all those it names, the last one last.
    """

    message: Message
    subject: str
    thread: str
    answers: tuple[str, ...]


def mail_files(path: Path) -> Iterator[bytes]:
    """Raw messages of an mbox file (also gzipped) or a Maildir folder. Raises ``InvalidInput`` for anything else."""
    if path.is_dir():
        if not (path / "cur").is_dir() and not (path / "new").is_dir():
            raise InvalidInput(f"{path} is not a Maildir", hint="name the folder that holds cur, new and tmp")
        yield from (f.read_bytes() for part in ("cur", "new") for f in sorted((path / part).glob("*")) if f.is_file())
        return
    yield from mails_of(unpack(path.read_bytes()), name=str(path))


def mails_of(raw: bytes, *, name: str) -> Iterator[bytes]:
    """Raw messages of an mbox file. Raises ``InvalidInput`` for anything else."""
    if not raw.startswith(b"From "):
        raise InvalidInput(f"{name} is not an mbox file", hint='its first line starts with "From "')
    with tempfile.NamedTemporaryFile(suffix=".mbox") as plain:
        plain.write(raw)
        plain.flush()
        box = mailbox.mbox(plain.name, create=False)
        try:
            yield from (box.get_bytes(key) for key in box.keys())  # noqa: SIM118  a mailbox iterates over messages, not keys
        finally:
            box.close()


def read_mail(
    raw: Iterable[bytes], *, own: Sequence[str], at: datetime, since: datetime | None = None, threads: Threads = _NO_THREADS
) -> ImportReport:
    """One ``MessageReceived`` a customer's message, oldest first.

    Skipped are ``own`` addresses, machines, and what is older than ``since``.
    ``at`` stands in for a date that is missing, unreadable or in the future.
    """
    mails: list[_Mail] = []
    rejected: list[Rejection] = []
    skipped: Counter[str] = Counter()
    count = 0
    for count, one in enumerate(raw, start=1):
        try:
            parsed = _parse(one)
            if why := _skip(parsed, own):
                skipped[why] += 1
            else:
                mails.append(_understand(parsed, one, at))
                if since is not None and mails[-1].message.at < since:
                    skipped[f"from before {since:%Y-%m-%d}"] += 1
                    mails.pop()
        except BadCell as bad:
            rejected.append(Rejection(count, bad.column, bad.value[:80], bad.why))
    notes = tuple(f"skipped: {n} messages {why}" for why, n in skipped.items())
    return ImportReport("tickets", count, tuple(_events(mails, threads)), tuple(rejected), notes)


def _parse(raw: bytes) -> Mail:
    if len(raw) > _MAX_BYTES:
        raise BadCell("message", f"{len(raw):,} bytes", "is larger than any question")
    return email.message_from_bytes(raw)


def _skip(mail: Mail, own: Sequence[str]) -> str:
    """Why it is not a customer's message; empty where it may be one. Answering machines would start a loop."""
    if _sender(mail) in {o.lower() for o in own}:
        return "sent by ourselves"
    if _is_report(mail):
        return "about the delivery of another"
    automatic = _header(mail, "Auto-Submitted").lower() not in {"", "no"} or "X-Autoreply" in mail or "X-Autorespond" in mail
    bulk = _header(mail, "Precedence").lower() in {"bulk", "list", "junk", "auto_reply"}
    return "sent by a machine" if automatic or bulk or _header(mail, "List-Id") else ""


def _is_report(mail: Mail) -> bool:
    """A bounce: sent from nobody, by the post office, or as a report (RFC 3464)."""
    nobody = _header(mail, "Return-Path") == "<>"
    return nobody or mail.get_content_type() == "multipart/report" or _sender(mail).partition("@")[0] in _MACHINES


def _understand(mail: Mail, raw: bytes, at: datetime) -> _Mail:
    own_id = _message_id(_header(mail, "Message-ID")) or f"{digest(raw)[:32]}@no-message-id"
    references = [_message_id(r) for r in _header(mail, "References").split()]
    answered = _message_id(_header(mail, "In-Reply-To"))
    sender = _sender(mail)
    if not sender:
        raise BadCell("From", _header(mail, "From"), "is not one e-mail address")
    message = Message(
        message_id=own_id,
        direction=Direction.INBOUND,
        sender=sender,
        at=_sent_at(mail, at),
        body=body_of(mail),
        in_reply_to=answered,
    )
    named = tuple(reference for reference in (*references, answered) if reference)
    return _Mail(message, _header(mail, "Subject")[:_MAX_HEADER], next(iter(named), own_id), named)


def _events(mails: Sequence[_Mail], threads: Threads) -> Iterator[NewEvent]:
    """A thread is one ticket as long as the same person writes: naming a stranger's message joins nobody's conversation."""
    thread_of: dict[str, str] = {}
    for mail in sorted(mails, key=lambda m: (m.message.at, m.message.message_id)):
        message = mail.message
        root = thread_of.get(mail.thread, mail.thread)
        thread_of[message.message_id] = root
        known = next((threads[key] for name in reversed(mail.answers) if (key := (message.sender, name)) in threads), "")
        ticket_id = known or f"{SOURCE}/{digest([root, message.sender])[:16]}"
        data = MessageReceived(ticket_id=ticket_id, source=SOURCE, subject=mail.subject, message=message)
        yield new_event(data, at=message.at, key=(message.message_id, digest(data)), source="import")


def _header(mail: Mail, name: str) -> str:
    """A header as text on one line, whatever its encoding says; empty where there is none."""
    value = mail.get(name, "")
    try:
        text = str(make_header(decode_header(value)))
    except (LookupError, ValueError, HeaderParseError):
        text = str(value)
    return " ".join(clean(text).split())


def _sender(mail: Mail) -> str:
    """The one address in From, read before any decoding, so that no display name can pose as it."""
    addresses = [a.lower() for _, a in getaddresses([str(mail.get("From", ""))]) if a]
    return addresses[0] if len(addresses) == 1 and is_email(addresses[0]) else ""


def _message_id(value: str) -> str:
    bare = value.strip().strip("<>").strip()
    return bare if len(bare) <= _MAX_HEADER else digest(bare)


def _sent_at(mail: Mail, at: datetime) -> datetime:
    try:
        sent = parsedate_to_datetime(_header(mail, "Date"))
    except (ValueError, TypeError, IndexError, OverflowError):
        return at
    sent = sent.replace(tzinfo=UTC) if sent.tzinfo is None else sent
    try:
        return min(sent.astimezone(UTC), at)
    except OverflowError:
        return at
