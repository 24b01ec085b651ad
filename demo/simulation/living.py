"""``python -m demo.simulation.living``: one arm, in a process of its own.

Its task comes as JSON on stdin. Every day that is over goes out as a line of JSON; the figures are in a file at the end.
"""

import asyncio
import logging
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import psycopg
import structlog
from psycopg import sql
from psycopg.conninfo import make_conninfo

import connectors
import memory
import worker
from demo.simulation.arm import Arm
from demo.simulation.clocks import connected
from demo.simulation.figures import ArmFigures
from demo.simulation.scenario import Scenario
from domain.errors import StewardError
from domain.model import Value
from memory.migrations import migrate
from models.embedding import WordLlamaEmbedder
from settings import Settings


class Servers(Value):
    """Where the simulation's own servers answer. New databases are made from ``database_url``."""

    database_url: str
    chroma_url: str
    temporal_address: str


class Task(Value):
    """``name`` is that of the arm's namespace and of the database that is made for it.

    ``home`` is the arm's own folder; what the days came to is written to ``figures`` in it.
    """

    name: str
    learning: bool
    days: int
    seed: int
    scenario: Scenario
    servers: Servers
    home: Path

    @property
    def figures(self) -> Path:
        return self.home / "figures.json"


class Told(Value):
    """A line of what the process has to say: a day that is over, or why no more will come."""

    day: int = 0
    error: str = ""
    hint: str = ""


async def live(task: Task) -> ArmFigures:
    """Live through the days on the composition of the worker; only the outside world is in memory, no model key is used."""
    database_url = await _fresh_database(task.servers.database_url, task.name)
    client = await connected(task.servers.temporal_address, task.name)
    keyless = Settings.load({"STEWARD_HOME": str(task.home)})
    addresses = {"database_url": database_url, "chroma_url": task.servers.chroma_url}
    async with memory.open_memory(**addresses, embedder=WordLlamaEmbedder(), home=keyless.home) as kept:
        outside = replace(await worker.outside_of(keyless, kept), connectors=connectors.in_memory())
        arm = Arm(kept, client, outside, scenario=task.scenario, seed=task.seed, learning=task.learning)
        return await arm.live(task.days, done=lambda day: _tell(Told(day=day)))


async def _fresh_database(server_url: str, name: str) -> str:
    async with await psycopg.AsyncConnection.connect(server_url, autocommit=True) as admin:
        await admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    url = make_conninfo(server_url, dbname=name)
    await migrate(url)
    return url


def _tell(told: Told) -> None:
    sys.stdout.write(told.model_dump_json(exclude_defaults=True) + "\n")
    sys.stdout.flush()


def main() -> int:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the process above ends this one in order
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR), logger_factory=structlog.PrintLoggerFactory(sys.stderr)
    )
    try:
        task = Task.model_validate_json(sys.stdin.readline())
        task.home.mkdir(parents=True)
        task.figures.write_text(asyncio.run(live(task)).model_dump_json())
    except StewardError as error:
        _tell(Told(error=error.message, hint=error.hint))
        return 1
    return 0


if __name__ == "__main__":
    code = main()
    os._exit(code)  # the Temporal SDK's runtime can crash while the interpreter tears down, after all work is done
