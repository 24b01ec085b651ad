"""Binding memory's ports to Postgres and Chroma."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from psycopg.errors import UndefinedTable

from domain.errors import SetupError
from domain.ports import Embedder
from memory.access import PostgresApiTokens, PostgresCredentials, PostgresSessions
from memory.anchors import FileAnchors
from memory.archive import PostgresArchive
from memory.attempts import PostgresAttempts
from memory.boxes import PostgresInbox, PostgresOutbox
from memory.cache import WorkingCache
from memory.cursors import PostgresCursors
from memory.database import Database, open_database
from memory.facts import PostgresFacts
from memory.figures import PostgresFigures
from memory.flags import StateFlags
from memory.guards import PostgresGuards
from memory.journal import PostgresModelJournal
from memory.ledger import PostgresLedger
from memory.leftovers import PostgresLeftovers
from memory.links import PostgresDecisionLinks
from memory.listener import Listener
from memory.listings import PostgresListings
from memory.log import PostgresEventLog
from memory.memory import Memory
from memory.packs import CompiledPacks, PostgresPackStore
from memory.passages import PostgresPassages
from memory.passkeys import PostgresChallenges, PostgresPasskeys
from memory.policies import StatePolicies
from memory.reach import PostgresReach
from memory.recall import HybridRecall
from memory.segments import SegmentFolder
from memory.setup_code import until_password
from memory.state import PostgresState
from memory.vectors import ChromaIndex
from memory.views import PostgresViews


@asynccontextmanager
async def open_memory(*, database_url: str, chroma_url: str, embedder: Embedder, home: Path | None = None) -> AsyncIterator[Memory]:
    """Memory over a migrated database. Chroma is first called when something is remembered or searched.

    ``home`` has the files of archived months and the anchors; without it there are none, and none can be made.

    Raises SetupError where the database does not answer or has no schema yet.
    """
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(database_url))
        listener = Listener(database_url)
        stack.push_async_callback(listener.stop)
        vectors = ChromaIndex(chroma_url, owner=await _vector_owner(database), embedder=embedder.name)
        stack.push_async_callback(vectors.close)
        yield _bind(database, listener, HybridRecall(database, embedder=embedder, vectors=vectors), home)


async def _vector_owner(database: Database) -> str:
    try:
        row = await database.row("vector_owner")
    except UndefinedTable as error:
        raise SetupError("the database is not prepared", hint="`./steward up`") from error
    return row["owner"].hex if row else ""


def _bind(database: Database, listener: Listener, recall: HybridRecall, home: Path | None) -> Memory:
    state = PostgresState(database)
    cache = WorkingCache(state, listener=listener)
    folder = SegmentFolder(home)
    log = PostgresEventLog(database, appended=cache.appended, archive=folder, listener=listener)
    facts = PostgresFacts(database)
    policies = StatePolicies(state, records=cache)
    return Memory(
        log=log,
        state=state,
        facts=facts,
        policies=policies,
        flags=StateFlags(state),
        recall=recall,
        packs=CompiledPacks(store=PostgresPackStore(database), log=log, state=state, facts=facts, policies=policies, recall=recall),
        ledger=PostgresLedger(database, appended=cache.appended),
        guards=PostgresGuards(database),
        journal=PostgresModelJournal(database),
        inbox=PostgresInbox(database),
        cursors=PostgresCursors(database),
        attempts=PostgresAttempts(database),
        outbox=PostgresOutbox(database, listener=listener),
        cache=cache,
        archive=PostgresArchive(database, folder=folder, appended=cache.appended),
        leftovers=PostgresLeftovers(database),
        anchors=FileAnchors(home),
        passages=PostgresPassages(database),
        views=PostgresViews(database),
        reach=PostgresReach(database),
        credentials=PostgresCredentials(database, appended=until_password(home, cache.appended)),
        sessions=PostgresSessions(database, appended=cache.appended),
        tokens=PostgresApiTokens(database, appended=cache.appended),
        passkeys=PostgresPasskeys(database, appended=cache.appended),
        challenges=PostgresChallenges(database),
        links=PostgresDecisionLinks(database),
        figures=PostgresFigures(database),
        listings=PostgresListings(database),
    )
