"""Before and after, for people: which fields differ, and in texts which words."""

import difflib
import re
from dataclasses import dataclass
from typing import Any

from domain.leaves import leaves

_LONGEST = 20_000  # characters up to which words are compared one by one


@dataclass(frozen=True)
class Piece:
    """A stretch of a text: ``same``, ``gone`` or ``new``."""

    how: str
    text: str


@dataclass(frozen=True)
class Change:
    """A field that differs. ``pieces`` is its text with what went and what came marked."""

    field: str
    before: str
    after: str
    pieces: tuple[Piece, ...]


def changes(before: dict[str, Any] | None, after: dict[str, Any]) -> list[Change]:
    """Fields that differ, nested ones by path, in the order in which they come."""
    old, new = leaves(before or {}), leaves(after)
    names = [name for name in dict.fromkeys((*old, *new)) if old.get(name) != new.get(name)]
    return [Change(name, old.get(name, ""), new.get(name, ""), words(old.get(name, ""), new.get(name, ""))) for name in names]


def fields_changed(before: dict[str, Any] | None, after: dict[str, Any]) -> list[str]:
    """The names alone: of the whole value where there was nothing before."""
    if before is None:
        return []
    return [name for name in dict.fromkeys((*before, *after)) if before.get(name) != after.get(name)]


def words(before: str, after: str) -> tuple[Piece, ...]:
    if len(before) + len(after) > _LONGEST:
        return tuple(piece for piece in (Piece("gone", before), Piece("new", after)) if piece.text)
    old, new = _split(before), _split(after)
    found: list[Piece] = []
    for tag, a, b, c, d in difflib.SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        if tag == "equal":
            found.append(Piece("same", "".join(old[a:b])))
        else:
            found += [Piece(how, text) for how, text in (("gone", "".join(old[a:b])), ("new", "".join(new[c:d]))) if text]
    return tuple(found)


def _split(text: str) -> list[str]:
    return re.findall(r"\s+|[^\s]+", text)
