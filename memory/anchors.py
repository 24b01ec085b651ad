"""Heads of the log in a file outside the database: who changes one would have to change the other too."""

import asyncio
from pathlib import Path

from pydantic import ValidationError

from domain.errors import SetupError
from domain.retention import Anchor
from memory.files import append_line


class FileAnchors:
    """See ``ports.Anchors``. A line an anchor, never changed; a line that a crash cut short counts for nothing."""

    def __init__(self, home: Path | None) -> None:
        self._path = home / "anchors" / "anchors.jsonl" if home else None

    async def last(self, *, whole: bool = False) -> Anchor | None:
        anchors = await asyncio.to_thread(self._read)
        return next((a for a in reversed(anchors) if a.whole or not whole), None)

    async def note(self, anchor: Anchor) -> None:
        """Raises SetupError where there is no home, or its disk refuses."""
        if self._path is None:
            raise SetupError("there is no place for anchors: memory was opened without its home", hint="name the home")
        try:
            await asyncio.to_thread(append_line, self._path, anchor.model_dump_json())
        except OSError as error:
            raise SetupError(f"the anchor cannot be noted: {error}", hint=f"see to {self._path.parent}") from error

    def _read(self) -> list[Anchor]:
        if self._path is None or not self._path.exists():
            return []
        lines = self._path.read_text(encoding="utf-8", errors="replace").splitlines()
        return [anchor for line in lines if (anchor := _anchor(line))]


def _anchor(line: str) -> Anchor | None:
    try:
        return Anchor.model_validate_json(line)
    except ValidationError:
        return None
