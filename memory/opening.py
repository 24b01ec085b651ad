"""Binding memory's ports to Postgres and Chroma."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from domain.ports import Embedder
from memory.boxes import PostgresInbox, PostgresOutbox
from memory.cache import WorkingCache
from memory.database import Database, open_database
from memory.facts import PostgresFacts
from memory.guards import PostgresGuards
from memory.journal import PostgresModelJournal
from memory.ledger import PostgresLedger
from memory.listener import Listener
from memory.log import PostgresEventLog
from memory.memory import Memory
from memory.packs import CompiledPacks, PostgresPackStore
from memory.policies import StatePolicies
from memory.recall import HybridRecall
from memory.state import PostgresState
from memory.vectors import ChromaIndex


@asynccontextmanager
async def open_memory(*, database_url: str, chroma_url: str, embedder: Embedder) -> AsyncIterator[Memory]:
    """Memory over a migrated database. Chroma is first called when something is remembered or searched.

    Raises SetupError where the database does not answer.
    """
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(database_url))
        listener = Listener(database_url)
        stack.push_async_callback(listener.stop)
        vectors = ChromaIndex(chroma_url, owner=await _vector_owner(database), embedder=embedder.name)
        stack.push_async_callback(vectors.close)
        yield _bind(database, listener, HybridRecall(database, embedder=embedder, vectors=vectors))


async def _vector_owner(database: Database) -> str:
    row = await database.row("vector_owner")
    return row["owner"].hex if row else ""


def _bind(database: Database, listener: Listener, recall: HybridRecall) -> Memory:
    state = PostgresState(database)
    cache = WorkingCache(state, listener=listener)
    log = PostgresEventLog(database, appended=cache.appended)
    facts = PostgresFacts(database)
    policies = StatePolicies(state)
    return Memory(
        log=log,
        state=state,
        facts=facts,
        policies=policies,
        recall=recall,
        packs=CompiledPacks(store=PostgresPackStore(database), log=log, state=state, facts=facts, policies=policies, recall=recall),
        ledger=PostgresLedger(database, appended=cache.appended),
        guards=PostgresGuards(database),
        journal=PostgresModelJournal(database),
        inbox=PostgresInbox(database),
        outbox=PostgresOutbox(database, listener=listener),
        cache=cache,
    )
