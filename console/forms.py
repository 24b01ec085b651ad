"""Typed forms: an action as fields that can be changed, and back again with every value in its type.

A field is a leaf of the action's JSON, named by its path (``purchase_order.lines.0.units``). What says which thing the
action is about is shown and stays as it is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from domain.actions import ACTION, Action
from domain.errors import InvalidInput
from domain.problems import problems as problems_of

_ABOUT = frozenset(("kind", "to", "sender", "in_reply_to", "slug", "sku", "skus", "keyword", "language", "currency", "status"))
_MADE = frozenset(("facts", "json_ld", "revision", "titles", "title_template", "metrics", "picture", "why", "planned_at_seq"))
_WHEN = frozenset(("ordered_at", "received_at", "published_at"))
_FIXED = _ABOUT | _MADE | _WHEN
_LONG = frozenset(("body", "description"))
_MOST = 200_000


@dataclass(frozen=True, kw_only=True)
class Field:
    """``kind`` is text, long, number or check; ``fixed`` ones are shown only."""

    path: str
    label: str
    kind: str
    value: Any
    fixed: bool


class NotValid(InvalidInput):
    """A form whose values do not fit; ``problems`` are messages by path."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        first = next(iter(problems.items()))
        super().__init__(f"{first[0]}: {first[1]}", hint="mend it and send it again")
        self.problems = dict(problems)


def fields_of(action: Action) -> list[Field]:
    """The leaves in the order of the action's own fields."""
    return list(_leaves(action.model_dump(mode="json"), ()))


def edited(action: Action, form: Mapping[str, Any]) -> Action:
    """The action with the values of ``form``. Raises NotValid."""
    document = action.model_dump(mode="json")
    problems: dict[str, str] = {}
    for field in fields_of(action):
        if field.fixed or (field.path not in form and field.kind != "check"):
            continue
        try:
            _put(document, field.path.split("."), _typed(field, form.get(field.path)))
        except ValueError as error:
            problems[field.path] = str(error)
    if problems:
        raise NotValid(problems)
    try:
        return ACTION.validate_python(document)
    except ValidationError as error:
        raise NotValid(problems_of(error, within=1)) from error


def _leaves(node: Any, path: tuple[str, ...], *, fixed: bool = False) -> Iterator[Field]:
    if isinstance(node, dict):
        for name, value in node.items():
            yield from _leaves(value, (*path, name), fixed=fixed or _is_fixed(name))
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from _leaves(value, (*path, str(number)), fixed=fixed)
    else:
        yield Field(
            path=".".join(path), label=_label(path), kind=_kind(path, node), value="" if node is None else node, fixed=fixed
        )


def _is_fixed(name: str) -> bool:
    return name in _FIXED or name.endswith("_id")


def _kind(path: tuple[str, ...], value: Any) -> str:
    if isinstance(value, bool):
        return "check"
    if isinstance(value, int):
        return "number"
    return "long" if path[-1] in _LONG else "text"


def _label(path: tuple[str, ...]) -> str:
    """``lines.0.units`` as "line 1: units"."""
    words: list[str] = []
    for part in path:
        if part.isdecimal() and words:
            words[-1] = f"{words[-1].removesuffix('s')} {int(part) + 1}:"
        elif part not in words[-1:]:  # the amount of an amount
            words.append(part.replace("_", " "))
    return " ".join(words)


def _typed(field: Field, text: Any) -> Any:
    if field.kind == "check":
        return text == "on"
    if not isinstance(text, str) or len(text) > _MOST:
        raise ValueError("a text is needed, and one that is not so long")
    plain = text.replace("\r\n", "\n")  # as browsers send the lines of a form (HTML, form submission)
    if field.kind == "number":
        return int(plain.strip()) if plain.strip().lstrip("+-").isdecimal() else _no_number(plain)
    return plain


def _no_number(text: str) -> int:
    raise ValueError(f"{text.strip()[:40]!r} is no whole number")


def _put(document: Any, path: list[str], value: Any) -> None:
    for part in path[:-1]:
        document = document[int(part)] if isinstance(document, list) else document[part]
    if isinstance(document, list):
        document[int(path[-1])] = value
    else:
        document[path[-1]] = None if value == "" and document[path[-1]] is None else value
