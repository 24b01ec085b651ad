"""The files of archived months: an event a line as JSON, compressed with Zstandard, beside the manifest of what is in it."""

import asyncio
import json
from collections.abc import AsyncIterable, AsyncIterator, Generator, Sequence
from itertools import islice
from pathlib import Path

import zstandard
from pydantic import ValidationError

from domain.errors import ArchiveDamaged, SetupError
from domain.event import Event
from domain.ids import canonical_json
from domain.retention import Manifest
from memory.chain import first_problem
from memory.files import Draft

_BATCH = 1_000
_LEVEL = 10
_HINT = "put the file back from a backup; `steward log verify` then proves it"


class SegmentFolder:
    """The files of the archive in ``home``, whose folder is made when it is first written to. Nothing here knows the database.

    Without a home there are no files.
    """

    def __init__(self, home: Path | None) -> None:
        self._folder = home / "archive" if home else None

    def path(self, partition: str) -> Path:
        """Where the month's file belongs. Raises ArchiveDamaged where there is no home."""
        if self._folder is None:
            raise ArchiveDamaged(f"the archive {partition} is missing: memory was opened without its home", hint="name the home")
        return self._folder / f"{partition}.jsonl.zst"

    def has(self, partition: str) -> bool:
        return self._folder is not None and self.path(partition).is_file()

    async def write(self, manifest: Manifest, batches: AsyncIterable[Sequence[Event]]) -> None:
        """Write the month whole or not at all, whatever happens meanwhile. Raises SetupError where the disk refuses."""
        path = self.path(manifest.partition)
        try:
            with Draft(path) as draft:
                writer = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).stream_writer(draft.file, closefd=False)
                async for batch in batches:
                    lines = "".join(f"{canonical_json(event)}\n" for event in batch)
                    await asyncio.to_thread(writer.write, lines.encode())
                await asyncio.to_thread(writer.close)
                await asyncio.to_thread(draft.settle)
            with Draft(path.with_name(f"{manifest.partition}.manifest.json")) as draft:
                draft.file.write(f"{canonical_json(manifest)}\n".encode())
                await asyncio.to_thread(draft.settle)
        except OSError as error:
            raise SetupError(f"{manifest.partition} cannot be archived: {error}", hint=f"see to {path.parent}") from error

    async def sound(self, manifest: Manifest) -> bool:
        """Whether the file is there and proves to hold exactly what the manifest says."""
        try:
            async for _ in self.proved(manifest):
                pass
        except ArchiveDamaged:
            return False
        return True

    async def proved(self, manifest: Manifest) -> AsyncIterator[list[Event]]:
        """The events in batches, every hash recomputed from the manifest's first to its root. Raises ArchiveDamaged.

        Only when the last batch was given is it certain that all of them are what was sealed.
        """
        head = manifest.before
        async for batch in self.batches(manifest.partition):
            head, problem = first_problem(batch, head)
            if problem:
                raise ArchiveDamaged(f"the archive {manifest.partition} is not what was sealed: {problem}", hint=_HINT)
            yield batch
        if head != manifest.root:
            raise ArchiveDamaged(
                f"the archive {manifest.partition} is not what was sealed: it ends at event {head.seq}, {head.hash[:12]}…, "
                f"not at event {manifest.last_seq}, {manifest.last_hash[:12]}…",
                hint=_HINT,
            )

    async def batches(self, partition: str) -> AsyncIterator[list[Event]]:
        """The events in batches as the file has them. Raises ArchiveDamaged where it is missing or unreadable."""
        found = self._read(partition)
        try:
            while batch := await asyncio.to_thread(next, found, None):
                yield batch
        finally:
            found.close()

    def _read(self, partition: str) -> Generator[list[Event]]:
        path = self.path(partition)
        try:
            with path.open("rb") as file, zstandard.open(file, "rt", encoding="utf-8", newline="\n") as lines:
                while batch := [Event.model_validate(json.loads(line)) for line in islice(lines, _BATCH)]:
                    yield batch
        except FileNotFoundError as error:
            raise ArchiveDamaged(f"the archive {partition} is missing: there is no {path}", hint=_HINT) from error
        except (OSError, EOFError, ValueError, ValidationError, zstandard.ZstdError) as error:
            raise ArchiveDamaged(f"the archive {partition} cannot be read: {error}", hint=_HINT) from error
