"""Data nobody here wrote. It lies outside the project; without it the tests that need it say so and skip."""

import os
from pathlib import Path

import pytest

SHARED_DATA = Path(os.environ.get("STEWARD_TEST_DATA", Path(__file__).resolve().parents[4] / "shared" / "data"))


@pytest.fixture
def shared_data() -> Path:
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no evaluation data at {SHARED_DATA}; say STEWARD_TEST_DATA=<folder>")
    return SHARED_DATA
