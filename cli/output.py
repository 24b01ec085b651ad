"""How commands speak: tables for people, JSON for programs, one clear line for errors."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, NoReturn, TypeVar

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from domain.errors import DomainError, StewardError

console = Console(highlight=False)
complaints = Console(stderr=True, highlight=False)
T = TypeVar("T")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]

EXIT_FAILED = 1  # the world is not as it should be: not running, not reachable
EXIT_WRONG = 2  # the request is wrong; repeating it will not help


def run(work: Callable[[], Awaitable[T]], *, as_json: bool = False) -> T:
    """Run the asynchronous part of a command; a StewardError becomes one line and an exit code."""
    try:
        return asyncio.run(_await(work))
    except StewardError as error:
        give_up(error, as_json=as_json)


async def _await(work: Callable[[], Awaitable[T]]) -> T:
    return await work()


def give_up(error: StewardError, *, as_json: bool = False) -> NoReturn:
    if as_json:
        print_json({"error": error.message, "hint": error.hint, "kind": type(error).__name__})
    else:
        text = f"[red]{escape(error.message)}[/red]" + (f"\n  {escape(error.hint)}" if error.hint else "")
        complaints.print(text, soft_wrap=True)
    raise typer.Exit(EXIT_WRONG if isinstance(error, DomainError) else EXIT_FAILED)


def print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, default=_plain, ensure_ascii=False, indent=2) + "\n")


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], *, empty: str = "nothing") -> None:
    """A table, or one line where there is nothing. Cells are shown as text, never as markup."""
    if not rows:
        console.print(f"{title}: {empty}")
        return
    table = Table(title=title, title_justify="left", title_style="bold", show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(escape(str(cell)) for cell in row))
    console.print(table)


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else str(value)
