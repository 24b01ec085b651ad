"""Ids may be shortened: the whole one, the beginning, or any part that names only one thing."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from domain.errors import InvalidInput, NotFound

T = TypeVar("T")
_SHOWN = 4
_ENOUGH = 4  # fewer characters name something by accident


def completing(names: Iterable[str]) -> Callable[[str], list[str]]:
    """What the shell offers after a tab."""
    return lambda incomplete: [name for name in names if name.startswith(incomplete)]


def choose(things: Sequence[T], which: str, *, key: Callable[[T], str], what: str, hint: str) -> T:
    """The thing that ``which`` names. Raises NotFound with ``hint``, or InvalidInput with the ids that it could be."""
    ways = (str.__eq__, str.startswith, str.__contains__) if len(which) >= _ENOUGH else (str.__eq__,)
    for fits in ways:
        found = [thing for thing in things if which and fits(key(thing), which)]
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(key(thing) for thing in found[:_SHOWN]) + (", …" if len(found) > _SHOWN else "")
            raise InvalidInput(f"{which} names {len(found)} {what}s", hint=f"give more of the id: {ids}")
    if len(which) < _ENOUGH:
        raise InvalidInput(f"{which!r} is too short an id", hint=f"give at least {_ENOUGH} characters of it")
    raise NotFound(f"there is no {what} {which!r}", hint=hint)
