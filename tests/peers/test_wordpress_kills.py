"""WordPress, with the connector killed at any moment. A file of its own, so that another process takes it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.peers.wordpress import wordpress

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("how", "kills"), [("lines", 100), ("moments", 20)])
def test_killed_at_any_moment_it_never_publishes_two_posts(how: str, kills: int) -> None:
    """Nothing is lost either, and no receipt is given for what is not public."""
    with wordpress() as server:
        blog = server.blog()
        command = [sys.executable, "-m", "tests.peers.kill_wordpress", how, blog.url, blog.user, blog.password]
        counts = json.loads(subprocess.check_output(command, cwd=ROOT, timeout=840))
    print("WordPress", how, counts, file=sys.stderr)
    assert counts["kills"] > kills
    assert (counts["lost"], counts["doubled"], counts["torn"]) == (0, 0, 0)
    assert counts["left"] == 0 or how == "moments"
