"""Ends what a run of the tests leaves running when it is killed, and removes its folder: ``python reaper.py RUN FOLDER``.

A stack outlives whoever started it, so that a killed run would leave servers behind, and they would slow down the next.
"""

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp
from uuid import uuid4

import psutil

MARK = "STEWARD_TEST_RUN"
"""Variable that every process of a run inherits; its value names the run."""
IN_MEMORY = Path("/dev/shm")
ROOM = 4 * 2**30
"""Bytes that a file system in memory must have free; a run takes a fifth of it at most."""
GRACE = 20.0
_watching: list["subprocess.Popen[bytes]"] = []


def watched_folder() -> str:
    """A folder for this process's run, which is watched from now on.

    In memory where there is room: every test has a database of 400 files, and no power fails in a test.
    """
    roomy = IN_MEMORY.is_dir() and shutil.disk_usage(IN_MEMORY).free >= ROOM
    folder = mkdtemp(prefix="steward-tests-", dir=IN_MEMORY if roomy else None)
    os.environ[MARK] = run = uuid4().hex
    command = [sys.executable, __file__, run, folder]
    _watching.append(subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True))
    return folder


def main(run: str, folder: str) -> None:
    sys.stdin.buffer.read()  # comes to its end with the process that started this one, however that ends
    left = [process for process in psutil.process_iter() if process.pid != os.getpid() and _of(run, process)]
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, stubborn = psutil.wait_procs(left, timeout=GRACE)
    for process in stubborn:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(stubborn, timeout=GRACE)
    shutil.rmtree(folder, ignore_errors=True)


def _of(run: str, process: psutil.Process) -> bool:
    try:
        return process.environ().get(MARK) == run
    except (psutil.Error, OSError):
        return False


if __name__ == "__main__":
    main(*sys.argv[1:])
