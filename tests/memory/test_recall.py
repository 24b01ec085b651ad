"""Recall over the real servers: what it does when the vector index is away, lost, or behind."""

import asyncio
from collections.abc import Sequence
from threading import Event
from typing import Any

import httpx
import psycopg
import pytest
import structlog

import memory
from domain.errors import Retryable
from models.embedding import HashingEmbedder, WordLlamaEmbedder
from tests.contract.test_memory_ports import passage, remember
from tests.unit.domain.happenings import NOW

NOWHERE = "http://127.0.0.1:9"
TEXTS = [
    passage("mug", "the mug survives the dishwasher", "product/MUG"),
    passage("lamp", "the lamp needs a bulb with a small thread", "product/LAMP"),
    passage("parcel", "parcels to islands take two more days"),
]


async def test_without_the_vector_index_the_other_signals_answer(database_url: str) -> None:
    """And the log says that one of them is missing."""
    async with memory.open_memory(database_url=database_url, chroma_url=NOWHERE, embedder=HashingEmbedder()) as kept:
        with structlog.testing.capture_logs() as lines:
            await remember(kept, TEXTS)
            found = await kept.recall.search("dishwasher", entities=["product/LAMP"], now=NOW)
        assert {r.passage.passage_id: set(r.ranks) for r in found} == {"mug": {"text"}, "lamp": {"entity"}}
        assert [line["event"] for line in lines] == ["searching without the vector index"]
        with pytest.raises(Retryable, match="does not answer"):
            await kept.recall.reindex()


async def test_what_was_remembered_meanwhile_is_indexed_later(database_url: str, chroma_url: str) -> None:
    """The next search that reaches the index catches up."""
    async with memory.open_memory(database_url=database_url, chroma_url=NOWHERE, embedder=HashingEmbedder()) as kept:
        await remember(kept, TEXTS)
    async with memory.open_memory(database_url=database_url, chroma_url=chroma_url, embedder=HashingEmbedder()) as kept:
        found = await kept.recall.search("dishwasher mug", now=NOW)
        assert found[0].ranks == {"text": 1, "vector": 1}


async def test_an_index_that_was_lost_is_rebuilt_by_the_next_search(
    kept: memory.Memory, database_url: str, chroma_url: str
) -> None:
    """Chroma is only an index: Postgres has the texts."""
    await remember(kept, TEXTS)
    before = await kept.recall.search("dishwasher mug", now=NOW)
    await drop_index(database_url, chroma_url)
    assert await kept.recall.search("dishwasher mug", now=NOW) == before


async def test_databases_on_one_server_do_not_see_each_others_texts(
    kept: memory.Memory, database_url: str, chroma_url: str
) -> None:
    """Nor does one embedder find what another one indexed: it indexes for itself."""
    await remember(kept, TEXTS)
    await kept.recall.search("dishwasher mug", now=NOW)
    async with memory.open_memory(database_url=database_url, chroma_url=chroma_url, embedder=HashingEmbedder(64)) as other:
        found = await other.recall.search("dishwasher mug", now=NOW)
    assert found[0].ranks == {"text": 1, "vector": 1}
    assert len(await collections(database_url, chroma_url)) == 2


async def test_reindexing_changes_no_result_of_the_bundled_embedder(database_url: str, chroma_url: str) -> None:
    """Over more texts than are asked for."""
    texts = [passage(f"p{n}", f"{w} number {n} about {t}") for n, (w, t) in enumerate((w, t) for w in WORDS for t in WORDS)]
    async with memory.open_memory(database_url=database_url, chroma_url=chroma_url, embedder=WordLlamaEmbedder()) as kept:
        await remember(kept, texts)
        before = [await kept.recall.search(word, limit=20, now=NOW) for word in WORDS]
        assert await kept.recall.reindex() == len(texts)
        assert [await kept.recall.search(word, limit=20, now=NOW) for word in WORDS] == before


class PausingEmbedder(HashingEmbedder):
    """Stops before the first text about a dishwasher until it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.reached, self.go_on = Event(), Event()

    def embed(self, texts: Sequence[str]) -> Any:
        if any("dishwasher" in text for text in texts):
            self.reached.set()
            self.go_on.wait(30)
        return super().embed(texts)


async def test_a_text_is_rewritten_while_it_is_being_indexed(kept: memory.Memory, database_url: str, chroma_url: str) -> None:
    """The append does not wait for it, and the old vector that arrives late is not taken for the new one."""
    slow = PausingEmbedder()
    async with memory.open_memory(database_url=database_url, chroma_url=chroma_url, embedder=slow) as other:
        await remember(kept, [passage("mug", "the mug survives the dishwasher"), passage("pot", "a pot of thyme")])
        late = asyncio.create_task(other.recall.search("kettle", now=NOW))
        try:
            assert await asyncio.to_thread(slow.reached.wait, 30)
            await asyncio.wait_for(remember(kept, [passage("mug", "a linen towel")]), 10)
            await kept.recall.search("towel", now=NOW)
        finally:
            slow.go_on.set()
        await late
    found = await kept.recall.search("linen towel", now=NOW)
    assert (found[0].passage.passage_id, found[0].ranks) == ("mug", {"text": 1, "vector": 1})
    assert await unindexed(database_url) == 0


async def unindexed(database_url: str) -> int:
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        found = await (await connection.execute("SELECT count(*) FROM passage WHERE indexed_in = ''")).fetchone()
    assert found is not None
    return int(found[0])


WORDS = ("refund", "parcel", "delay", "invoice", "kettle", "candle", "linen", "postcard", "island", "customs", "voucher", "handle")


async def collections(database_url: str, chroma_url: str) -> list[str]:
    """The addresses of this database's collections; other tests' databases have theirs on the same server."""
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        owner = await (await connection.execute("SELECT replace(owner::text, '-', '') FROM vector_owner")).fetchone()
    assert owner is not None
    place = f"{chroma_url}/api/v2/tenants/default_tenant/databases/default_database/collections"
    async with httpx.AsyncClient() as client:
        found = (await client.get(place)).raise_for_status().json()
    return [f"{place}/{collection['name']}" for collection in found if owner[0] in collection["name"]]


async def drop_index(database_url: str, chroma_url: str) -> None:
    async with httpx.AsyncClient() as client:
        for collection in await collections(database_url, chroma_url):
            (await client.delete(collection)).raise_for_status()
