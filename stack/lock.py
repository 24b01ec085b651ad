"""One supervisor a home: a lock file that the kernel releases when its holder dies, however it dies."""

import fcntl
import os
import time
from pathlib import Path
from typing import Self

PATIENCE = 0.5
"""Seconds. Asking who holds the lock takes it for an instant, so taking it tries for a little while."""


class SupervisorLock:
    """The lock, taken. It survives a fork and is gone with the last process that has it open."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def take(cls, path: Path) -> Self | None:
        """The lock, or None when another supervisor has it. Raises OSError."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + PATIENCE
        while not _locked(descriptor, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                os.close(descriptor)
                return None
            time.sleep(0.02)
        os.ftruncate(descriptor, 0)
        return cls(descriptor)

    def name_holder(self, pid: int) -> None:
        os.pwrite(self._descriptor, b"%d\n" % pid, 0)


def is_held(path: Path) -> bool:
    """Whether a supervisor lives."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        return not _locked(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def holder(path: Path) -> int | None:
    """The pid of the supervisor that lives, or None. It may be unknown for an instant while one starts."""
    if not is_held(path):
        return None
    written = path.read_text().strip()
    return int(written) if written else None


def _locked(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
