"""Kill a connector with SIGKILL at every line of its code, one child process a line, and count what is left behind."""

import asyncio
import json
import os
import shutil
import signal
import threading
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from domain.actions import Capability
from tests import forks
from tests.contract.git_cases import make_in_git
from tests.contract.outside_cases import NOW, Case, make

CODE = str(Path(__file__).parents[2] / "connectors")

Make = Callable[[Path], Awaitable[Case]]
MAKERS: dict[str, Make] = {**{c.value: partial(make, c) for c in Capability}, "site-in-git": make_in_git}


def counted(name: str, directory: Path, *, seconds: float) -> dict[str, int]:
    """{"kills", "torn", "lost", "doubled"} for a capability or ``site-in-git``, counted in a process of its own: it forks."""
    answer = directory / "counts.json"
    forks.end(forks.start(_count, name, directory, answer, imports=__name__), seconds=seconds)
    counts: dict[str, int] = json.loads(answer.read_text())
    print(name, counts)
    return counts


def _count(name: str, directory: Path, answer: Path) -> None:
    answer.write_text(json.dumps(main(MAKERS[name], directory)))


def main(make: Make, directory: Path) -> dict[str, int]:
    counts = {"kills": 0, "torn": 0, "lost": 0, "doubled": 0}
    survived = False
    while not survived:
        home = directory / "home"
        shutil.rmtree(home, ignore_errors=True)
        version = asyncio.run(prepare(make, home))
        survived = not killed_at(counts["kills"] + 1, make, home, version)
        for what, number in asyncio.run(inspect(make, home, version)).items():
            counts[what] += number
        counts["kills"] += not survived
    return counts


async def prepare(make: Make, home: Path) -> str:
    case = await make(home)
    return (await case.connector.preview(case.action)).record_version


async def inspect(make: Make, home: Path, version: str) -> dict[str, int]:
    """What the receipt says against what is there, and what is there after the same key is tried again."""
    case = await make(home)
    known = await case.connector.find_receipt(case.action, key="k")
    torn = int(bool(known) != bool(await case.count()))
    await case.connector.execute(case.action, key="k", expected_version=version, now=NOW)
    effects = await case.count()
    return {"torn": torn, "lost": int(effects == 0), "doubled": int(effects > 1)}


def killed_at(line: int, make: Make, home: Path, version: str) -> bool:
    """Execute in a child that dies before the ``line``-th line of connector code; False where it came to its end."""
    child = os.fork()
    if child == 0:
        trace = Countdown(line)
        threading.settrace(trace)
        case = asyncio.run(_made(make, home))
        trace.armed = True
        asyncio.run(case.connector.execute(case.action, key="k", expected_version=version, now=NOW))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


async def _made(make: Make, home: Path) -> Case:
    return await make(home)


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
