"""The worker as a part, in a checkout with a worker of the test's own, through the commands a person types."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import stack
from settings import CHECKOUT, Settings
from tests.stack.support import eventually, gone, kill_supervisor

Steward = Callable[..., "subprocess.CompletedProcess[str]"]

MAIN = """
import typer
from cli.stack_commands import register
app = typer.Typer()
register(app)
app()
"""
WORKER = """
import os, pathlib, signal, sys, threading
home = pathlib.Path(os.environ["STEWARD_HOME"])
if sys.argv[1] == "prepare":
    if (home / "broken").exists():
        sys.exit("migration 7 failed: the column is not there")
    sys.exit(0)
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
names = ("DATABASE_URL", "TEMPORAL_ADDRESS", "CHROMA_URL", "STEWARD_HOME")
pathlib.Path(os.environ["STEWARD_READY_FILE"]).write_text("\\n".join(os.environ[name] for name in names))
stop.wait()
(home / "worker-stopped-in-order").touch()
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The code of the stack, and of the memory that `up` prepares, with the worker above: started exactly as the real one is."""
    folder = tmp_path / "checkout"
    for name in ("stack", "memory", "domain"):
        shutil.copytree(CHECKOUT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "cli").mkdir()
    for name in ("entrance.py", "kill_switch.py", "output.py", "stack_commands.py", "times.py"):
        shutil.copy(CHECKOUT / "cli" / name, folder / "cli")
    shutil.copy(CHECKOUT / "settings.py", folder)
    (folder / "main.py").write_text(MAIN)
    (folder / "worker.py").write_text(WORKER)
    return folder


@pytest.fixture
def steward(checkout: Path, settings: Settings) -> Iterator[Steward]:
    def run(*words: str) -> "subprocess.CompletedProcess[str]":
        without = ["--no-console"] if words[0] == "up" else []  # it would need the rest of the code
        command = [sys.executable, "main.py", *words, *without]
        environ = settings.environ() | {"COLUMNS": "400"}
        return subprocess.run(command, cwd=checkout, env=environ, capture_output=True, text=True, check=False)

    yield run
    run("down")


def test_up_prepares_and_starts_the_worker_and_down_lets_it_finish(steward: Steward, settings: Settings) -> None:
    """The worker is given the addresses; `down` stops it first, and by SIGTERM."""
    up = steward("up", "--json")
    assert up.returncode == 0, up.stderr
    told = (settings.home / "run" / "worker.ready").read_text().splitlines()
    found = stack.endpoints(settings)
    assert found is not None
    assert told == [found.database_url, found.temporal_address, found.chroma_url, str(settings.home)]

    assert json.loads(steward("down", "--json").stdout) == {"stopped": True}
    assert (settings.home / "worker-stopped-in-order").exists()


def test_a_killed_worker_is_restarted_and_ends_with_its_supervisor(steward: Steward, settings: Settings) -> None:
    """The restart is counted; and no worker goes on without anybody who watches it."""
    steward("up")
    first = stack.worker_pid(settings)
    assert first is not None
    os.kill(first, signal.SIGKILL)
    eventually(lambda: stack.worker_pid(settings) not in (None, first), "another worker runs")
    parts = json.loads(steward("status", "--json").stdout)["parts"]
    worker = next(part for part in parts if part["name"] == "worker")
    assert (worker["restarts"], worker["last_error"]) == (1, "was ended by SIGKILL")

    kill_supervisor(settings)
    if sys.platform == "linux":
        eventually(lambda: gone(worker["pid"]), "the worker has ended by itself")
    steward("down")
    assert gone(worker["pid"])


def test_a_worker_that_cannot_be_prepared_fails_up_with_its_last_lines(steward: Steward, settings: Settings) -> None:
    """`up` exits 1 and shows why; nothing is left running, and the next `up` works."""
    settings.home.mkdir()
    (settings.home / "broken").touch()
    up = steward("up")
    assert up.returncode == 1
    assert "migration 7 failed: the column is not there" in up.stderr
    assert "Traceback" not in up.stderr
    assert stack.endpoints(settings) is None

    (settings.home / "broken").unlink()
    assert steward("up").returncode == 0


def test_the_worker_can_join_servers_that_run_already(steward: Steward, settings: Settings) -> None:
    """`up --no-worker`, then `up`: the servers stay as they are; `doctor` says what is missing, `logs` what they said last."""
    assert steward("up", "--no-worker").returncode == 0
    doctor = steward("doctor", "--json")
    assert [f["name"] for f in json.loads(doctor.stdout) if not f["ok"]] == ["worker"]
    assert "no worker runs" in doctor.stdout
    (line,) = steward("logs", "postgres", "-n", "1", "--json").stdout.splitlines()
    assert json.loads(line)["part"] == "postgres"
    assert "ready to accept connections" in json.loads(line)["line"]
    before = stack.status(settings)
    assert stack.worker_pid(settings) is None
    assert steward("up").returncode == 0

    assert stack.worker_pid(settings) is not None
    assert [part.pid for part in stack.status(settings).parts[:3]] == [part.pid for part in before.parts[:3]]


def test_the_commands_answer_for_people_and_for_programs(steward: Steward) -> None:
    """Before the first start `status` says stopped (exit code 3) and `doctor` names the command to run (1)."""
    status, doctor, logs = steward("status"), steward("doctor", "--json"), steward("logs", "nonsense")
    assert (status.returncode, status.stdout.strip()) == (3, "Steward is stopped.")
    findings = {finding["name"]: finding for finding in json.loads(doctor.stdout)}
    assert findings["home"]["ok"]
    assert findings["postgres programs"]["ok"]
    assert findings["stack"] == {"name": "stack", "ok": False, "detail": "stopped", "hint": "run `steward up`"}
    assert doctor.returncode == 1
    assert logs.returncode == 2
