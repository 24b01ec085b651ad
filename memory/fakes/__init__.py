"""Memory without servers, for tests that need none. It goes through the same contract tests as the real one."""

from collections.abc import Callable
from datetime import UTC, datetime

from domain.ports import Embedder
from memory.cache import WorkingCache
from memory.fakes.access import InMemoryApiTokens, InMemoryCredentials, InMemorySessions
from memory.fakes.archive import InMemoryAnchors, InMemoryArchive, InMemoryPassages
from memory.fakes.figures import InMemoryFigures
from memory.fakes.ledger import InMemoryGuards, InMemoryLedger
from memory.fakes.leftovers import InMemoryLeftovers
from memory.fakes.links import InMemoryDecisionLinks
from memory.fakes.listings import InMemoryListings
from memory.fakes.log import InMemoryEventLog, InMemoryFacts, InMemoryState
from memory.fakes.passkeys import InMemoryChallenges, InMemoryPasskeys
from memory.fakes.reach import InMemoryReach
from memory.fakes.shelves import (
    InMemoryAttempts,
    InMemoryCursors,
    InMemoryInbox,
    InMemoryModelJournal,
    InMemoryOutbox,
    InMemoryPackStore,
    InMemoryRecall,
)
from memory.fakes.store import Store
from memory.fakes.views import InMemoryViews
from memory.flags import StateFlags
from memory.memory import Memory
from memory.packs import CompiledPacks
from memory.policies import StatePolicies


def _wall_clock() -> datetime:
    return datetime.now(UTC)


def in_memory(*, embedder: Embedder, clock: Callable[[], datetime] = _wall_clock) -> Memory:
    """An empty memory. ``clock`` says when events are recorded, as the database's clock does for the real one."""
    store = Store(now=clock)
    log, state, facts = InMemoryEventLog(store), InMemoryState(store), InMemoryFacts(store)
    recall = InMemoryRecall(store, embedder=embedder)
    cache = WorkingCache(state)
    store.appended = cache.appended
    policies, attempts = StatePolicies(state, records=cache), InMemoryAttempts()
    packs = CompiledPacks(store=InMemoryPackStore(store), log=log, state=state, facts=facts, policies=policies, recall=recall)
    return Memory(
        log=log,
        state=state,
        facts=facts,
        policies=policies,
        flags=StateFlags(state),
        recall=recall,
        packs=packs,
        ledger=InMemoryLedger(store),
        guards=InMemoryGuards(store),
        journal=InMemoryModelJournal(store),
        inbox=InMemoryInbox(store),
        cursors=InMemoryCursors(store),
        attempts=attempts,
        outbox=InMemoryOutbox(store),
        cache=cache,
        archive=InMemoryArchive(store),
        leftovers=InMemoryLeftovers(store, attempts=attempts),
        anchors=InMemoryAnchors(),
        passages=InMemoryPassages(store),
        views=InMemoryViews(store),
        reach=InMemoryReach(store),
        credentials=InMemoryCredentials(store),
        sessions=InMemorySessions(store),
        tokens=InMemoryApiTokens(store),
        passkeys=InMemoryPasskeys(store),
        challenges=InMemoryChallenges(),
        links=InMemoryDecisionLinks(),
        figures=InMemoryFigures(store),
        listings=InMemoryListings(store),
    )
