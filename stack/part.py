"""A part of the stack, and how its process is started."""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from stack.account import Account

WRAPPER = Path(__file__).with_name("child.py")


@dataclass(frozen=True)
class Launch:
    """One process to be started. ``environ`` is its whole environment."""

    command: tuple[str, ...]
    environ: Mapping[str, str]
    folder: Path = Path("/")
    account: Account | None = None


class Part(Protocol):
    """One server, or the worker."""

    name: str
    grace: float
    """Seconds it gets to stop by itself."""
    patience: float
    """Seconds it gets to become ready."""

    @property
    def address(self) -> str | None:
        """Where it answers, for people: no password in it."""

    async def prepare(self) -> None:
        """What has to be done once before it can start. Raises StackError."""

    def choose_ports(self) -> None:
        """Claim the ports it will listen on."""

    def launch(self) -> Launch:
        """How to start it now."""

    async def ready(self, pid: int, /) -> bool:
        """Whether the process answers."""


async def spawn(launch: Launch, *, death_signal: signal.Signals, out: int | IO[bytes], stdin: int = DEVNULL) -> Process:
    """Start a process that gets ``death_signal`` when this one dies. Call it from the main thread only:
    the kernel watches the thread that forked, not the process."""
    return await asyncio.create_subprocess_exec(
        *_wrapped(launch, death_signal),
        stdin=stdin,
        stdout=out,
        stderr=STDOUT,
        env=launch.environ,
        cwd=launch.folder,
    )


def send(process: Process, number: signal.Signals) -> None:
    """Signal a process, if it has not ended. Its own method would look first, and in Python up to 3.13 take the exit code of
    one that has just ended away from asyncio, which then complains of an unknown child and reports 255."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)


async def run_to_end(launch: Launch, *, say: str = "") -> tuple[int, str]:
    """Run a command, with ``say`` on its stdin. Returns its exit code and all it wrote; ends it when cancelled."""
    process = await spawn(launch, death_signal=signal.SIGTERM, out=PIPE, stdin=PIPE)
    try:
        output, _ = await process.communicate(say.encode())
    except asyncio.CancelledError:
        send(process, signal.SIGTERM)
        await process.wait()
        raise
    return await process.wait(), output.decode(errors="replace")


def _wrapped(launch: Launch, death_signal: signal.Signals) -> list[str]:
    options = ["--parent", str(os.getpid()), "--signal", str(int(death_signal))]
    if launch.account:
        options += ["--account", f"{launch.account.uid}:{launch.account.gid}"]
        options += ["--reach"] if launch.account.reach else []
    return [sys.executable, "-I", "-S", str(WRAPPER), *options, "--", *launch.command]
