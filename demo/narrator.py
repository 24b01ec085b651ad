"""Says what the demo does while it does it, and keeps it for the report."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from rich.console import Console

from demo.report import Step


class Narrator:
    """Prints each step with the seconds since the start; ``steps`` holds them in order."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.started_at = datetime.now(UTC)
        self.steps: list[Step] = []

    def say(self, text: str) -> None:
        step = Step(at=datetime.now(UTC), text=text)
        self.steps.append(step)
        seconds = (step.at - self.started_at).total_seconds()
        self.console.print(f"[dim]{seconds:5.1f} s[/dim]  {_plain(text)}", highlight=False)

    @contextmanager
    def busy(self, text: str) -> Iterator[None]:
        """Shows that something goes on, until it is over."""
        with self.console.status(_plain(text)):
            yield


def _plain(text: str) -> str:
    return text.replace("[", r"\[")
