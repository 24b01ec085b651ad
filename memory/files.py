"""Files that are there whole or not at all."""

import os
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self


class Draft:
    """Write to ``file``, then ``settle``: only then does ``place`` hold it, certainly on the disk. Otherwise nothing is left."""

    def __init__(self, place: Path) -> None:
        self._place = place
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.file = tempfile.NamedTemporaryFile(dir=place.parent, prefix=".draft-", delete=False)  # noqa: SIM115 - closed below

    def settle(self) -> None:
        self.file.flush()
        os.fsync(self.file.fileno())
        Path(self.file.name).replace(self._place)
        _sync_folder(self._place.parent)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.file.close()
        Path(self.file.name).unlink(missing_ok=True)


def append_line(place: Path, line: str) -> None:
    """Add a line, certainly on the disk when this returns. What a crash left half written is ended first."""
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with place.open("a+b") as file:
        if file.tell() and _last_byte(place) != b"\n":
            file.write(b"\n")
        file.write(f"{line}\n".encode())
        file.flush()
        os.fsync(file.fileno())
    _sync_folder(place.parent)


def _last_byte(place: Path) -> bytes:
    with place.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1)


def _sync_folder(folder: Path) -> None:
    """A rename is on the disk when its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
