"""The one place that knows how clocks are skipped (the API is experimental)."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import TimeSkipper

from stack.search_attributes import SEARCH_ATTRIBUTES

TEMPORAL = Path(sys.executable).parent / "temporal"
_CONFIG = (
    "frontend.WorkflowTimeSkippingEnabled=true",
    "history.transferProcessorMaxPollRPS=2000",
    "history.timerProcessorMaxPollRPS=2000",
    "history.visibilityProcessorMaxPollRPS=2000",
)


@contextmanager
def started_server(*more_config: str) -> Iterator[str]:
    """The address of a Temporal server of the caller's own that lets workflows skip waiting time."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = [word for line in (*_CONFIG, *more_config) for word in ("--dynamic-config-value", line)]
    attributes = [word for name, kind in SEARCH_ATTRIBUTES.items() for word in ("--search-attribute", f"{name}={kind}")]
    command = [str(TEMPORAL), "server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", str(port), "--log-level", "never"]
    server = subprocess.Popen([*command, *config, *attributes])
    try:
        _listening(port)
        yield f"127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)


async def skipper(address: str) -> TimeSkipper:
    """A client whose workflows skip time, once the server answers."""
    deadline = time.monotonic() + 30
    while True:
        try:
            return TimeSkipper(await Client.connect(address, data_converter=pydantic_data_converter))
        except RuntimeError:
            if time.monotonic() > deadline:
                raise


def _listening(port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
        else:
            return
