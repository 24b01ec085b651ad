"""Signals to processes."""

import os
import signal
import subprocess
import sys
from asyncio.subprocess import Process
from types import SimpleNamespace
from typing import cast

from stack.part import send
from tests.stack.support import gone
from tests.waiting import until


def test_a_process_that_has_just_ended_keeps_its_exit_code() -> None:
    """For whoever waits for it: a signal that comes too late takes nothing away."""
    child = subprocess.Popen([sys.executable, "-S", "-c", "raise SystemExit(7)"])
    until(lambda: gone(child.pid) or None)
    send(cast(Process, SimpleNamespace(pid=child.pid, returncode=None)), signal.SIGTERM)
    _, status = os.waitpid(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 7
    send(cast(Process, SimpleNamespace(pid=child.pid, returncode=7)), signal.SIGTERM)
