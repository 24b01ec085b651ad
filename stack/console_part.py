"""The console as a part: started after the worker, which prepares the database."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from stack import http
from stack.part import Launch
from stack.ports import HOST


def console_url(port: int) -> str:
    return f"http://{HOST}:{port}"


class Console:
    """The part. ``environ`` says where the servers are, ``url`` where the operator finds it."""

    name = "console"
    grace = 8.0
    patience = 60.0

    def __init__(self, *, code: Path, environ: Mapping[str, str], port: int, url: str) -> None:
        own = {"STEWARD_CONSOLE_HOST": HOST, "STEWARD_CONSOLE_PORT": str(port), "STEWARD_CONSOLE_URL": url}
        self._launch = Launch((sys.executable, "-m", "console"), {**environ, **own}, folder=code)
        self._port = port

    @property
    def address(self) -> str:
        return f"{HOST}:{self._port}"

    async def prepare(self) -> None:
        """Nothing: the worker has done it."""

    def choose_ports(self) -> None:
        """It was chosen with the stack's, so that its address is known before it runs."""

    def launch(self) -> Launch:
        return self._launch

    async def ready(self, pid: int, /) -> bool:
        """When it is this one that answers: another stack may have taken the port in the same moment."""
        answer = await http.get(self._port, "/health")
        return answer is not None and json.loads(answer).get("pid") == pid
