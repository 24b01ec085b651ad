"""Before and after, for people: which fields differ, and in texts which words."""

import difflib
import re
from dataclasses import dataclass
from typing import Any

from domain.leaves import leaves
from domain.wording import counted

_LONG = 400  # characters from which a change is folded
_EDGE = 80  # characters of what stays, on each side of what changes
_NOTHING = frozenset(("null", "[]", "{}"))
_WRITTEN = frozenset(("title", "description", "body"))  # what somebody wrote of a page
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

    @property
    def label(self) -> str:
        """``order.unit_cost`` as "order unit cost"; a page is all there is in its record."""
        return self.field.removeprefix("piece.").replace(".", " ").replace("_", " ")

    @property
    def long(self) -> bool:
        return len(self.before) + len(self.after) > _LONG

    @property
    def gist(self) -> str:
        """What a long one comes to."""
        counts = [(sum(len(p.text.split()) for p in self.pieces if p.how == how), how) for how in ("new", "gone")]
        return ", ".join(f"{counted(count, 'word')} {how}" for count, how in counts if count)

    @property
    def near(self) -> tuple[Piece, ...]:
        """The pieces, with no more than the edges of a long stretch that stays."""
        return tuple(Piece("same", _edges(p.text)) if p.how == "same" else p for p in self.pieces)


@dataclass(frozen=True)
class Told:
    """Changes as people want them: ``made`` are those that a program fills in from the others."""

    said: tuple[Change, ...]
    made: tuple[Change, ...]


def told(before: dict[str, Any] | None, after: dict[str, Any]) -> Told:
    """``changes`` without those from nothing to nothing, and with nothing as an empty text."""
    found = [_without_nothing(change) for change in changes(before, after)]
    kept = [change for change in found if change.before or change.after]
    by_program = [change for change in kept if _by_program(change.field)]
    return Told(said=tuple(c for c in kept if c not in by_program), made=tuple(by_program))


def _by_program(field: str) -> bool:
    first, _, rest = field.partition(".")
    return first == "piece" and bool(rest) and rest not in _WRITTEN


def _without_nothing(change: Change) -> Change:
    old, new = ("" if text in _NOTHING else text for text in (change.before, change.after))
    return change if (old, new) == (change.before, change.after) else Change(change.field, old, new, words(old, new))


def _edges(text: str) -> str:
    return text if len(text) <= 2 * _EDGE else f"{text[:_EDGE]} … {text[-_EDGE:]}"


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
