"""The working cache across processes: never behind what others committed, and honest while it cannot know."""

import asyncio

import psycopg

import memory
from domain.entities import Stock
from memory.listener import Listener
from models.embedding import HashingEmbedder
from tests.unit.domain.happenings import sale


async def on_hand(kept: memory.Memory) -> int | None:
    stock = await kept.cache.get(Stock, "MUG")
    return stock.on_hand if stock else None


async def until(kept: memory.Memory, expected: int) -> None:
    await kept.outbox.wait(0.001)  # whoever waits for news listens from then on
    deadline = asyncio.get_running_loop().time() + 5
    while await on_hand(kept) != expected:
        assert asyncio.get_running_loop().time() < deadline, f"the cache stayed at {await on_hand(kept)}"
        await asyncio.sleep(0.01)


async def test_a_change_by_another_process_is_heard(kept: memory.Memory, database_url: str, chroma_url: str) -> None:
    """Within moments of its commit; also when a batch is too large to name its streams."""
    async with memory.open_memory(database_url=database_url, chroma_url=chroma_url, embedder=HashingEmbedder()) as other:
        await other.log.append([sale(1)])
        await until(kept, -1)
        await other.log.append([sale(2)])
        await until(kept, -2)
        await other.log.append([sale(3), *(sale(n, sku=f"SKU-{n:06}-{'x' * 60}") for n in range(10, 210))])
        await until(kept, -3)


async def test_a_lost_connection_is_made_again_and_nothing_stale_is_served(kept: memory.Memory, database_url: str) -> None:
    """While it is away, every read goes to the database."""
    await kept.log.append([sale(1)])
    await until(kept, -1)
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as admin:
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND datname = current_database() AND query LIKE 'LISTEN%'"
        )
        await admin.execute("UPDATE state SET body = jsonb_set(body, '{on_hand}', '41') WHERE id = 'MUG'")
    await until(kept, 41)


async def test_a_listener_that_was_never_used_holds_no_connection(database_url: str) -> None:
    """Short commands open none."""
    listener = Listener(database_url)
    await listener.stop()
    assert not listener.up


async def test_appending_two_thousand_events_takes_one_short_transaction(kept: memory.Memory) -> None:
    """An import of a whole catalogue is one append."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    await kept.log.append([sale(n, sku=f"SKU-{n}") for n in range(2_000)])
    assert loop.time() - start < 10
    assert (await kept.log.head()).seq == 2_000
