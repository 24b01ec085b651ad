"""Vendure, with the connector killed at any moment of a refund. A file of its own, so that another process takes it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Servers
from tests.peers.vendure_peer import VendurePeer, vendure

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def peer(servers: Servers) -> Iterator[VendurePeer]:
    with vendure(servers.admin_url) as running:
        yield running


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("how", "kills"), [("lines", 50), ("moments", 10)])
def test_killed_at_any_moment_it_never_pays_back_twice(peer: VendurePeer, database_url: str, how: str, kills: int) -> None:
    """Nothing is lost either; of what nobody can tell at once it says so, and does nothing before the time is over."""
    order = peer.order(peer.article(stock=1_000, price=100_000), units=1)
    command = [sys.executable, "-m", "tests.peers.kill_vendure", how, database_url, peer.url, order]
    counts = json.loads(subprocess.check_output(command, cwd=ROOT, timeout=540))
    print("Vendure", how, counts, file=sys.stderr)
    assert counts["kills"] > kills
    assert (counts["lost"], counts["doubled"], counts["torn"]) == (0, 0, 0)
    assert counts["undecided"] < counts["kills"]
