"""The embedded Chroma: its server in a process of its own."""

import sys
from collections.abc import Mapping
from pathlib import Path

from stack import http
from stack.layout import Layout
from stack.part import Launch
from stack.ports import HOST, PortBook

SERVER = Path(__file__).with_name("chroma_server.py")


class Chroma:
    """The part."""

    name = "chroma"
    grace = 10.0
    patience = 60.0

    def __init__(self, layout: Layout, *, ports: PortBook, environ: Mapping[str, str]) -> None:
        self._data = layout.data / "chroma"
        self._ports = ports
        kept = {name: value for name, value in environ.items() if not name.startswith(("CHROMA_", "OTEL_"))}
        self._environ = kept | {"ANONYMIZED_TELEMETRY": "False", "NO_COLOR": "1"}
        self._port = 0

    @property
    def address(self) -> str:
        return f"{HOST}:{self._port}"

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    async def prepare(self) -> None:
        self._data.mkdir(mode=0o700, exist_ok=True)

    def choose_ports(self) -> None:
        self._port = self._ports.claim(self.name)

    def launch(self) -> Launch:
        command = (sys.executable, str(SERVER), "run", "--path", str(self._data), "--host", HOST)
        return Launch((*command, "--port", str(self._port)), self._environ)

    async def ready(self, _pid: int, /) -> bool:
        return await http.get(self._port, "/api/v2/heartbeat") is not None
