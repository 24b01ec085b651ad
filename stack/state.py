"""What the supervisor knows about the stack, kept in one file that other processes read."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

PART_NAMES = ("postgres", "temporal", "chroma", "worker", "console")

Condition = Literal["stopped", "starting", "running", "backoff", "failed", "external"]
Phase = Literal["stopped", "starting", "running", "stopping", "failed", "died"]


@dataclass(frozen=True)
class Endpoints:
    """Where the three servers answer, and the console."""

    database_url: str
    temporal_address: str
    temporal_namespace: str
    chroma_url: str
    ui_url: str | None
    console_url: str | None = None


class PartState(BaseModel):
    """One part. ``since`` and ``created`` are seconds since 1970; ``created`` tells a reused pid from the real one."""

    model_config = ConfigDict(frozen=True)

    name: str
    state: Condition = "stopped"
    pid: int | None = None
    created: float | None = None
    since: float | None = None
    restarts: int = 0
    address: str | None = None
    last_error: str | None = None


class StackState(BaseModel):
    """The whole stack. ``notes`` are lines for the operator, oldest first."""

    model_config = ConfigDict(frozen=True)

    phase: Phase = "stopped"
    parts: tuple[PartState, ...] = tuple(PartState(name=name) for name in PART_NAMES)
    endpoints: Endpoints | None = None
    notes: tuple[str, ...] = ()
    error: str | None = None
    hint: str = ""

    def part(self, name: str) -> PartState:
        return next(part for part in self.parts if part.name == name)

    def with_part(self, name: str, **changes: Any) -> "StackState":
        parts = tuple(p.model_copy(update=changes) if p.name == name else p for p in self.parts)
        return self.model_copy(update={"parts": parts})


StackStatus = StackState
"""What ``status`` answers: the same picture, corrected for a supervisor that is gone."""


def read_state(path: Path) -> StackState:
    """The state in the file; the state of a stopped stack where there is none, or none that can be read."""
    try:
        return StackState.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return StackState()


def write_state(path: Path, state: StackState) -> None:
    """Replace the file in one step; it holds the database's password, so only its owner can read it."""
    draft = path.with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(state.model_dump_json(indent=1))
    draft.replace(path)
