"""``--set FIELD=VALUE``: values as people type them, put into a document of nested dicts and lists."""

import json
import re
from collections.abc import Iterator, Sequence
from copy import deepcopy
from difflib import get_close_matches
from typing import Any

from domain.errors import InvalidInput
from domain.wording import counted

_MEANT = 3  # paths that a hint names
_MONEY = re.compile(r"(-?\d+(?:\.\d+)?)(?:\s*([A-Z]{3}))?")


def assigned(document: dict[str, Any], assignments: Sequence[str], *, grow: bool = False) -> dict[str, Any]:
    """A copy of ``document`` with each ``path.to.field=value`` in it. ``grow`` lets the last part of a path be new.

    Raises InvalidInput for what is no assignment and for fields that are not there.
    """
    changed = deepcopy(document)
    for assignment in assignments:
        path, equals, text = assignment.partition("=")
        if not equals or not path.strip():
            raise InvalidInput(f"{assignment!r} is not FIELD=VALUE", hint="for example --set refund_limit=40")
        _assign(changed, path.strip().split("."), text, grow=grow)
    return changed


def differences(before: Any, after: Any, path: str = "") -> list[tuple[str, Any, Any]]:
    """(path, before, after) of every leaf that differs; None where there is no such leaf."""
    if isinstance(before, dict) and isinstance(after, dict):
        keys = dict.fromkeys((*before, *after))
        return [d for k in keys for d in differences(before.get(k), after.get(k), f"{path}.{k}" if path else str(k))]
    return [] if before == after else [(path, before, after)]


def is_money(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"amount", "currency"}


def _assign(document: dict[str, Any], path: list[str], text: str, *, grow: bool) -> None:
    target: Any = document
    try:
        for part in path[:-1]:
            target = target[int(part)] if isinstance(target, list) else target[part]
        key: Any = int(path[-1]) if isinstance(target, list) else path[-1]
        old = target.get(key) if grow and isinstance(target, dict) and target is not document else target[key]
    except (KeyError, IndexError, ValueError, TypeError) as error:
        meant = _meant(document, path[-1])
        hint = f"did you mean {' or '.join(meant)}?" if meant else _what_there_is(target)
        raise InvalidInput(f"there is no field {'.'.join(path)}", hint=hint) from error
    target[key] = _value(text, like=old)


def _meant(document: Any, name: str) -> list[str]:
    """Fields of that name wherever they stand, else those of a name like it."""
    by_name: dict[str, list[str]] = {}
    for place in _places(document):
        by_name.setdefault(place.split(".")[-1], []).append(place)
    alike = [name] if name in by_name else get_close_matches(name, by_name, n=_MEANT)
    return [place for one in alike for place in by_name[one]][:_MEANT]


def _places(document: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """The path of every field, however deep."""
    parts = document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    for part, value in parts:
        yield ".".join((*path, str(part)))
        yield from _places(value, (*path, str(part)))


def _what_there_is(target: Any) -> str:
    match target:
        case dict():
            return f"there is {', '.join(target)}"
        case list():
            return f"it has {counted(len(target), 'entry', 'entries')}, counted from 0"
    return f"{target!r} has no parts"


def _value(text: str, *, like: Any) -> Any:
    """``text`` as a value of the kind that ``like`` is: money as ``40`` or ``40 EUR``, a list as ``en,de``."""
    if isinstance(like, str):
        return text
    if is_money(like) and not text.lstrip().startswith("{"):
        return _money(text, currency=like["currency"])
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return [part.strip() for part in text.split(",") if part.strip()] if isinstance(like, list) else text


def _money(text: str, *, currency: str) -> dict[str, str]:
    found = _MONEY.fullmatch(text.strip())
    if found is None:
        raise InvalidInput(f"{text!r} is not an amount", hint="for example 40 or 40.50 EUR")
    return {"amount": found[1], "currency": found[2] or currency}
