"""The log files: one a part, kept small."""

import shutil
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from stack.layout import Layout

LOG_NAMES = ("supervisor", "postgres", "temporal", "chroma", "prepare", "worker", "console")
MOST_BYTES = 20_000_000
TELLING = ("fatal", "error", "panic")


def last_lines(path: Path, count: int) -> list[str]:
    """The last lines of a log; none where there is no log."""
    try:
        with path.open(errors="replace") as file:
            return [line.rstrip("\n") for line in deque(file, maxlen=count)]
    except FileNotFoundError:
        return []


def since(path: Path, offset: int) -> str:
    """What was written to a log after ``offset`` bytes."""
    with path.open("rb") as file:
        file.seek(offset)
        return file.read().decode(errors="replace")


def telling_line(text: str) -> str:
    """The line that most likely says why: the last that speaks of an error, else the last."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    speaking = [line for line in lines if any(word in line.lower() for word in TELLING)]
    return next(reversed(speaking or lines), "it wrote nothing")


def rotate(layout: Layout) -> None:
    """Move what is in a log that has grown too big to ``<part>.log.1``. Every writer appends, so it just goes on."""
    for path in _existing(layout):
        if path.stat().st_size > MOST_BYTES:
            shutil.copyfile(path, path.with_suffix(".log.1"))
            with path.open("r+b") as file:
                file.truncate()


def _existing(layout: Layout) -> Iterator[Path]:
    return (path for name in LOG_NAMES if (path := layout.log(name)).exists())
