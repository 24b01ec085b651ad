"""``steward simulate``: many days of the demo shop in virtual time."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.output import AsJson


def register(app: typer.Typer) -> None:
    """Add the command to the main one."""
    app.command()(simulate)


def simulate(
    *,
    days: Annotated[int, typer.Option(min=1, max=366, help="How many days.")] = 30,
    seed: Annotated[int, typer.Option(help="The same seed makes the same customers, sales and suppliers.")] = 7,
    no_learning: Annotated[bool, typer.Option("--no-learning", help="Only the days without learning.")] = False,
    scenario: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A YAML file with rates, the operator's habits and shocks.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run the demo shop for many days in virtual time, with learning and without, and compare."""
    # A program of its own that uses this one, as the demo is; it takes over the process.
    words = [sys.executable, "-P", "-m", "demo.simulation", "--days", str(days), "--seed", str(seed)]
    words += ["--no-learning"] if no_learning else []
    words += ["--scenario", str(scenario.absolute())] if scenario else []
    words += ["--json"] if as_json else []
    os.execv(sys.executable, words)  # noqa: S606 - no shell, and every word is made here
