"""Helpers of the stack's tests."""

import os
import signal
import time
from collections.abc import Callable

import psutil
import psycopg

import stack
from settings import Settings
from stack.layout import Layout
from stack.lock import holder

WITHIN = 20.0


def eventually(fact: Callable[[], bool], what: str) -> None:
    """Poll until the fact holds."""
    deadline = time.monotonic() + WITHIN
    while not fact():
        assert time.monotonic() < deadline, f"never came true: {what}"
        time.sleep(0.02)


def kill(settings: Settings, *parts: str) -> None:
    for name in parts:
        pid = stack.status(settings).part(name).pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)


def kill_supervisor(settings: Settings) -> None:
    layout = Layout(settings.home)
    pid = holder(layout.lock)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: holder(layout.lock) is None, "the supervisor's lock is free")


def pids(settings: Settings) -> dict[str, int]:
    return {part.name: part.pid for part in stack.status(settings).parts if part.pid}


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def query(url: str, statement: str) -> object:
    """The first value of the first row, if the statement answers rows."""
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        cursor = connection.execute(statement.encode())
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None
