"""What is wrong with a value, in plain words: what pydantic found, said as one would say it to the person who typed it."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from domain.wording import counted

_Context = Mapping[str, Any]
_TEXTS: dict[str, str] = {
    "missing": "is missing",
    "extra_forbidden": "there is no such field",
    "string_type": "must be a text",
    "string_pattern_mismatch": "is not written as it must be: {pattern}",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "finite_number": "must be a number",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "union_tag_invalid": "must be one of {expected_tags}",
    "timezone_aware": "must say its time zone, such as 2026-01-31T12:00:00+01:00",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "dict_type": "must be an object with fields",
    "model_type": "must be an object with fields",
    "model_attributes_type": "must be an object with fields",
}
_KINDS = {
    "int": "must be a whole number",
    "float": "must be a number",
    "decimal": "must be a number",
    "datetime": "must be a time, such as 2026-01-31T12:00:00+01:00",
    "date": "must be a day, such as 2026-01-31",
}


def problems(error: ValidationError, *, within: int = 0) -> dict[str, str]:
    """What is wrong with each field, by its path (``purchase_order.lines.0.units``) without the first ``within`` parts."""
    return {path_of(one["loc"], within=within): in_words(one) for one in error.errors(include_url=False)}


def first_problem(error: ValidationError) -> tuple[str, str]:
    """The path of the first field that does not fit, and what is wrong with it."""
    one = error.errors(include_url=False)[0]
    return path_of(one["loc"]), in_words(one)


def path_of(location: tuple[int | str, ...], *, within: int = 0) -> str:
    return ".".join(str(part) for part in location[within:] or location)


def in_words(one: Mapping[str, Any]) -> str:
    """One error of pydantic's list. Nothing of what was given is repeated, only how long it is."""
    kind, context = str(one["type"]), one.get("ctx") or {}
    if words := _LENGTHS.get(kind):
        return words(context, one.get("input"))
    if kind in _TEXTS:
        return _TEXTS[kind].format_map(context)
    family, _, how = kind.partition("_")
    if family in _KINDS and how.endswith(("parsing", "type", "from_float", "inexact")):
        return _KINDS[family]
    said = str(one["msg"]).removeprefix("Value error, ")
    return said.removeprefix("Decimal ").replace("Input should", "must").replace("input should", "must")


def _too_long_a_text(context: _Context, given: Any) -> str:
    return f"at most {counted(context['max_length'], 'character')}, this has {len(given):,}"


def _too_short_a_text(context: _Context, given: Any) -> str:
    return f"at least {counted(context['min_length'], 'character')}, this has {len(given):,}" if given else "must not be empty"


def _too_many(context: _Context, _given: Any) -> str:
    return f"at most {counted(context['max_length'], 'entry', 'entries')}, this has {context['actual_length'] or 'more'}"


def _too_few(context: _Context, _given: Any) -> str:
    return f"at least {counted(context['min_length'], 'entry', 'entries')}, this has {context['actual_length']}"


_LENGTHS: dict[str, Callable[[_Context, Any], str]] = {
    "string_too_long": _too_long_a_text,
    "string_too_short": _too_short_a_text,
    "too_long": _too_many,
    "too_short": _too_few,
}
