"""Memory: the event log, what it folds into, what can be recalled, and the ledger of effects."""

from memory.fakes import in_memory
from memory.memory import Memory
from memory.opening import open_memory

__all__ = ["Memory", "in_memory", "open_memory"]
