"""Policy documents as leaves: what a version changes, and whether two changes are the same."""

from typing import Any

from domain.policies import POLICY_TYPES, PolicyRecord

Change = dict[str, tuple[Any, Any]]
"""Path -> (before, after); None where it is not there."""
_TOLD = frozenset({"why", "earned_at", "labels", "taught_until"})
"""Leaves that say when and why; a change that differs in nothing else is the same one."""
_NEAR = 0.25  # of a number's own change


def in_force(record: PolicyRecord) -> dict[str, Any]:
    """The whole document that is in force, or the built-in default. Raises KeyError for a policy that does not exist."""
    return document_of(record, record.active)


def document_of(record: PolicyRecord, number: int) -> dict[str, Any]:
    """The whole document of a version; the built-in default where there is no such version."""
    version = record.version(number)
    return POLICY_TYPES[record.name].model_validate(version.document if version else {}).model_dump(mode="json")


def leaves(document: Any, path: str = "") -> dict[str, Any]:
    """Every value that is no list or object, by its dotted path; empty lists and objects count as values."""
    if isinstance(document, dict) and document:
        return {p: v for key, value in document.items() for p, v in leaves(value, f"{path}.{key}" if path else str(key)).items()}
    if isinstance(document, list | tuple) and document:
        return {p: v for place, value in enumerate(document) for p, v in leaves(value, f"{path}[{place}]").items()}
    return {path: document}


def changed(before: Any, after: Any) -> Change:
    """Every leaf that differs. An object that was empty is no leaf of its own once there is something in it."""
    old, new = leaves(before), leaves(after)
    differing = {p: (old.get(p), new.get(p)) for p in dict.fromkeys((*old, *new)) if old.get(p) != new.get(p)}
    return {p: values for p, values in differing.items() if not _was_or_became_empty(values, p, differing)}


def same_change(one: Change, other: Change) -> bool:
    """Whether both change the same places to nearly the same values: numbers may differ by a quarter of what they change."""
    return one.keys() == other.keys() and all(_near(one[path], other[path]) for path in one if path.rpartition(".")[2] not in _TOLD)


def _was_or_became_empty(values: tuple[Any, Any], path: str, differing: Change) -> bool:
    inside = any(p.startswith((f"{path}.", f"{path}[")) for p in differing)
    return inside and any(value in ({}, [], ()) for value in values)


def _near(one: tuple[Any, Any], other: tuple[Any, Any]) -> bool:
    (before, mine), theirs = one, other[1]
    if not (_is_number(mine) and _is_number(theirs)):
        return bool(mine == theirs)
    start = before if _is_number(before) else 0.0
    return bool(abs(mine - theirs) <= _NEAR * abs(mine - start))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
