"""How commands speak: tables for people, JSON for programs, one clear line for errors.

Much of what is shown was written by strangers. Nothing here interprets it: no markup, no emoji codes, and no character
that would steer a terminal or turn the direction of the text.
"""

import asyncio
import json
import re
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, NoReturn, TypeVar

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table
from rich.text import Text

from domain.errors import DomainError, StewardError

console = Console(highlight=False, markup=False, emoji=False)
complaints = Console(stderr=True, highlight=False, markup=False, emoji=False)
T = TypeVar("T")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]

EXIT_FAILED = 1  # the world is not as it should be: not running, not reachable
EXIT_WRONG = 2  # the request is wrong; repeating it will not help

_STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
"""Control characters but tab and newline, what hides or turns text around, and halves of characters."""


def run(work: Callable[[], Awaitable[T]], *, as_json: bool = False) -> T:
    """Run the asynchronous part of a command; a StewardError becomes one line and an exit code."""
    try:
        return asyncio.run(_await(work))
    except StewardError as error:
        give_up(error, as_json=as_json)


async def _await(work: Callable[[], Awaitable[T]]) -> T:
    return await work()


def give_up(error: StewardError, *, as_json: bool = False) -> NoReturn:
    complain(error.message, hint=error.hint, kind=type(error).__name__, as_json=as_json)
    raise typer.Exit(EXIT_WRONG if isinstance(error, DomainError) else EXIT_FAILED)


def complain(message: str, *, hint: str, kind: str, as_json: bool) -> None:
    """What went wrong and what to do: on the error stream for people, as the answer for programs."""
    if as_json:
        print_json({"error": message, "hint": hint, "kind": kind})
        return
    complaints.print(Text(plain(message), style="red"), soft_wrap=True)
    if hint:
        complaints.print(Text(plain(f"  {hint}")), soft_wrap=True)


def say(text: object, *, style: str = "") -> None:
    """A line or a text for people, shown as it is."""
    console.print(Text(plain(str(text)), style=style), soft_wrap=True)


def print_json(value: Any) -> None:
    text = json.dumps(value, default=_plain, ensure_ascii=False, indent=2)
    sys.stdout.write(_STEERING.sub(_escaped, text) + "\n")


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], *, empty: str = "nothing") -> None:
    """A table, or one line where there is nothing."""
    if not rows:
        say(f"{title}: {empty}")
        return
    say(title, style="bold")  # a title of the table would be broken where the table is narrow, and an id in it could not be copied
    table = Table(show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(plain(str(cell))) for cell in row))
    console.print(table)


def plain(text: str) -> str:
    """``text`` without the characters that would do something instead of being read."""
    return _STEERING.sub("", text.replace("\r\n", "\n"))


def _escaped(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else str(value)
