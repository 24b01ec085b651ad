"""Ports on loopback: chosen when first needed, then kept from start to start."""

import json
import os
import random
import socket
import weakref
from collections.abc import Callable
from pathlib import Path

from stack.errors import StackError

HOST = "127.0.0.1"
# Below the range from which Linux and macOS serve outgoing connections, so nobody takes a port between two starts.
CHOICE = range(15_000, 32_000)
TRIES = 200


class PortBook:
    """The ports of one home, remembered in a file. ``say`` is told when a port had to move.

    A server begins to listen seconds after its port was chosen. Until the process of this book ends, the UDP port of the
    same number is bound too: that keeps other stacks off it in between, of any home and any user, and leaves nothing behind.
    """

    def __init__(self, path: Path, *, say: Callable[[str], None]) -> None:
        self._path = path
        self._say = say
        self._ports = _read(path)
        self._held: set[int] = set()

    def claim(self, name: str, *, preferred: int | None = None) -> int:
        """A free port for ``name``: the preferred one, else the one it had before, else any. Raises StackError."""
        remembered = self._ports.get(name)
        wanted = [port for port in (preferred, remembered) if port is not None]
        port = next((port for port in wanted if self._take(port)), None) or self._any()
        if wanted and port != wanted[0]:
            self._say(f"port {wanted[0]} is taken by another program: {name} uses {port} instead")
        if port != remembered:
            self._ports[name] = port
            self._path.write_text(json.dumps(self._ports, indent=1))
        return port

    def _any(self) -> int:
        for port in random.sample(CHOICE, TRIES):
            if self._take(port):
                return port
        raise StackError(f"none of {TRIES} ports tried on {HOST} is free", hint="close programs that listen there")

    def _take(self, port: int) -> bool:
        """False where somebody listens on it, or is about to."""
        if port in self._held:
            return is_free(port)
        with socket.socket(type=socket.SOCK_DGRAM) as held:
            try:
                held.bind((HOST, port))
            except OSError:
                return False
            if not is_free(port):
                return False
            weakref.finalize(self, os.close, held.detach())
        self._held.add(port)
        return True


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1 now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def _read(path: Path) -> dict[str, int]:
    try:
        return {str(name): int(port) for name, port in json.loads(path.read_text()).items()}
    except (FileNotFoundError, ValueError, AttributeError):
        return {}
