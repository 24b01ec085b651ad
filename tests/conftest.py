"""One embedded stack for the whole test run, shared by all its processes; one fresh database a test."""

import gc
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
import structlog
from filelock import FileLock
from psycopg.conninfo import make_conninfo
from xdist.remote import Producer

import memory
import stack
from memory.migrations import migrate
from models.embedding import HashingEmbedder
from settings import Settings
from tests.distribution import Dealer, place
from tests.reaper import watched_folder

TEMPLATE = "steward_template"


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Say ``--basetemp=FOLDER`` to keep what the tests leave."""
    gc.disable()  # until all tests are imported: nearly all that is made by then stays
    os.environ.setdefault("GOGC", "800")  # the many short-lived Temporal servers need not be thrifty with memory
    if not hasattr(config, "workerinput") and not config.option.basetemp:
        config.option.basetemp = watched_folder()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: place(item.nodeid))


def pytest_collection_finish() -> None:
    """What is there now stays until the end: to look through it again and again for garbage was a tenth of the time."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Dealer:
    return Dealer(config, log)


@dataclass(frozen=True)
class Servers:
    """Addresses of the shared stack. ``admin_url`` reaches the maintenance database."""

    admin_url: str
    template_url: str
    temporal_address: str
    chroma_url: str


@pytest.fixture(autouse=True)
def log_as_usual() -> Iterator[None]:
    """A command that was run in this process has set up logging for streams that are gone after its test."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Servers]:
    """The first process starts the stack, the last one stops it."""
    shared = tmp_path_factory.getbasetemp() if worker_id == "master" else tmp_path_factory.getbasetemp().parent
    settings = Settings.load({"STEWARD_HOME": str(shared / "stack")})
    users = shared / "stack-users"
    with FileLock(shared / "stack.lock"):
        endpoints = stack.start(settings, worker=False)
        found = _servers(endpoints)
        if not users.exists():
            _make_template(found)
        users.write_text(users.read_text() + "x" if users.exists() else "x")
    yield found
    with FileLock(shared / "stack.lock"):
        users.write_text(users.read_text()[1:])
        if not users.read_text():
            stack.stop(settings)
            shutil.rmtree(settings.home, ignore_errors=True)


def _servers(endpoints: stack.Endpoints) -> Servers:
    return Servers(
        admin_url=make_conninfo(endpoints.database_url, dbname="postgres"),
        template_url=make_conninfo(endpoints.database_url, dbname=TEMPLATE),
        temporal_address=endpoints.temporal_address,
        chroma_url=endpoints.chroma_url,
    )


def _make_template(servers: Servers) -> None:
    import asyncio

    with psycopg.connect(servers.admin_url, autocommit=True) as admin:
        for careful in ("fsync", "full_page_writes", "autovacuum"):  # for a crash of the machine, and for years
            admin.execute(f"ALTER SYSTEM SET {careful} = off")
        admin.execute("SELECT pg_reload_conf()")
        admin.execute(f"CREATE DATABASE {TEMPLATE}")
    asyncio.run(migrate(servers.template_url))


@pytest.fixture
def template() -> str:
    """The database that a test's own one begins as a copy of."""
    return TEMPLATE


@pytest.fixture
def database_url(servers: Servers, template: str) -> Iterator[str]:
    """A fresh, migrated database of this test's own."""
    name = f"t_{uuid4().hex[:12]}"
    with psycopg.connect(servers.admin_url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    yield make_conninfo(servers.admin_url, dbname=name)
    with psycopg.connect(servers.admin_url, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def chroma_url(servers: Servers) -> str:
    return servers.chroma_url


@pytest.fixture
async def kept(database_url: str, chroma_url: str) -> AsyncIterator[memory.Memory]:
    """Memory over the real servers, with the fast embedder."""
    async with memory.open_memory(database_url=database_url, chroma_url=chroma_url, embedder=HashingEmbedder()) as opened:
        yield opened


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home of this test's own."""
    return tmp_path / "home"
