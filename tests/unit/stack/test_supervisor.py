"""Whatever the supervisor has begun to start ends with it."""

import asyncio
import os
import sys
from pathlib import Path

from settings import Settings
from stack.layout import Layout
from stack.part import Launch, Part
from stack.state import Endpoints, read_state
from stack.supervisor import Supervisor
from tests.stack.support import gone
from tests.workflow.waiting import until

NOWHERE = Endpoints(database_url="", temporal_address="", temporal_namespace="", chroma_url="", ui_url=None)


class NeverReady:
    """A part that starts and does not come to answer."""

    name = "console"
    grace = patience = 20.0
    address = None

    async def prepare(self) -> None:
        """Nothing."""

    def choose_ports(self) -> None:
        """None."""

    def launch(self) -> Launch:
        return Launch((sys.executable, "-S", "-c", "import time; time.sleep(60)"), os.environ)

    async def ready(self, _pid: int, /) -> bool:
        return False


class WithIt(Supervisor):
    def _program(self, name: str, endpoints: Endpoints) -> Part:
        return NeverReady()


async def test_a_program_that_is_still_starting_is_stopped_too(tmp_path: Path) -> None:
    """Else it would keep its port for a while after the stack is down."""
    layout = Layout(tmp_path)
    layout.create()
    supervisor = WithIt(Settings(home=tmp_path), layout=layout, left=())

    async def begun() -> int | None:
        return read_state(layout.state).part("console").pid

    starting = asyncio.create_task(supervisor._start_program("console", NOWHERE))
    pid = await until(begun)
    starting.cancel()
    await asyncio.wait([starting])
    await supervisor._stop()
    assert gone(pid)
    assert read_state(layout.state).part("console").state == "stopped"
