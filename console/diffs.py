"""Before and after, for people: which fields differ, and in texts which words."""

import difflib
import json
import re
from dataclasses import dataclass
from typing import Any

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
    old, new = _flat(before or {}), _flat(after)
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


def _flat(value: Any, path: str = "") -> dict[str, str]:
    if isinstance(value, dict) and value:
        pairs = ((f"{path}.{name}" if path else str(name), part) for name, part in value.items())
        return {name: text for place, part in pairs for name, text in _flat(part, place).items()}
    return {path: _text(value)} if path else {}


def _text(value: Any) -> str:
    """A list as lines, one for each thing in it."""
    if isinstance(value, list) and value:
        return "\n".join(_line(one) for one in value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _line(value: Any) -> str:
    """A thing with its parts in one line; money as money is written."""
    if not isinstance(value, dict):
        return _text(value).replace("\n", ", ")
    if value.keys() == {"amount", "currency"}:
        return f"{value['amount']} {value['currency']}"
    return ", ".join(f"{name} {_line(part)}" for name, part in value.items() if part not in ("", None))
