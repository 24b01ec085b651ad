"""What the doctor calls wrong is what somebody should mend."""

import pytest

from settings import Settings
from stack.doctor import Finding, _servers
from stack.state import Condition, StackState


@pytest.mark.parametrize(("state", "ok"), [("running", True), ("backoff", False)])
def test_a_restart_is_wrong_only_until_the_part_runs_again(state: Condition, ok: bool) -> None:
    """Then it is a note that says why."""
    status = StackState(phase="running").with_part("worker", state=state, restarts=2, last_error="was ended by SIGKILL")
    (found,) = _servers(Settings(), status)
    said = "2, the last because it was ended by SIGKILL" + ("; it runs again" if ok else "")
    assert found == Finding("worker restarts", ok, said, "see `steward logs worker`")
