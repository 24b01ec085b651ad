"""What came out of reading a file."""

from collections.abc import Iterable
from dataclasses import dataclass

from domain.event import NewEvent


@dataclass(frozen=True)
class Rejection:
    """One thing that could not be read. ``line`` counts from 1 as editors do; ``column`` is the file's own name for it."""

    line: int
    column: str
    value: str
    why: str


@dataclass(frozen=True)
class ImportReport:
    """``rows`` were read; ``accepted`` is what they mean; ``rejected`` says why some mean nothing; ``notes`` tells assumptions.

    ``assumed`` is nothing the file says: it holds only where nothing is known yet.
    """

    kind: str
    rows: int
    accepted: tuple[NewEvent, ...]
    rejected: tuple[Rejection, ...] = ()
    notes: tuple[str, ...] = ()
    assumed: tuple[NewEvent, ...] = ()


def in_file_order(rejected: Iterable[Rejection]) -> tuple[Rejection, ...]:
    return tuple(sorted(rejected, key=lambda rejection: rejection.line))


class BadCell(Exception):
    """A cell that does not parse; becomes a Rejection. ``column`` is our name for it."""

    def __init__(self, column: str, value: str, why: str) -> None:
        super().__init__(why)
        self.column = column
        self.value = value
        self.why = why
