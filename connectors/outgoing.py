"""A Maildir of mails on their way out. Whatever sends them moves each from ``new`` to ``cur``, as Maildir readers do.

The name of a file says when it was written, what kind of mail it is, in which thread it lies, which Message-ID it
has and under which key it was written. So the mail is its own receipt, and one rename is the whole effect.
"""

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

from connectors.files import after_the_fact, file_errors, locked, looking, sync_directory, write_synced
from domain.actions import Action, Receipt
from domain.errors import Permanent, Stale
from domain.ids import digest
from domain.wording import counted

_NAME = re.compile(
    r"(?P<seconds>\d+)\.M(?P<micros>\d{6})_(?P<kind>[a-z-]+)_(?P<thread>[0-9a-f]{16})"
    r"_(?P<action>[0-9a-f]{16})_(?P<message>[0-9a-f]{16})_(?P<key>[0-9a-f]{32})\.steward(:2,\w*)?"
)


@dataclass(frozen=True)
class Sent:
    """A mail that lies in the Maildir, as its file name tells it."""

    kind: str
    thread: str
    action: str
    message: str
    key: str
    at: datetime


class Outgoing:
    """The Maildir under ``root`` (``tmp``, ``new``, ``cur``)."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def check(self) -> str:
        with file_errors("could not open the outgoing mail"), locked(self.root, private=True):
            self._prepare()
            return f"{counted(len(self._names()), 'mail')} in {self.root}"

    def thread(self, name: str) -> list[Sent]:
        """The mails of one thread, oldest first."""
        with file_errors("could not read the outgoing mail"), locked(self.root, private=True):
            return _having(self._names(), "thread", _short(name))

    def find(self, key: str) -> Sent | None:
        """The mail written under ``key``. Raises Retryable where that cannot be told."""
        with looking("could not read the outgoing mail"), locked(self.root, private=True):
            return next(iter(_having(self._names(), "key", _key(key))), None)

    def add(self, action: Action, message: EmailMessage, *, key: str, expected_version: str, at: datetime) -> Sent:
        """Write ``message`` once for ``key``. Raises Stale where the thread has moved, Permanent for a used Message-ID."""
        with file_errors("could not write the mail"), locked(self.root, private=True):
            self._prepare()
            names = self._names()
            if sent := _having(names, "key", _key(key)):
                return sent[0]
            _refuse(names, action, message, expected_version)
            name = _file_name(action, message, key, at)
            scratch, target = self.root / "tmp" / name, self.root / "new" / name
            write_synced(scratch, bytes(message))
            scratch.rename(target)
            with after_the_fact("write the mail"):
                sync_directory(target.parent)
            return _parsed(name)

    def _prepare(self) -> None:
        for part in ("tmp", "new", "cur"):
            (self.root / part).mkdir(exist_ok=True, mode=0o700)
        for left_over in (self.root / "tmp").glob("*.steward"):  # of a writer that died: we hold the lock
            left_over.unlink()

    def _names(self) -> list[str]:
        """The names of all mails, oldest first."""
        folders = [self.root / part for part in ("new", "cur")]
        return sorted(name for folder in folders if folder.is_dir() for name in os.listdir(folder))  # noqa: PTH208 - names are enough


def _refuse(names: list[str], action: Action, message: EmailMessage, expected_version: str) -> None:
    version = version_of(_having(names, "thread", _short(action.stream)))
    if version != expected_version:
        raise Stale(f"{action.stream} has {version} mails on their way, not {expected_version or 'a known number'}")
    if _having(names, "message", _short(message["Message-ID"])):
        raise Permanent(f"a mail with the Message-ID {message['Message-ID']} was written before, for something else")


def _having(names: list[str], field: str, mark: str) -> list[Sent]:
    """The mails whose ``field`` is ``mark``. Only names that contain it are parsed: there may be very many."""
    candidates = (_parsed(name) for name in names if mark in name and _NAME.fullmatch(name))
    return [sent for sent in candidates if getattr(sent, field) == mark]


def version_of(thread: list[Sent]) -> str:
    """The version of a thread: how many mails were written in it."""
    return str(len(thread))


def receipt_of(sent: Sent, action: Action, message_id: str) -> Receipt:
    """What is known of ``sent``. Raises Permanent where its key was used for another action."""
    if sent.action != action.digest()[:16]:
        raise Permanent("this key was used for another mail")
    return Receipt(reference=message_id, at=sent.at)


def _file_name(action: Action, message: EmailMessage, key: str, at: datetime) -> str:
    moment = at.astimezone(UTC)
    marks = (_short(action.stream), action.digest()[:16], _short(message["Message-ID"]), _key(key))
    return f"{int(moment.timestamp())}.M{moment.microsecond:06d}_{action.kind}_{'_'.join(marks)}.steward"


def _parsed(name: str) -> Sent:
    match = _NAME.fullmatch(name)
    assert match is not None
    at = datetime.fromtimestamp(int(match["seconds"]), UTC).replace(microsecond=int(match["micros"]))
    return Sent(match["kind"], match["thread"], match["action"], match["message"], match["key"], at)


def _key(key: str) -> str:
    return digest(key)[:32]


def _short(text: str) -> str:
    return digest(str(text))[:16]
