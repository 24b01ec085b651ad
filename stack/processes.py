"""Processes by pid and creation time: a pid alone may have been given to somebody else since."""

import contextlib
from collections.abc import Iterable
from signal import SIGINT, SIGTERM, Signals

import psutil

from stack.state import StackState

TOLERANCE = 2.0
"""Seconds. The kernel counts from boot, and the boot time is known to about a second."""
LEFTOVER_GRACE = 15.0
"""Seconds a leftover gets to end by itself before it is killed."""


def created_at(pid: int) -> float | None:
    """When the process was created, in seconds since 1970; None when there is none (or only its zombie)."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.NoSuchProcess:
        return None


def is_alive(pid: int | None, created: float | None) -> bool:
    """Whether exactly this process lives."""
    if pid is None or created is None:
        return False
    found = created_at(pid)
    return found is not None and abs(found - created) <= TOLERANCE


def end_leftovers(state: StackState) -> tuple[str, ...]:
    """End the parts that a dead supervisor left running. Returns their names."""
    left = [part for part in state.parts if is_alive(part.pid, part.created)]
    end((part.pid, stop_signal(part.name)) for part in left if part.pid is not None)
    return tuple(part.name for part in left)


def stop_signal(part: str) -> Signals:
    """The signal that stops a part gracefully. PostgreSQL's SIGTERM would wait for every client to leave."""
    return SIGINT if part == "postgres" else SIGTERM


def end(targets: Iterable[tuple[int, Signals]]) -> None:
    """Send each process its signal, wait, and kill those that stay."""
    processes = []
    for pid, signal in targets:
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            process.send_signal(signal)
            processes.append(process)
    _, stubborn = psutil.wait_procs(processes, timeout=LEFTOVER_GRACE)
    for process in stubborn:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(stubborn, timeout=LEFTOVER_GRACE)
