"""How far long work is, for whoever watches."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from cli.output import complaints
from memory.timeline import Progress as Watch


@contextmanager
def progress(what: str, *, quiet: bool) -> Iterator[Watch | None]:
    """A bar on the error stream, where somebody watches."""
    if quiet or not complaints.is_terminal:
        yield None
        return
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=complaints, transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
