"""A mailbox in the contracts of connectors and of sources, on whatever servers there are."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import count
from pathlib import Path

from domain.actions import Capability
from domain.ports import Source
from memory.fakes.shelves import InMemoryAttempts
from tests.contract.every_source import SourceCase
from tests.contract.mail_servers import Post
from tests.contract.outside_cases import Case, mail_case

Servers = Callable[[], AbstractAsyncContextManager[Post]]


def sending(capability: Capability, servers: Servers) -> Callable[[Path], AbstractAsyncContextManager[Case]]:
    @asynccontextmanager
    async def opened(home: Path) -> AsyncIterator[Case]:
        async with servers() as post:

            async def delivered() -> int:
                return len(post.delivered)

            yield mail_case(capability, post.opened(InMemoryAttempts()).connectors[capability], delivered)

    return opened


def reading(servers: Servers) -> Callable[[Path], AbstractAsyncContextManager[SourceCase]]:
    @asynccontextmanager
    async def opened(home: Path) -> AsyncIterator[SourceCase]:
        async with servers() as post:
            numbers = count(1)

            async def arrive(many: int) -> None:
                await post.arrive(*(question(next(numbers)) for _ in range(many)))

            yield SourceCase(source_of(post), "INBOX", arrive)

    return opened


def source_of(post: Post, **changes: str) -> Source:
    source = post.opened(InMemoryAttempts(), **changes).source
    assert source is not None
    return source


def question(number: int, *headers: str, sender: str = "ada@example.org", body: str = "Where is it?") -> bytes:
    """A customer's mail."""
    lines = [f"From: Ada <{sender}>", "To: hello@mill.example", f"Message-ID: <{number}@example.org>", f"Subject: Order {number}"]
    return "\r\n".join([*lines, *headers, "", body, ""]).encode()
