"""Up, down, twice, killed."""

import subprocess
import sys
import urllib.request

import psutil
import psycopg
import pytest

import stack
from settings import CHECKOUT, Settings
from tests.stack.support import eventually, gone, kill, kill_supervisor, pids, query

THREE = ["postgres", "temporal", "chroma"]


def test_up_serves_all_three_and_down_ends_them(settings: Settings) -> None:
    """After `up` each server answers, the database to its own password only; after `down` no process is left."""
    up = stack.start(settings, worker=False)
    assert query(up.database_url, "SELECT current_setting('server_version_num')::int / 10000") == 18
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        query(up.database_url.replace("steward:", "steward:not-"), "SELECT 1")
    assert up.ui_url is not None
    with urllib.request.urlopen(up.ui_url, timeout=10) as page:
        assert page.status == 200
    started = pids(settings)
    assert list(started) == THREE

    assert stack.stop(settings)
    assert all(gone(pid) for pid in started.values())
    assert stack.status(settings).phase == "stopped"
    assert stack.endpoints(settings) is None


def test_no_server_is_given_a_secret(settings: Settings) -> None:
    """What only our own programs need is in the environment of none: neither keys nor passwords nor tokens."""
    secrets = {"ANTHROPIC_API_KEY", "STEWARD_TOKEN", "STEWARD_SECRET_MAIL_PASSWORD", "STEWARD_NOTIFY_URLS", "TEMPORAL_API_KEY"}
    given = Settings.load({"STEWARD_HOME": str(settings.home), **dict.fromkeys(secrets, "s3cret")})
    stack.start(given, worker=False)
    environments = [psutil.Process(pid).environ() for pid in pids(given).values()]
    assert len(environments) == len(THREE)
    assert all("PATH" in environment for environment in environments)
    assert not any(secrets & environment.keys() or "s3cret" in environment.values() for environment in environments)


def test_up_is_one_stack_however_often_and_at_once_it_is_called(settings: Settings) -> None:
    """Two concurrent `up` and a third give the same processes and the same endpoints."""
    program = "from settings import Settings; import stack; print(stack.start(Settings.load(), worker=False))"
    both = [
        subprocess.Popen([sys.executable, "-c", program], cwd=CHECKOUT, env=settings.environ(), stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    answers = {process.communicate(timeout=60)[0].strip() for process in both}
    before = pids(settings)
    third = stack.start(settings, worker=False)

    assert answers == {str(third)}
    assert pids(settings) == before


def test_a_killed_part_is_restarted_and_that_is_said(settings: Settings) -> None:
    """After SIGKILL each part comes back at its address with its data, and status says what happened."""
    up = stack.start(settings, worker=False)
    query(up.database_url, "CREATE TABLE kept AS SELECT 42 AS answer")
    kill(settings, *THREE)

    eventually(lambda: all(stack.status(settings).part(name).restarts for name in THREE), "all have been restarted")
    eventually(lambda: all(stack.status(settings).part(name).state == "running" for name in THREE), "all run again")
    assert query(up.database_url, "SELECT answer FROM kept") == 42
    assert stack.status(settings).part("chroma").last_error == "was ended by SIGKILL"
    assert any(note.startswith("chroma: was ended by SIGKILL; restarting in") for note in stack.status(settings).notes)


def test_a_killed_supervisor_leaves_nothing_that_blocks_the_next_start(settings: Settings) -> None:
    """After SIGKILL of the supervisor the state says so, and the next `up` serves the same data again."""
    up = stack.start(settings, worker=False)
    query(up.database_url, "CREATE TABLE kept AS SELECT 42 AS answer")
    orphans = pids(settings)
    kill_supervisor(settings)
    assert stack.status(settings).phase == "died"

    again = stack.start(settings, worker=False)
    assert query(again.database_url, "SELECT answer FROM kept") == 42
    assert all(gone(pid) for pid in orphans.values())


def test_down_ends_what_a_killed_supervisor_left(settings: Settings) -> None:
    """`down` without a supervisor leaves no process either."""
    stack.start(settings, worker=False)
    orphans = pids(settings)
    kill_supervisor(settings)
    stack.stop(settings)

    assert all(gone(pid) for pid in orphans.values())
    assert stack.status(settings).phase == "stopped"


def test_down_of_a_stack_that_never_was_is_no_error(settings: Settings) -> None:
    """There is nothing to stop, and no folder is made to find that out."""
    assert not stack.stop(settings)
    assert not settings.home.exists()
