"""Workers as processes that can be killed, each with the imports and the local model of the server it is a fork of."""

from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

from tests import forks
from tests.chaos.passages import Passage


@dataclass(frozen=True, kw_only=True)
class Orders:
    """Where a worker works, where it has to die, and what it writes down.

    Without ``sticky`` it keeps no workflow in memory between tasks: where it does, the server waits up to 10 s for the
    dead worker before it gives a task to another one.
    """

    database_url: str
    chroma_url: str
    temporal_address: str
    namespace: str
    home: Path
    die_at: tuple[Passage, ...] = ()
    journal: Path | None = None
    sticky: bool = False

    @property
    def deaths(self) -> Path:
        """Where the passages stand at which a worker has died already."""
        return self.home / "deaths"


def start_worker(orders: Orders) -> BaseProcess:
    """Start a worker; it ends by itself only where ``die_at`` says so, and with this process at the latest."""
    return forks.start(_live, orders, imports="tests.chaos.mortal_worker")


def _live(orders: Orders) -> None:
    from tests.chaos.mortal_worker import live

    live(orders)
