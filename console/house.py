"""What the pages may reach: the opened system, bound once in ``console/__main__.py`` or in a test."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from temporalio.client import Client

from console.doorkeeper import Doorkeeper
from domain.actions import Capability
from domain.connections import Connection
from domain.ports import Connector, Sources
from memory.memory import Memory
from workflows.deciding import Decider
from workflows.gateway import Gateway

LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, kw_only=True)
class House:
    """``hosts`` are the names, with port, under which a browser may ask; ``public_url`` is the one that links are made of.

    ``call`` calls a connected system now and gives what it says, or raises; ``sources`` know the calls that come from one.
    ``ui_url`` is the Temporal Web UI, empty where none is known.
    """

    memory: Memory
    client: Client
    gateway: Gateway
    connectors: Mapping[Capability, Connector]
    call: Callable[[Connection], Awaitable[str]]
    sources: Sources
    decider: Decider
    doorkeeper: Doorkeeper
    clock: Callable[[], datetime]
    hosts: frozenset[str]
    public_url: str
    ui_url: str = ""
    home: Path

    @property
    def secure(self) -> bool:
        """Whether cookies are for TLS only."""
        return self.public_url.startswith("https://")


def behind_proxy(console_url: str | None) -> bool:
    """Whether an address was named under which only a proxy can be found. The stack's own is one of this machine."""
    return bool(console_url) and urlsplit(console_url).hostname not in LOOPBACK


def hosts_of(port: int, public_url: str) -> frozenset[str]:
    """Loopback under ``port``, and the host of ``public_url``."""
    own = public_url.partition("://")[2].partition("/")[0]
    return frozenset({own, *(f"{_bracketed(name)}:{port}" for name in LOOPBACK)})


def _bracketed(name: str) -> str:
    return f"[{name}]" if ":" in name else name
