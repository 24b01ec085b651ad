"""Connecting to a database that does not answer: it can be given up at any moment."""

import asyncio
import socket
from collections.abc import Iterator
from threading import Thread

import pytest

from memory.database import open_database


@pytest.fixture
def silent_url() -> Iterator[str]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"postgresql://steward@127.0.0.1:{server.getsockname()[1]}/steward"


def test_giving_up_while_connecting_ends_the_loop(silent_url: str) -> None:
    """A command that is cancelled then (a time limit, Ctrl-C) ends; it does not wait for the tasks of the pool."""
    command = Thread(target=give_up_on, args=(silent_url,), daemon=True)
    command.start()
    command.join(timeout=5.0)
    assert not command.is_alive()


def give_up_on(url: str) -> None:
    async def connecting() -> None:
        async with open_database(url):
            raise AssertionError("nobody answered")

    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(connecting(), 0.2))
