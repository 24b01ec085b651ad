"""Messages to the operator through apprise: mail, ntfy, Telegram, Slack and a hundred others, each by its URL.

The URLs are secrets. They stay in this module: services are named by their scheme, what apprise says is stripped of every
part of the URL before anybody sees it, and apprise's own log goes nowhere.
"""

import asyncio
import logging
import re
import stat
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from domain.errors import SetupError
from domain.notifying import Notification, ServiceAnswer

_BETWEEN = re.compile(r"[\s,]+(?=[A-Za-z][A-Za-z0-9+.-]*://)")
_TELLING = 3  # shorter parts of a URL say nothing


def addresses(secret: SecretStr | None, file: Path) -> tuple[str, ...]:
    """The URLs in ``secret``, else those in ``file``, apart by spaces, commas or lines; in the file # begins a remark.

    Raises SetupError where others may read the file.
    """
    given = secret.get_secret_value() if secret else ""
    if not given and file.exists():
        if stat.S_IMODE(file.stat().st_mode) & 0o077:
            raise SetupError(f"{file} may be read by others, and has secrets in it", hint=f"chmod 600 {file}")
        given = "\n".join(line for line in file.read_text("utf-8").splitlines() if not line.lstrip().startswith("#"))
    return tuple(url for url in _BETWEEN.split(given.strip()) if url)


class AppriseNotifier:
    """See ``ports.Notifier``. An address that apprise does not know is a service that takes nothing."""

    def __init__(self, urls: Sequence[str] = ()) -> None:
        self._urls = dict(zip(_named(urls), urls, strict=True))
        self._one_at_a_time = asyncio.Lock()  # what apprise says is caught from its one log

    @property
    def services(self) -> tuple[str, ...]:
        return tuple(self._urls)

    async def send(self, message: Notification, *, to: Collection[str]) -> tuple[ServiceAnswer, ...]:
        chosen = {name: url for name, url in self._urls.items() if name in to}
        async with self._one_at_a_time:
            return tuple([await asyncio.to_thread(_send, name, url, message) for name, url in chosen.items()])


def _named(urls: Sequence[str]) -> list[str]:
    """``ntfy``, and ``ntfy-2`` for another one of the kind."""
    seen: Counter[str] = Counter()
    names = []
    for url in urls:
        scheme = url.partition("://")[0].lower()[:40] if "://" in url else "unknown"
        seen[scheme] += 1
        names.append(scheme if seen[scheme] == 1 else f"{scheme}-{seen[scheme]}")
    return names


class _Listener(logging.Filter):
    """Catches what a logger is told; no handler ever gets it."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno >= logging.WARNING:
            self.heard.append(record.getMessage())
        return False


def _send(name: str, url: str, message: Notification) -> ServiceAnswer:
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # at its finest it writes down paths
    listener, log = _Listener(), logging.getLogger("apprise")
    log.addFilter(listener)
    try:
        return _answer(name, url, message, heard=listener.heard)
    except Exception as error:  # noqa: BLE001 - whatever a service's code does, it is an undelivered message
        return ServiceAnswer(service=name, ok=False, said=type(error).__name__)
    finally:
        log.removeFilter(listener)


def _answer(name: str, url: str, message: Notification, *, heard: Sequence[str]) -> ServiceAnswer:
    from apprise import Apprise, AppriseAsset, NotifyFormat, NotifyType  # noqa: PLC0415 - half a second, and many need none

    service: Any = Apprise.instantiate(url, asset=AppriseAsset(app_id="Steward", secure_logging=True))
    if service is None:
        return ServiceAnswer(service=name, ok=False, said="this is no address that apprise knows")
    kind = NotifyType.WARNING if message.urgent else NotifyType.INFO
    if service.notify(title=message.title, body=message.body, notify_type=kind, body_format=NotifyFormat.TEXT):
        return ServiceAnswer(service=name, ok=True, said="delivered")
    return ServiceAnswer(service=name, ok=False, said=_without(url, heard[-1]) if heard else "it did not take it")


def _without(url: str, text: str) -> str:
    """``text`` without any part of ``url`` but its scheme."""
    parts = re.split(r"[^A-Za-z0-9._~%-]+", url.partition("://")[2])
    for part in sorted((p for p in parts if len(p) >= _TELLING), key=len, reverse=True):
        text = text.replace(part, "…")
    return text
