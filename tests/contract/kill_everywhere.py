"""Kill a connector with SIGKILL at every line of its code, one child process a line, and count what is left behind.

Usage: ``python -m tests.contract.kill_everywhere CAPABILITY DIRECTORY``; prints {"kills", "torn", "lost", "doubled"}.
"""

import asyncio
import json
import os
import shutil
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

from domain.actions import Capability
from tests.contract.outside_cases import NOW, make

CODE = str(Path(__file__).parents[2] / "connectors")


def main(capability: Capability, directory: Path) -> dict[str, int]:
    counts = {"kills": 0, "torn": 0, "lost": 0, "doubled": 0}
    survived = False
    while not survived:
        home = directory / "home"
        shutil.rmtree(home, ignore_errors=True)
        version = asyncio.run(prepare(capability, home))
        survived = not killed_at(counts["kills"] + 1, capability, home, version)
        for what, number in asyncio.run(inspect(capability, home, version)).items():
            counts[what] += number
        counts["kills"] += not survived
    return counts


async def prepare(capability: Capability, home: Path) -> str:
    case = await make(capability, home)
    return (await case.connector.preview(case.action)).record_version


async def inspect(capability: Capability, home: Path, version: str) -> dict[str, int]:
    """What the receipt says against what is there, and what is there after the same key is tried again."""
    case = await make(capability, home)
    known = await case.connector.find_receipt(case.action, key="k")
    torn = int(bool(known) != bool(await case.count()))
    await case.connector.execute(case.action, key="k", expected_version=version, now=NOW)
    effects = await case.count()
    return {"torn": torn, "lost": int(effects == 0), "doubled": int(effects > 1)}


def killed_at(line: int, capability: Capability, home: Path, version: str) -> bool:
    """Execute in a child that dies before the ``line``-th line of connector code; False where it came to its end."""
    child = os.fork()
    if child == 0:
        trace = Countdown(line)
        threading.settrace(trace)
        case = asyncio.run(make(capability, home))
        trace.armed = True
        asyncio.run(case.connector.execute(case.action, key="k", expected_version=version, now=NOW))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


class Countdown:
    """A trace function that kills its own process."""

    def __init__(self, left: int) -> None:
        self.left = left
        self.armed = False

    def __call__(self, frame: FrameType, event: str, arg: Any) -> "Countdown | None":
        if not self.armed or not frame.f_code.co_filename.startswith(CODE):
            return None
        if event == "line":
            self.left -= 1
            if not self.left:
                os.kill(os.getpid(), signal.SIGKILL)
        return self


if __name__ == "__main__":
    print(json.dumps(main(Capability(sys.argv[1]), Path(sys.argv[2]))))
