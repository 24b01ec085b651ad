"""Migrations: once each, in order, from wherever they are called."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

import memory
from domain.errors import SetupError
from memory.migrations import migrate, migrations
from models.embedding import HashingEmbedder
from tests.cli.steward import Steward
from tests.conftest import Servers


@pytest.fixture
async def empty_url(database_url: str) -> AsyncIterator[str]:
    """A database without a schema."""
    name = f"t_{uuid4().hex[:12]}"
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as admin:
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE template0 STRATEGY FILE_COPY".encode())
        yield make_conninfo(database_url, dbname=name)
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def as_url(conninfo: str) -> str:
    part = conninfo_to_dict(conninfo)
    return f"postgresql://{part['user']}:{part['password']}@{part['host']}:{part['port']}/{part['dbname']}"


async def run(url: str, statement: str) -> None:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute(statement.encode())


async def test_several_processes_migrate_one_database_once(empty_url: str) -> None:
    """One of them does it, the others wait and find nothing to do."""
    applied = await asyncio.gather(*(migrate(empty_url) for _ in range(4)))
    names = [migration.name for migration in migrations()]
    assert sorted(applied, key=len) == [[], [], [], names]
    assert await migrate(empty_url) == []


async def test_a_database_newer_than_the_code_is_refused(database_url: str) -> None:
    """The error says which migration the code does not know."""
    await run(database_url, "INSERT INTO migration (number, name, checksum) VALUES (9999, '9999_future', 'x')")
    with pytest.raises(SetupError, match="newer than this code: it has migration 9999_future"):
        await migrate(database_url)


async def test_a_migration_that_was_changed_after_it_was_applied_is_refused(database_url: str) -> None:
    """A schema is never guessed."""
    await run(database_url, "UPDATE migration SET checksum = 'x' WHERE number = 1")
    with pytest.raises(SetupError, match="0001_event_log was applied in another form"):
        await migrate(database_url)


async def test_a_database_that_does_not_answer_is_one_clear_error(database_url: str) -> None:
    """With what to do about it."""
    gone = make_conninfo(database_url, dbname="no_such_database")
    with pytest.raises(SetupError, match="DATABASE_URL"):
        await migrate(gone)


async def test_a_database_without_a_schema_is_one_clear_error(empty_url: str, chroma_url: str) -> None:
    """Not the name of the first table that is missed."""
    with pytest.raises(SetupError, match="not prepared"):
        async with memory.open_memory(database_url=empty_url, chroma_url=chroma_url, embedder=HashingEmbedder()):
            pass


async def test_up_without_a_worker_prepares_the_database(empty_url: str, servers: Servers, home: Path) -> None:
    """So that a command which needs no worker finds its tables."""
    own = {"DATABASE_URL": as_url(empty_url), "TEMPORAL_ADDRESS": servers.temporal_address, "CHROMA_URL": servers.chroma_url}
    up = await asyncio.to_thread(Steward(home).process, "up", "--no-worker", environ=own)
    assert up.code == 0, up.err
    assert await migrate(empty_url) == []


def test_no_two_migrations_have_one_number() -> None:
    """They are applied in the order of their numbers, each once."""
    numbers = [migration.number for migration in migrations()]
    assert numbers == sorted(set(numbers))
