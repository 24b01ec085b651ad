"""The operator's switches say what they come to."""

import pytest

from domain.decisions import Mode
from domain.errors import InvalidInput
from domain.switches import checked_mode, means


def test_what_programs_propose_is_never_auto() -> None:
    """It is asked whatever the mode: so auto is refused, and where it was set before, it is said to ask."""
    for scope in ("propose", "propose/send-reply"):
        with pytest.raises(InvalidInput, match="always asked"):
            checked_mode(scope, Mode.AUTO)
        assert means(scope, Mode.AUTO) == means(scope, Mode.ASK) == "you are asked every time"
    assert checked_mode("propose", Mode.OFF) is Mode.OFF
    assert checked_mode("support", Mode.AUTO) is Mode.AUTO
