"""A document as its fields, each as a text that people can read. Pure."""

import json
from typing import Any


def leaves(value: Any, path: str = "") -> dict[str, str]:
    """The text of every field by its path (``piece.title``); a list is one field."""
    if isinstance(value, dict) and value:
        pairs = ((f"{path}.{name}" if path else str(name), part) for name, part in value.items())
        return {name: text for place, part in pairs for name, text in leaves(part, place).items()}
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
