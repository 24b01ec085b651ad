"""The schema, made by numbered SQL files, forward only. ``steward up`` applies what is missing."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row

from domain.errors import SetupError
from memory.database import Connection, execute, fetch

_FOLDER = Path(__file__).with_name("migrations")


@dataclass(frozen=True, slots=True)
class Migration:
    number: int
    name: str
    text: bytes

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.text).hexdigest()


async def migrate(database_url: str) -> list[str]:
    """Apply every migration that is not applied yet, each in a transaction of its own; the names of those applied.

    Safe to repeat and to run from several processes at once. Raises SetupError where the database does not answer,
    is newer than this code, or was made by migrations that have been changed since.
    """
    try:
        connection = await AsyncConnection[DictRow].connect(database_url, autocommit=True, row_factory=dict_row)
    except psycopg.OperationalError as error:
        raise SetupError(f"the database does not answer: {error}", hint="check DATABASE_URL, or run `steward up`") from error
    async with connection:
        await execute(connection, "lock_migrations")
        await execute(connection, "create_migration_table")
        applied = {row["number"]: row for row in await fetch(connection, "read_migrations")}
        known = migrations()
        _check(known, {number: (row["name"], row["checksum"]) for number, row in applied.items()})
        missing = [migration for migration in known if migration.number not in applied]
        for migration in missing:
            await _apply(connection, migration)
        await execute(connection, "ensure_partitions_now")
        return [migration.name for migration in missing]


def migrations(folder: Path = _FOLDER) -> list[Migration]:
    """The files ``NNNN_name.sql`` in order of their numbers."""
    files = sorted(folder.glob("*.sql"))
    return [Migration(int(f.stem.partition("_")[0]), f.stem, f.read_bytes()) for f in files]


def _check(known: Sequence[Migration], applied: dict[int, tuple[str, str]]) -> None:
    by_number = {migration.number: migration for migration in known}
    for number, (name, checksum) in sorted(applied.items()):
        migration = by_number.get(number)
        if migration is None:
            raise SetupError(f"the database is newer than this code: it has migration {name}", hint="update Steward")
        if (migration.name, migration.checksum) != (name, checksum):
            raise SetupError(
                f"migration {name} was applied in another form than this code has", hint="restore the file as it was released"
            )


async def _apply(connection: Connection, migration: Migration) -> None:
    async with connection.transaction():
        await connection.execute(migration.text)
        row = {"number": migration.number, "name": migration.name, "checksum": migration.checksum}
        await execute(connection, "add_migration", row)
