"""What the doctor calls wrong is what somebody should mend."""

import time

import pytest

from settings import Settings
from stack.doctor import Finding, _servers
from stack.state import Condition, StackState

LOGS = "see `steward logs worker`"


@pytest.mark.parametrize(
    ("state", "seconds", "ok", "said", "hint"),
    [
        ("running", 60.0, True, "; it runs again", f"look again in 30 seconds; {LOGS}"),
        ("running", 2.0, False, "; it runs again", f"look again in 30 seconds; {LOGS}"),
        ("backoff", 60.0, False, "", LOGS),
    ],
)
def test_a_restart_is_wrong_only_until_the_part_has_run_for_a_while(
    state: Condition, seconds: float, ok: bool, said: str, hint: str
) -> None:
    """Then it is a note that says why; what dies over and over runs now and then, too."""
    since = time.time() - seconds
    status = StackState(phase="running").with_part(
        "worker", state=state, since=since, restarts=2, last_error="was ended by SIGKILL"
    )
    (found,) = _servers(Settings(), status)
    assert found == Finding("worker restarts", ok, f"2, the last because it was ended by SIGKILL{said}", hint)
