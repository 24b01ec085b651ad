"""What a kind of outside system is: what it asks the operator, what it can do and read, and how it is opened.

A connector is one module with a ``KIND`` at its end, listed in ``connectors.registry``.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from connectors.offered_tools import OfferedTool
from domain.actions import Capability
from domain.errors import InvalidInput
from domain.ports import Analytics, Attempts, Bell, Connector, Source


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One thing to know about a system. ``check`` raises InvalidInput, or gives the value as it is kept."""

    name: str
    ask: str
    default: str | None = None  # None: it has to be said
    secret: bool = False
    check: Callable[[str], str] = str.strip


@dataclass(frozen=True, kw_only=True)
class Opening:
    """What an adapter is made from. ``folder`` is the connection's own, private, and may not exist yet; ``attempts`` keep
    what is about to be sent to a system that cannot be asked afterwards.
    """

    name: str
    settings: Mapping[str, str]
    secrets: Mapping[str, SecretStr]
    folder: Path
    attempts: Attempts

    def secret(self, name: str) -> str:
        return self.secrets[name].get_secret_value()


async def _nothing_to_close() -> None:
    return


@dataclass(frozen=True, kw_only=True)
class Opened:
    """The adapters of one connection. ``check`` calls the system and says in one line how it is."""

    check: Callable[[], Awaitable[str]]
    connectors: Mapping[Capability, Connector] = field(default_factory=dict)
    source: Source | None = None
    bell: Bell | None = None
    analytics: Analytics | None = None
    offered: Callable[[], Awaitable[tuple[OfferedTool, ...]]] | None = None  # the tools of a server, as it describes them now
    close: Callable[[], Awaitable[None]] = _nothing_to_close


@dataclass(frozen=True, kw_only=True)
class Kind:
    """``reads`` names its streams, ``does`` what it can do and ``measures`` what it counts of pages, in words for the operator.

    ``called``: the system can call us when something happens, at ``/hooks/<connection>`` of the console. Opening does no I/O.
    """

    name: str
    title: str
    settings: tuple[Setting, ...]
    open: Callable[[Opening], Opened]
    reads: Mapping[str, str] = field(default_factory=dict)
    does: Mapping[Capability, str] = field(default_factory=dict)
    called: bool = False
    measures: str = ""

    def checked(self, given: Mapping[str, str]) -> dict[str, str]:
        """The settings of a connection, each in its own form, and the secrets that were given. Raises InvalidInput.

        A secret that was not given may be kept already, so only the first call can miss it.
        """
        if unknown := sorted(given.keys() - {s.name for s in self.settings}):
            raise InvalidInput(f"{self.name} has no setting {unknown[0]!r}", hint=f"it has {self._names()}")
        wanted = (s for s in self.settings if not s.secret or given.get(s.name))
        return {setting.name: self._checked(setting, given.get(setting.name, "")) for setting in wanted}

    def _checked(self, setting: Setting, value: str) -> str:
        if not value.strip():
            if setting.default is None:
                raise InvalidInput(f"{self.name} needs {setting.name}: {setting.ask}", hint=f"--set {setting.name}=...")
            return setting.check(setting.default)
        return setting.check(value)

    def _names(self) -> str:
        return ", ".join(setting.name for setting in self.settings)


def whole_number(low: int, high: int) -> Callable[[str], str]:
    """A check for settings that are numbers."""

    def check(value: str) -> str:
        if not value.strip().isdecimal() or not low <= int(value) <= high:
            raise InvalidInput(f"{value.strip()[:40]!r} is not a whole number from {low} to {high}")
        return str(int(value))

    return check


def one_of(*words: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if value.strip().lower() not in words:
            raise InvalidInput(f"{value.strip()[:40]!r} is none of {', '.join(words)}")
        return value.strip().lower()

    return check


def day(value: str) -> str:
    """``today``, or an ISO date."""
    if value.strip().lower() == "today":
        return datetime.now(UTC).date().isoformat()
    try:
        return date.fromisoformat(value.strip()).isoformat()
    except ValueError:
        raise InvalidInput(f"{value.strip()[:40]!r} is not a day", hint="today, or such as 2026-01-31") from None


def web_address(value: str) -> str:
    """An address of a server, or nothing. Raises InvalidInput."""
    address = value.strip()
    try:
        parts = urlsplit(address)
    except ValueError:
        parts = urlsplit("")
    if address and (parts.scheme not in ("http", "https") or not parts.hostname or parts.username):
        raise InvalidInput(f"{address[:60]!r} is not a web address", hint="such as https://tools.example/mcp")
    return address
