"""``steward demo``: one business day of a demo shop."""

from typing import Annotated

import typer

from cli.output import AsJson
from demo.day import main as run_demo
from settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command to the main one."""
    app.command()(demo)


def demo(
    *,
    seed: Annotated[int, typer.Option(help="The same seed makes the same day.")] = 7,
    as_json: AsJson = False,
) -> None:
    """Run a demo shop for one business day, crash it in the middle, and show that nothing is lost."""
    raise typer.Exit(run_demo(Settings.load(), seed=seed, as_json=as_json))
