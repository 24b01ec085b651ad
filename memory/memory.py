"""Everything memory offers, as one value."""

from dataclasses import dataclass

from domain.ports import ContextPacks, Facts, Guards, Inbox, Ledger, ModelJournal, Outbox, Policies, Recall, State
from memory.cache import WorkingCache
from memory.timeline import Timeline


@dataclass(frozen=True, kw_only=True)
class Memory:
    """The ports of memory, each bound to its adapter."""

    log: Timeline
    state: State
    facts: Facts
    policies: Policies
    recall: Recall
    packs: ContextPacks
    ledger: Ledger
    guards: Guards
    journal: ModelJournal
    inbox: Inbox
    outbox: Outbox
    cache: WorkingCache
