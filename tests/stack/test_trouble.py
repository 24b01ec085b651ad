"""Each trouble of the machine gives one clear line, or is got over."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

import stack
from settings import CHECKOUT, Settings
from stack.errors import StackError
from stack.layout import Layout
from stack.state import StackState, write_state
from tests.stack.support import query

NOBODY = 65534
# The account may read everything, since the interpreter may be in a folder of root's, but write only where it is allowed to.
AS_NOBODY = (
    f"setpriv --reuid {NOBODY} --regid {NOBODY} --clear-groups --securebits +no_setuid_fixup "
    "--inh-caps -all,+dac_read_search --ambient-caps +dac_read_search --bounding-set -all,+dac_read_search"
).split()
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", disk], check=False).returncode:
        pytest.skip("a small disk can be mounted by root only")
    yield disk
    subprocess.run(["umount", disk], check=True)


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_stale_pid_is_not_mistaken_for_a_part(settings: Settings) -> None:
    """A state file that names a pid now given to another program does that program no harm."""
    bystander = subprocess.Popen(["sleep", "60"])
    layout = Layout(settings.home)
    layout.create()
    created = psutil.Process(bystander.pid).create_time()
    stale = StackState(phase="running").with_part("temporal", state="running", pid=bystander.pid, created=created - 3600)
    write_state(layout.state, stale)

    assert stack.status(settings).part("temporal").state == "stopped"
    stack.start(settings, worker=False)
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_a_pid_file_of_postgres_that_names_another_program_is_got_over(settings: Settings) -> None:
    """PostgreSQL itself would refuse to start: the number in its file belongs to somebody alive."""
    stack.start(settings, worker=False)
    stack.stop(settings)
    cluster = settings.home / "data" / "postgres" / "cluster"
    owner = cluster.stat().st_uid
    bystander = subprocess.Popen(["sleep", "60"], user=owner)
    (cluster / "postmaster.pid").write_text(f"{bystander.pid}\n{cluster}\n1\n1\n\n\n0 0\nready\n")
    os.chown(cluster / "postmaster.pid", owner, -1)

    stack.start(settings, worker=False)
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_a_taken_port_is_replaced_and_that_is_said(settings: Settings, taken_port: int) -> None:
    """The remembered port belongs to another program now: the part moves, and `up` says from where to where."""
    layout = Layout(settings.home)
    layout.create()
    layout.ports.write_text(f'{{"chroma": {taken_port}}}')
    said: list[str] = []
    up = stack.start(settings, worker=False, on_progress=said.append)

    moved = up.chroma_url.rpartition(":")[2]
    assert f"port {taken_port} is taken by another program: chroma uses {moved} instead" in said


def test_an_interrupted_first_start_is_begun_anew(settings: Settings) -> None:
    """What a killed initdb left beside its place is no obstacle."""
    half = settings.home / "data" / "postgres.new" / "cluster"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    up = stack.start(settings, worker=False)

    assert query(up.database_url, "SELECT 1") == 1
    assert not half.exists()


def test_a_damaged_data_folder_is_named_and_left_alone(settings: Settings) -> None:
    """A cluster without its essential files is never overwritten."""
    cluster = settings.home / "data" / "postgres" / "cluster"
    cluster.mkdir(parents=True)
    (cluster / "base").write_text("somebody's data")
    with pytest.raises(StackError, match=r"cluster is damaged.*restore .* from a backup"):
        stack.start(settings, worker=False)

    assert (cluster / "base").read_text() == "somebody's data"
    assert stack.status(settings).phase == "failed"


def test_a_full_disk_is_said_in_one_line(small_disk: Path) -> None:
    """Too little room is found before anything is started."""
    crowded = Settings.load({"STEWARD_HOME": str(small_disk / "home")})
    with pytest.raises(StackError, match=r"the disk that holds .* is full \(\d MB left\).*free some space"):
        stack.start(crowded, worker=False)


@as_root
def test_a_read_only_disk_is_said_in_one_line(small_disk: Path) -> None:
    """Root can write everywhere but there."""
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(StackError, match=r"cannot write to .*: read-only file system.*set STEWARD_HOME"):
        stack.start(Settings.load({"STEWARD_HOME": str(small_disk / "home")}), worker=False)


@pytest.mark.skipif(os.geteuid() == 0, reason="root can write to read-only folders: see the test as another user")
def test_a_read_only_home_is_said_in_one_line(settings: Settings) -> None:
    """The line names the folder and the way out."""
    settings.home.mkdir(mode=0o500)
    with pytest.raises(StackError, match=r"cannot write to .*: permission denied.*set STEWARD_HOME"):
        stack.start(settings, worker=False)


def test_a_home_in_a_deep_folder_works(tmp_path: Path) -> None:
    """A path much longer than that of a Unix socket may be."""
    deep = Settings.load({"STEWARD_HOME": str(tmp_path.joinpath(*["a-folder-with-a-long-name"] * 8, "home"))})
    try:
        up = stack.start(deep, worker=False)
        assert query(up.database_url, "SELECT 1") == 1
    finally:
        stack.stop(deep)


@as_root
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv")
def test_an_ordinary_user_runs_the_stack_too() -> None:
    """The tests of the life cycle, and a read-only home, as the account nobody."""
    scratch = Path("/tmp") / f"steward-nobody-{os.getpid()}"  # not below pytest's folder, which is closed to others
    scratch.mkdir()
    os.chown(scratch, NOBODY, NOBODY)
    environ = {"PATH": os.environ["PATH"], "HOME": str(scratch), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--confcutdir=tests/stack",
        f"--basetemp={scratch}/pytest",
    ]
    chosen = ["tests/stack/test_trouble.py", "tests/stack/test_lifecycle.py", "-k", "read_only_home or killed_part"]
    try:
        done = subprocess.run(
            [*AS_NOBODY, *command, *chosen], env=environ, cwd=CHECKOUT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "2 passed" in done.stdout
    finally:
        shutil.rmtree(scratch)


def test_an_external_database_replaces_the_embedded_one(settings: Settings, tmp_path: Path) -> None:
    """With DATABASE_URL no PostgreSQL is started, and its password is shown nowhere."""
    first = stack.start(settings, worker=False)
    other = Settings.load({"STEWARD_HOME": str(tmp_path / "other"), "DATABASE_URL": first.database_url})
    try:
        second = stack.start(other, worker=False)
        assert second.database_url == first.database_url
        part = stack.status(other).part("postgres")
        assert (part.state, part.pid) == ("external", None)
        assert part.address is not None
        assert "steward" not in part.address
        assert not (other.home / "data" / "postgres").exists()
    finally:
        stack.stop(other)


def test_three_external_servers_leave_nothing_to_start(tmp_path: Path) -> None:
    """Without a worker to run there is no supervisor, no home, and the endpoints are the operator's."""
    given = {"DATABASE_URL": "postgresql://db/x", "TEMPORAL_ADDRESS": "t:7233", "CHROMA_URL": "http://c:8000"}
    cloud = Settings.load({"STEWARD_HOME": str(tmp_path / "home"), **given})
    up = stack.start(cloud, worker=False)

    assert up == stack.endpoints(cloud)
    assert (up.database_url, up.temporal_address, up.chroma_url) == tuple(given.values())
    assert stack.status(cloud).phase == "running"
    assert [part.state for part in stack.status(cloud).parts] == ["external", "external", "external", "stopped", "stopped"]
    assert not cloud.home.exists()
