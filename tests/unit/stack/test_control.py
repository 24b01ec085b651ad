"""Starting while another command stops."""

from pathlib import Path

import pytest

from stack.control import _follow
from stack.errors import StackError
from stack.layout import Layout
from stack.state import Phase, StackState, write_state


@pytest.mark.parametrize("phase", ["stopping", "stopped"])
def test_a_stack_that_is_stopped_meanwhile_did_not_die(tmp_path: Path, phase: Phase) -> None:
    """It says what to do, and quotes no line of the log."""
    layout = Layout(tmp_path)
    layout.create()
    write_state(layout.state, StackState(phase=phase))
    with pytest.raises(StackError, match="stopped by another command") as told:
        _follow(layout, StackState(phase="running"), programs=("worker",), say=print)
    assert told.value.hint == "run `steward up` again"
