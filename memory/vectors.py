"""The vector index: which stored texts lie near a text. It can be lost at any time and is rebuilt from Postgres."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from domain.errors import Retryable
from domain.ids import slugify

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

T = TypeVar("T")
Vectors = NDArray[np.float32]

_PATIENCE = 30.0  # seconds; Chroma's own client would wait for ever
_FLOOR = 0.1  # cosine similarity under which two texts have nothing to do with each other
_WIDTH = 200  # neighbours asked for, of which the nearest are taken
# Chroma searches approximately; at these settings it finds the true neighbours among some ten thousand texts, so that
# the order in which they were added does not show.
_HNSW = {"space": "cosine", "ef_construction": 400, "ef_search": 400, "max_neighbors": 48}


class IndexLost(Retryable):
    """Somebody dropped the index since it was last used."""


class VectorIndex(Protocol):
    """Raises Retryable where it is away, IndexLost where it has to be filled anew."""

    async def identity(self) -> str:
        """Names this very index: another one after it was dropped or lost."""
        ...

    async def put(self, ids: Sequence[str], vectors: Vectors) -> None: ...

    async def nearest(self, vector: Vectors, limit: int) -> list[str]:
        """Ids by similarity, best first, ties by id; none of what has nothing to do with it."""
        ...

    async def drop(self) -> None: ...


class ChromaIndex:
    """A collection of a Chroma server. ``owner`` tells the collections of several databases apart."""

    def __init__(self, url: str, *, owner: str, embedder: str) -> None:
        self._url = url
        self._name = f"steward-{owner}-{slugify(embedder, limit=60)}"
        self._client: ClientAPI | None = None
        self._collection: Collection | None = None

    async def identity(self) -> str:
        return await self._call(lambda collection: str(collection.id))

    async def put(self, ids: Sequence[str], vectors: Vectors) -> None:
        if ids:
            await self._call(lambda collection: collection.upsert(ids=list(ids), embeddings=vectors))

    async def nearest(self, vector: Vectors, limit: int) -> list[str]:
        found = await self._call(lambda c: c.query(query_embeddings=vector[None, :], n_results=_WIDTH, include=["distances"]))
        distances = (found["distances"] or [[]])[0]
        return nearest_of(zip(distances, found["ids"][0], strict=True), limit)

    async def drop(self) -> None:
        with contextlib.suppress(IndexLost):
            await self._call(lambda _: self._connect().delete_collection(self._name))
        self._collection = None

    async def close(self) -> None:
        if self._client is not None:
            await asyncio.to_thread(_close, self._client)

    async def _call(self, use: Callable[["Collection"], T]) -> T:
        """In a thread, because Chroma's client blocks and takes two seconds to import."""
        try:
            return await asyncio.wait_for(asyncio.to_thread(self._use, use), _PATIENCE)
        except TimeoutError as error:
            raise Retryable(f"Chroma at {self._url} does not answer in time", hint="see `steward status`") from error

    def _use(self, use: Callable[["Collection"], T]) -> T:
        from chromadb.errors import ChromaError, NotFoundError  # noqa: PLC0415 - see above
        from httpx import HTTPError  # noqa: PLC0415 - Chroma's own client speaks through it

        try:
            return use(self._opened())
        except NotFoundError as error:
            self._collection = None
            raise IndexLost(f"the collection {self._name} is not there any more", hint="it is made anew at the next use") from error
        except (ChromaError, HTTPError, ValueError) as error:
            self._collection = None
            raise Retryable(f"Chroma at {self._url} does not answer: {error}", hint="see `steward status`") from error

    def _opened(self) -> "Collection":
        if self._collection is None:
            configuration: Any = {"hnsw": _HNSW}
            self._collection = self._connect().get_or_create_collection(
                self._name, configuration=configuration, embedding_function=None
            )
        return self._collection

    def _connect(self) -> "ClientAPI":
        import chromadb  # noqa: PLC0415 - takes two seconds, and many commands need no vectors
        from chromadb.config import Settings  # noqa: PLC0415

        if self._client is None:
            place = urlsplit(self._url)
            secure = place.scheme == "https"
            self._client = chromadb.HttpClient(
                host=place.hostname or "127.0.0.1",
                port=place.port or (443 if secure else 80),
                ssl=secure,
                # Without TLS there is nothing to verify, and to read whom to trust takes 20 ms.
                settings=Settings(anonymized_telemetry=False, chroma_server_ssl_verify=None if secure else False),
            )
        return self._client


def nearest_of(found: Iterable[tuple[float, str]], limit: int) -> list[str]:
    """The ids with the smallest cosine distances, ties by id.

    Where ``_WIDTH`` neighbours were found there may be more as far away as the last, and which of those were found is
    chance: they are all left out.
    """
    near = sorted((round(distance, 5), passage_id) for distance, passage_id in found)
    edge = near[-1][0] if len(near) >= _WIDTH else 2.0
    return [i for distance, i in near if distance < edge and distance <= 1 - _FLOOR][:limit]


def _close(client: "ClientAPI") -> None:
    """Chroma's own closing leaves the HTTP connections of its client, and of the other client inside it, open."""
    from chromadb.api.client import AdminClient, Client  # noqa: PLC0415 - imported long before
    from chromadb.api.fastapi import FastAPI  # noqa: PLC0415

    if isinstance(client, Client):
        admin = client._admin_client  # noqa: SLF001 - the only way to the connections
        servers = [c._server for c in (client, admin) if isinstance(c, Client | AdminClient)]  # noqa: SLF001
        client.close()
        for server in servers:
            if isinstance(server, FastAPI):
                server._session.close()  # noqa: SLF001
