"""Chaos runs on the shared database, and on a Temporal server of this process's own, with a namespace a world."""

from collections.abc import Iterator

import pytest

from tests.chaos.arena import Arena
from tests.conftest import Servers
from tests.workflow.timeskipping import started_server


@pytest.fixture(scope="session")
def own_temporal() -> Iterator[str]:
    with started_server() as address:
        yield address


@pytest.fixture(scope="module")
def arena(servers: Servers, own_temporal: str, tmp_path_factory: pytest.TempPathFactory) -> Arena:
    return Arena(servers, temporal_address=own_temporal, folder=tmp_path_factory.mktemp("worlds"))
