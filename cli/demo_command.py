"""``steward demo``: one business day of a demo shop."""

import os
import sys
from typing import Annotated

import typer

from cli.output import AsJson


def register(app: typer.Typer) -> None:
    """Add the command to the main one."""
    app.command()(demo)


def demo(
    *,
    seed: Annotated[int, typer.Option(help="The same seed makes the same day.")] = 7,
    clear: Annotated[bool, typer.Option("--clear", help="Put the demo away and make room for your own business.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run a demo shop for one business day, crash it in the middle, and show that nothing is lost."""
    # The demo is a program of its own that uses this one; arrows point down, so it takes over the process.
    words = [
        sys.executable,
        "-P",
        "-m",
        "demo",
        "--seed",
        str(seed),
        *(["--clear"] if clear else []),
        *(["--json"] if as_json else []),
    ]
    os.execv(sys.executable, words)  # noqa: S606 - no shell, and every word is made here
