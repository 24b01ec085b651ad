"""As much of GraphQL as a double of a system needs: which operation is asked, and its answer cut to what was asked for.

A double keeps whole records; ``project`` gives of them what a document selects, as a server does, and fails where it selects
what the records do not have. So a connector's documents are tried along with its code.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(r'"[^"]*"|\.\.\.|[{}()\[\]:$!@,]|[^\s{}()\[\]:$!@,"]+')


@dataclass
class Selection:
    """Fields with what is selected of each; None for a scalar. ``spreads`` are names of fragments; ``maybe`` are fields that only
    one of several types has.
    """

    fields: dict[str, "Selection | None"] = field(default_factory=dict)
    spreads: list[str] = field(default_factory=list)
    maybe: dict[str, "Selection | None"] = field(default_factory=dict)


def operation_of(document: str) -> str:
    """The name of its operation."""
    found = re.search(r"\b(?:query|mutation)\s+(\w+)", document)
    assert found is not None, "every document names its operation"
    return found[1]


def project(document: str, data: Any) -> Any:
    """``data`` as the operation of ``document`` selects it."""
    operation, fragments = _parsed(document)
    return _cut(data, operation, fragments, "data")


def _cut(value: Any, selection: Selection | None, fragments: dict[str, Selection], path: str) -> Any:
    if isinstance(value, list):
        return [_cut(one, selection, fragments, path) for one in value]
    if selection is None or value is None:
        assert not isinstance(value, dict), f"{path} needs a selection of its fields"
        return value
    wanted = dict(selection.fields)
    for name in selection.spreads:
        wanted |= _flat(fragments[name], fragments)
    wanted |= {name: inner for name, inner in selection.maybe.items() if name in value}
    missing = wanted.keys() - value.keys()
    assert not missing, f"{path} has no {sorted(missing)}"
    return {name: _cut(value[name], inner, fragments, f"{path}.{name}") for name, inner in wanted.items()}


def _flat(selection: Selection, fragments: dict[str, Selection]) -> dict[str, Selection | None]:
    inner = {name: one for spread in selection.spreads for name, one in _flat(fragments[spread], fragments).items()}
    return selection.fields | inner


def _parsed(document: str) -> tuple[Selection, dict[str, Selection]]:
    tokens = iter(_TOKEN.findall(document))
    operation, fragments = Selection(), {}
    for token in tokens:
        head = [token, *_until(tokens, "{")]
        if head[0] == "fragment":
            fragments[head[1]] = _selection(tokens)
        else:
            operation = _selection(tokens)
    return operation, fragments


def _until(tokens: Iterator[str], end: str) -> Iterator[str]:
    """What comes before ``end`` outside of parentheses."""
    depth = 0
    for token in tokens:
        if token == end and not depth:
            return
        depth += {"(": 1, ")": -1}.get(token, 0)
        yield token


def _selection(tokens: Iterator[str]) -> Selection:
    found, last, depth = Selection(), "", 0
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token, 0)
        if depth or token in {")", "@idempotent"}:
            continue
        match token:
            case "}":
                return found
            case "{":
                found.fields[last] = _selection(tokens)
            case "..." | "@":
                last = token
            case "on" if last == "...":
                assert next(tokens)
                assert next(tokens) == "{"
                found.maybe |= _selection(tokens).fields
                last = ""
            case name if last == "...":
                found.spreads.append(name)
                last = ""
            case _ if last == "@":
                last = next(reversed(found.fields))
            case name:
                found.fields[name] = None
                last = name
    return found
