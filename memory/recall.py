"""Hybrid recall: full text, vectors and entities, fused. The texts are in Postgres; Chroma only finds them."""

import asyncio
import contextlib
from collections.abc import Sequence

import structlog

from domain.errors import Retryable
from domain.knowledge import Recalled
from domain.model import Moment
from domain.passage import Passage
from domain.ports import Embedder
from memory.database import Connection, Database, fetch
from memory.ranking import fuse
from memory.vectors import IndexLost, VectorIndex, Vectors

_DEPTH = 50  # how far down each signal is looked at
_BATCH = 500  # texts embedded and indexed at a time

_log = structlog.get_logger(__name__)


class HybridRecall:
    """See ``ports.Recall``. Without its vectors it goes on with the other signals, says so, and catches up later."""

    def __init__(self, database: Database, *, embedder: Embedder, vectors: VectorIndex) -> None:
        self._database = database
        self._embedder = embedder
        self._vectors = vectors
        self._catching_up = asyncio.Lock()  # the searches of one process do not embed the same texts side by side

    async def search(self, query: str, *, entities: Sequence[str] = (), limit: int = 8, now: Moment) -> list[Recalled]:
        query = _searchable(query)
        near = await self._near(query)
        async with self._database.transaction() as connection:
            words = await fetch(connection, "search_words", {"query": query, "depth": _DEPTH})
            about = await fetch(connection, "search_entities", {"entities": list(entities), "depth": _DEPTH})
            signals = {"text": [r["passage_id"] for r in words], "vector": near, "entity": [r["passage_id"] for r in about]}
            passages = await _passages(connection, sorted({i for ids in signals.values() for i in ids}))
        return fuse(signals, passages, now=now, limit=limit)

    async def reindex(self) -> int:
        """Raises Retryable where Chroma is away; a repeat goes on where it stopped."""
        await self._vectors.drop()
        number = 0
        while done := await self._catch_up():
            number += done
        return number

    async def _near(self, query: str) -> list[str]:
        (vector,) = await asyncio.to_thread(self._embedder.embed, [query])
        try:
            return await self._neighbours(vector)
        except Retryable as error:
            _log.warning("searching without the vector index", error=str(error))
            return []

    async def _neighbours(self, vector: Vectors) -> list[str]:
        """An index that was lost is filled again first."""
        for _ in range(2):
            with contextlib.suppress(IndexLost):
                await self._catch_up()
                return await self._vectors.nearest(vector, _DEPTH) if vector.any() else []
        raise Retryable("the vector index is dropped again and again", hint="see who else uses this Chroma server")

    async def _catch_up(self) -> int:
        """Index one batch of texts that are not in the index as they stand; how many.

        No row is held meanwhile: an append that rewrites one would wait, and everybody behind it. A text that changed
        since it was read counts as not indexed, because its old vector may have replaced the new one.
        """
        async with self._catching_up:
            index = await self._vectors.identity()
            rows = await self._database.rows("unindexed_passages", index=index, limit=_BATCH)
            if rows:
                texts = [(row["passage_id"], row["text"]) for row in rows]
                await self._index(texts)
                await self._database.run("mark_indexed", index=index, ids=[i for i, _ in texts], texts=[t for _, t in texts])
            return len(rows)

    async def _index(self, texts: Sequence[tuple[str, str]]) -> None:
        vectors = await asyncio.to_thread(self._embedder.embed, [text for _, text in texts])
        full = vectors.any(axis=1)  # an empty text has no direction
        await self._vectors.put([i for (i, _), has in zip(texts, full, strict=True) if has], vectors[full])


def _searchable(query: str) -> str:
    """Queries are what strangers wrote: characters that no stored text can have are no reason to find nothing."""
    return query.replace("\x00", " ").encode("utf-8", "replace").decode()


async def _passages(connection: Connection, ids: list[str]) -> dict[str, Passage]:
    rows = await fetch(connection, "read_passages", {"ids": ids})
    return {row["passage_id"]: Passage.model_validate(row) for row in rows}
