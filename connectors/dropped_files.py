"""The folder that files are dropped into: what lies there, read safely, and put away with a report beside it.

A file counts once it has stood still. Links, devices, folders and hidden files are never opened; what is still being written
under a name of its own (``.part``, ``.tmp``) is left alone.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

from connectors.files import file_errors, move_whole, replace_whole

DONE, REJECTED = "done", "rejected"
_UNFINISHED = (".part", ".tmp", ".crdownload", ".download", ".partial", ".swp", "~")
_MOST_MISPLACED = 50  # files of a folder that are looked at
_LONGEST_NAME = 150  # characters that are kept of a name


@dataclass(frozen=True)
class Found:
    """A plain file. ``mark`` changes when its content may have; ``changed_at`` is in seconds since 1970, by the file system."""

    path: Path
    relative: str
    size: int
    mark: str
    changed_at: float


class Box:
    """Files at ``root`` and in those of its folders that are named in ``parts``."""

    def __init__(self, root: Path, *, parts: Sequence[str]) -> None:
        self.root = root
        self._parts = tuple(parts)

    def open(self) -> None:
        """Make the folders, for the owner alone."""
        with file_errors(f"make the folder {self.root}"):
            for folder in (self.root, self.root / DONE, self.root / REJECTED):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def files(self) -> list[Found]:
        """By folder and name."""
        with file_errors(f"look into {self.root}"):
            folders = [("", self.root), *((part, self.root / part) for part in self._parts)]
            return [found for part, folder in folders for found in _in(folder, part)]

    def misplaced(self) -> list[list[Found]]:
        """Files in other folders, by folder: nobody reads them there."""
        ours = {*self._parts, DONE, REJECTED}
        with file_errors(f"look into {self.root}"):
            others = [path for path in sorted(self.root.iterdir()) if path.name not in ours and not path.name.startswith(".")]
            found = [list(islice(_in(folder, folder.name), _MOST_MISPLACED)) for folder in others]
        return [files for files in found if files]

    def put_away(self, mark: str, *, into: str, name: str, reports: dict[str, bytes]) -> None:
        """Move the file with this mark to ``into``, with ``reports`` by the ending of their names beside it. Safe to repeat."""
        target = self.root / into / name
        with file_errors(f"put {name} away"):
            for ending, report in reports.items():
                replace_whole(target.with_name(f"{name}.{ending}"), report)
            found = next((one for one in self.files() if one.mark == mark), None)
            if found is None:
                return  # it was put away before, or its owner took it away
            move_whole(found.path, target)
            if (moved := _found(target, "")) is None or moved.mark != mark:  # another file took its place in this moment
                move_whole(target, found.path)


def read_whole(found: Found) -> bytes | None:
    """Its content; None where it is not the file that was found any more, or changes. Raises OSError."""
    descriptor = os.open(found.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if _mark(os.fstat(descriptor)) != found.mark:
            return None
        raw = file.read(found.size + 1)
        return raw if len(raw) == found.size and _mark(os.fstat(descriptor)) == found.mark else None


def name_for(relative: str, *, at: datetime, digest: str) -> str:
    """What a file is called when it is put away; the same for the same file."""
    plain = "".join(c if c.isalnum() or c in "._- " else "-" for c in relative.replace("/", "-"))
    return f"{at:%Y-%m-%dT%H%M%S}-{digest[:8]}-{plain[-_LONGEST_NAME:]}"


def shown(relative: str) -> str:
    """A name that can be stored and shown, whatever bytes it is made of."""
    text = relative.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _in(folder: Path, part: str) -> Iterator[Found]:
    if folder.is_symlink() or not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name.lower().endswith(_UNFINISHED):
            continue
        found = _found(path, part)
        if found is not None:
            yield found


def _found(path: Path, part: str) -> Found | None:
    """None where it is no plain file, or gone."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    relative = f"{part}/{path.name}" if part else path.name
    changed_at = max(status.st_mtime, status.st_ctime)  # a copy may claim an old time; the change of the inode is the kernel's word
    return Found(path, relative, status.st_size, _mark(status), changed_at)


def _mark(status: os.stat_result) -> str:
    return f"{status.st_ino}.{status.st_size}.{status.st_mtime_ns}"
