"""Bringing a proposal up to date: its change, made to what came into force meanwhile. Pure."""

from typing import Any

from domain.errors import Stale


def merged(base: Any, active: Any, proposed: Any, path: str = "") -> Any:
    """``active`` with what ``proposed`` changed of ``base``: a three-way merge. Raises Stale where both changed one place."""
    if proposed in (base, active):
        return active
    if active == base:
        return proposed
    if isinstance(base, dict) and isinstance(active, dict) and isinstance(proposed, dict):
        keys = [k for k in dict.fromkeys((*active, *proposed)) if not (k in base and (k not in active or k not in proposed))]
        return {k: merged(base.get(k), active.get(k), proposed.get(k), f"{path}.{k}" if path else k) for k in keys}
    raise Stale(f"what is in force and the proposal both change {path}", hint="drop it; it is proposed anew if it is still right")
