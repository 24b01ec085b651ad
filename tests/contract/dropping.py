"""The folder that files are dropped into, as a case of the contract of sources."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from connectors.drop_folder import FILES, DropFolder
from connectors.dropped import KINDS, DropOptions
from connectors.dropped_files import Box
from connectors.importers.table import TableOptions
from tests.contract.every_source import SourceCase

OPTIONS = DropOptions(table=TableOptions(), since=datetime(2026, 1, 1, tzinfo=UTC))
CATALOG = "sku,title,price\n{0},Mug {0},12.50\n"


def drop_folder(root: Path) -> DropFolder:
    return DropFolder("drop-folder", Box(root, parts=KINDS), OPTIONS, still_seconds=0.0, clock=_never)


def _never() -> float:
    """So late that everything has stood still."""
    return float("inf")


@asynccontextmanager
async def case(home: Path) -> AsyncIterator[SourceCase]:
    root, numbers = home / "inbox", count(1)
    root.mkdir()

    async def arrive(many: int) -> None:
        for number in [next(numbers) for _ in range(many)]:
            (root / f"catalog-{number}.csv").write_text(CATALOG.format(number))

    yield SourceCase(drop_folder(root), FILES, arrive)
