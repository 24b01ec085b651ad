"""A folder of pages under git, killed at every line: git is called so often that it takes minutes."""

from pathlib import Path

import pytest

from tests.contract.kill_everywhere import counted


@pytest.mark.timeout(400)
def test_killed_everywhere(tmp_path: Path) -> None:
    """Neither a page nor its commit is lost, torn or made twice."""
    counts = counted("site-in-git", tmp_path, seconds=390)
    assert counts["kills"] > 100
    assert (counts["torn"], counts["lost"], counts["doubled"]) == (0, 0, 0)
