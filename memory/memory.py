"""Everything memory offers, as one value."""

from dataclasses import dataclass

from domain.ports import (
    Anchors,
    ApiTokens,
    Archive,
    Attempts,
    Challenges,
    ContextPacks,
    Credentials,
    Cursors,
    DecisionLinks,
    Facts,
    Guards,
    Inbox,
    Ledger,
    Leftovers,
    ModelJournal,
    Outbox,
    Passages,
    Passkeys,
    Policies,
    Recall,
    Sessions,
    State,
)
from memory.cache import WorkingCache
from memory.figures import Figures
from memory.flags import StateFlags
from memory.listings import Listings
from memory.reach import Reach
from memory.timeline import Timeline
from memory.views import Views


@dataclass(frozen=True, kw_only=True)
class Memory:
    """The ports of memory, each bound to its adapter."""

    log: Timeline
    state: State
    facts: Facts
    policies: Policies
    flags: StateFlags
    recall: Recall
    packs: ContextPacks
    ledger: Ledger
    guards: Guards
    journal: ModelJournal
    inbox: Inbox
    cursors: Cursors
    attempts: Attempts
    outbox: Outbox
    cache: WorkingCache
    archive: Archive
    leftovers: Leftovers
    anchors: Anchors
    passages: Passages
    views: Views
    figures: Figures
    listings: Listings
    reach: Reach
    credentials: Credentials
    sessions: Sessions
    tokens: ApiTokens
    passkeys: Passkeys
    challenges: Challenges
    links: DecisionLinks
