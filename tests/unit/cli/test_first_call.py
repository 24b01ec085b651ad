"""A system that cannot be reached while it is connected: the operator is told what to check, in words."""

from pathlib import Path

import pytest

import memory
from cli.connecting import first_call
from cli.context import System
from connectors.registry import KINDS
from connectors.vault import Vault
from domain.connections import Connection, ConnectionMode
from domain.errors import Retryable
from models.embedding import HashingEmbedder
from settings import Settings
from stack.state import Endpoints

NOWHERE = Endpoints(database_url="", temporal_address="", temporal_namespace="", chroma_url="", ui_url=None)


async def refusal(home: Path, kind: str, settings: dict[str, str], secrets: dict[str, str]) -> Retryable:
    kept = memory.in_memory(embedder=HashingEmbedder())
    system = System(settings=Settings(home=home), endpoints=NOWHERE, memory=kept)
    known = {name: value for name, value in KINDS[kind].checked(settings).items() if name not in secrets}
    connection = Connection(name=kind, kind=kind, mode=ConnectionMode.DRY_RUN, settings=known)
    with pytest.raises(Retryable) as refused:
        await first_call(system, connection, KINDS[kind], secrets, vault=Vault(home, {}))
    return refused.value


async def test_a_dead_port_is_told_as_one(tmp_path: Path) -> None:
    error = await refusal(
        tmp_path, "woocommerce", {"url": "http://127.0.0.1:1"}, {"consumer_key": "ck_1", "consumer_secret": "cs_1"}
    )
    assert error.message == "woocommerce cannot be reached"
    assert error.hint.startswith("nothing was saved; check its address, its port, and whether it is http or https")


async def test_a_command_that_ends_at_once_is_told_as_one(tmp_path: Path) -> None:
    """Nobody tries it again."""
    error = await refusal(tmp_path, "mcp", {"command": "true"}, {})
    assert error.hint.startswith("nothing was saved; run its command in a shell")
    assert "Error" not in str(error)
