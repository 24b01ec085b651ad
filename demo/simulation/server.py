"""A Temporal server of the simulation's own: it forgets everything at its end and lets clocks be put forward."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from stack.part import Launch, send, spawn
from stack.ports import HOST, PortBook
from stack.programs import temporal
from stack.search_attributes import SEARCH_ATTRIBUTES
from stack.temporal import DYNAMIC_CONFIG

_SKIPPING = {
    "frontend.WorkflowTimeSkippingEnabled": "true",
    "history.timerProcessorMaxTimeShift": '"200ms"',  # every skip costs as much; less than a busy machine's delays loses timers
}
_GRACE_SECONDS = 10.0


@asynccontextmanager
async def skipping_server(namespaces: Iterable[str], *, folder: Path) -> AsyncIterator[str]:
    """Its address, ``host:port``. Its log is in ``folder``; it cannot outlive this process."""
    port = PortBook(folder / "ports.json", say=lambda _: None).claim("temporal")
    words = ["--headless", "--ip", HOST, "--port", str(port), "--log-level", "error", "--disable-config-file"]
    words += _repeated("--namespace", namespaces)
    words += _repeated("--dynamic-config-value", (f"{k}={v}" for k, v in {**DYNAMIC_CONFIG, **_SKIPPING}.items()))
    words += _repeated("--search-attribute", (f"{k}={v}" for k, v in SEARCH_ATTRIBUTES.items()))
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")}
    environ.setdefault("GOGC", "400")  # it lives for minutes and does little else than allocate
    launch = Launch((str(temporal()), "server", "start-dev", *words), environ)
    with (folder / "temporal.log").open("wb") as log:
        server = await spawn(launch, death_signal=signal.SIGTERM, out=log)
        try:
            yield f"{HOST}:{port}"
        finally:
            await _ended(server)


async def _ended(server: asyncio.subprocess.Process) -> None:
    send(server, signal.SIGTERM)
    try:
        await asyncio.wait_for(server.wait(), _GRACE_SECONDS)
    except TimeoutError:
        send(server, signal.SIGKILL)
        await server.wait()


def _repeated(option: str, values: Iterable[str]) -> list[str]:
    return [word for value in values for word in (option, value)]
