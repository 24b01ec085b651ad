"""Nobody decides past the one door."""

import re
from pathlib import Path

import pytest

from settings import CHECKOUT

PAST_IT = re.compile(r"gateway\.decide\(|execute_update\(\s*\"decide")
CALLERS = [path for room in ("cli", "console") for path in sorted((CHECKOUT / room).rglob("*.py"))]


@pytest.mark.parametrize("path", CALLERS, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_callers_decide_through_the_decider(path: Path) -> None:
    """No module of theirs takes a decision to a run by itself."""
    assert not PAST_IT.search(path.read_text())


def test_such_a_module_would_be_found() -> None:
    """The door itself is written as no caller may be."""
    assert PAST_IT.search((CHECKOUT / "workflows" / "deciding.py").read_text())
