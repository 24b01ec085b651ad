"""The embedded Temporal server: the development server with its database in a file, tuned for many small steps."""

import json
from collections.abc import Mapping
from datetime import timedelta

from stack import http, programs
from stack.layout import Layout
from stack.part import Launch
from stack.ports import HOST, PortBook
from stack.search_attributes import SEARCH_ATTRIBUTES

UI_PORT = 8233
POLLS_PER_SECOND = 2000
"""The default of 20 on the one shard makes every task wait 50 ms."""
DYNAMIC_CONFIG = {
    "history.transferProcessorMaxPollRPS": POLLS_PER_SECOND,
    "history.timerProcessorMaxPollRPS": POLLS_PER_SECOND,
    "history.visibilityProcessorMaxPollRPS": POLLS_PER_SECOND,
}
RETENTION = timedelta(days=90)
"""How long a finished run can be looked at, and its id cannot be used again; the server's own default is one day."""
PRAGMAS = {"journal_mode": "wal", "synchronous": "normal"}


class Temporal:
    """The part: server and Web UI in one process."""

    name = "temporal"
    grace = 10.0
    patience = 60.0

    def __init__(self, layout: Layout, *, namespace: str, ports: PortBook, environ: Mapping[str, str]) -> None:
        self._database = layout.data / "temporal" / "temporal.db"
        self._namespace = namespace
        self._ports = ports
        self._environ = {name: value for name, value in environ.items() if not name.startswith("TEMPORAL_")}
        self._port = self._http_port = self._ui_port = 0

    @property
    def address(self) -> str:
        return f"{HOST}:{self._port}"

    @property
    def ui_url(self) -> str:
        return f"http://{HOST}:{self._ui_port}"

    async def prepare(self) -> None:
        self._database.parent.mkdir(mode=0o700, exist_ok=True)

    def choose_ports(self) -> None:
        self._port = self._ports.claim("temporal")
        self._http_port = self._ports.claim("temporal-http")
        self._ui_port = self._ports.claim("temporal-ui", preferred=UI_PORT)

    def launch(self) -> Launch:
        options = {
            "--ip": HOST,
            "--port": str(self._port),
            "--http-port": str(self._http_port),
            "--ui-port": str(self._ui_port),
            "--db-filename": str(self._database),
            "--namespace": self._namespace,
            "--log-level": "warn",
        }
        words = [word for option in options.items() for word in option]
        words += _pairs("--sqlite-pragma", PRAGMAS)
        words += _pairs("--dynamic-config-value", DYNAMIC_CONFIG)
        words += _pairs("--search-attribute", SEARCH_ATTRIBUTES)
        words += ["--ui-disable-news-fetch", "--disable-config-file"]
        return Launch((str(programs.temporal()), "server", "start-dev", *words), self._environ)

    async def ready(self, _pid: int, /) -> bool:
        """The server knows the namespace and its search attributes, and keeps finished runs."""
        namespace = f"/api/v1/namespaces/{self._namespace}"
        answer = await http.get(self._http_port, f"{namespace}/search-attributes")
        if answer is None or not SEARCH_ATTRIBUTES.keys() <= json.loads(answer).get("customAttributes", {}).keys():
            return False
        keep = {"config": {"workflowExecutionRetentionTtl": f"{RETENTION.total_seconds():.0f}s"}}
        return await http.post(self._http_port, f"{namespace}/update", keep) is not None


def _pairs(option: str, values: Mapping[str, object]) -> list[str]:
    return [word for name, value in values.items() for word in (option, f"{name}={value}")]
