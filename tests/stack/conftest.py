"""Each test has a home of its own, and everything it started is stopped afterwards."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import stack
from settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    given = Settings.load({"STEWARD_HOME": str(tmp_path / "home")})
    yield given
    stack.stop(given)
