"""The supervisor's notice board: the state file, and a line in its log for every change worth one."""

import contextlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from stack.state import Endpoints, PartState, Phase, StackState, write_state

NOTES_KEPT = 50


class Board:
    """The one writer of the state file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.state = StackState(phase="starting")

    def phase(self, phase: Phase, *, endpoints: Endpoints | None = None) -> None:
        kept = endpoints or self.state.endpoints
        self._publish(self.state.model_copy(update={"phase": phase, "endpoints": kept}))

    def failed(self, error: str, hint: str) -> None:
        self.say(f"failed: {error}")
        self._publish(self.state.model_copy(update={"phase": "failed", "error": error, "hint": hint}))

    def part(self, name: str, **changes: Any) -> None:
        self._publish(self.state.with_part(name, **changes))

    def of(self, name: str) -> PartState:
        return self.state.part(name)

    def note(self, line: str) -> None:
        """A line for the operator too, not for the log only."""
        self.say(line)
        self._publish(self.state.model_copy(update={"notes": (*self.state.notes, line)[-NOTES_KEPT:]}))

    def say(self, line: str) -> None:
        """A line for the log. A full disk must not end the one process that can still stop the others in order."""
        with contextlib.suppress(OSError):
            print(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {line}", flush=True)  # stdout is supervisor.log

    def _publish(self, state: StackState) -> None:
        self.state = state
        try:
            write_state(self._path, state)
        except OSError as error:
            self.say(f"cannot write {self._path}: {error.strerror}")
