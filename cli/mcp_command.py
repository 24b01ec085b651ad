"""``steward mcp``: Steward as a server for an agent that starts it, over standard input and output."""

import os
import sys
from typing import Annotated

import typer

from domain.access import Scope
from settings import CHECKOUT


def register(app: typer.Typer) -> None:
    """Add the command to the main one."""
    app.command("mcp")(mcp)


def mcp(
    *,
    scope: Annotated[list[Scope] | None, typer.Option(help="What the agent may do; give it again for more.")] = None,
) -> None:
    """Serve the Model Context Protocol to the program that starts this. Without a scope it may only read."""
    scopes = scope or [Scope.READ]
    os.chdir(CHECKOUT)  # where the modules are
    os.execv(sys.executable, [sys.executable, "-m", "console.stdio", *scopes])  # noqa: S606 - no shell, words of an enumeration
