"""The report on a terminal."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from demo.report import ALONE, APPROVED, OPERATOR, SILENT, UNDONE, WAITING, DemoReport
from domain.wording import counted

_STYLES = {ALONE: "green", APPROVED: "cyan", WAITING: "bold yellow", OPERATOR: "magenta", SILENT: "dim", UNDONE: "red"}


def show(report: DemoReport, console: Console, *, files: Sequence[str]) -> None:
    """Print the whole report; ``files`` are where it was written to."""
    console.print()
    _tickets(report, console)
    _purchases(report, console)
    _content(report, console)
    _approvals(report, console)
    _effects(report, console)
    _trust(report, console)
    _next(report, console, files)


def _tickets(report: DemoReport, console: Console) -> None:
    rows = (
        (t.subject, t.intent, _coloured(t.outcome), "–" if t.seconds is None else f"{t.seconds:.1f} s", "; ".join(t.actions))
        for t in report.tickets
    )
    _print(console, counted(len(report.tickets), "ticket"), ("subject", "intent", "outcome", "answered in", "done"), rows)


def _purchases(report: DemoReport, console: Console) -> None:
    rows = (
        (
            p.supplier,
            f"{counted(p.units, 'unit')}, {counted(p.lines, 'line')}",
            f"{p.total:,.2f} {p.currency}",
            _coloured(p.outcome),
            p.trigger,
        )
        for p in report.purchases
    )
    _print(console, counted(len(report.purchases), "purchase order"), ("supplier", "what", "money", "outcome", "started by"), rows)


def _content(report: DemoReport, console: Console) -> None:
    rows = ((c.title, counted(c.words, "word"), _coloured(c.outcome), c.why) for c in report.content)
    title = f"{counted(len(report.content), 'page')} written; {counted(report.measured, 'day')} of page metrics imported"
    _print(console, title, ("page", "length", "outcome", "why"), rows)


def _approvals(report: DemoReport, console: Console) -> None:
    rows = (
        (a.summary, "; ".join(a.reasons), _coloured(WAITING) if a.answer == "open" else f"{a.answer} by {a.by}", a.note)
        for a in report.approvals
    )
    _print(console, f"{counted(len(report.approvals), 'approval')} asked", ("what", "why it was asked", "answer", "note"), rows)


def _effects(report: DemoReport, console: Console) -> None:
    kinds = sorted({e.kind for e in report.effects})
    of_kind = {k: [e for e in report.effects if e.kind == k] for k in kinds}
    rows = (
        (
            kind,
            str(len(effects)),
            str(sum(e.compensates for e in effects) or ""),
            str(sum(e.status == "compensated" for e in effects) or ""),
        )
        for kind, effects in of_kind.items()
    )
    _print(console, counted(len(report.effects), "effect"), ("kind", "done", "to undo another", "undone"), rows)
    console.print(escape(report.kill.told()))


def _trust(report: DemoReport, console: Console) -> None:
    seen = report.integrity
    chain = seen.chain or "the hash chain verifies"
    console.print()
    console.print(f"Log: {seen.events} events, {escape(chain)}.")
    console.print(f"State: {seen.rows_compared} rows rebuilt from the log, {len(seen.differences)} differ.")
    lost = f"{len(seen.missing)} lost, {len(seen.doubled)} doubled"
    console.print(f"Outside: {seen.effects_checked} effects looked up where they happened, [bold]{lost}[/bold].")
    for problem in (*seen.differences, *seen.missing, *seen.doubled):
        console.print(f"[red]{escape(problem)}[/red]")


def _next(report: DemoReport, console: Console, files: Sequence[str]) -> None:
    engines = ", ".join(f"{engine} ({count})" for engine, count in report.engines.items())
    console.print()
    console.print(f"Done in {report.seconds:.0f} s. Messages were understood by: {engines}. Everything is stopped.")
    waiting = f"{counted(len(report.open_approvals), 'run')} {'waits' if len(report.open_approvals) == 1 else 'wait'}"
    console.print(f"[bold]{waiting} for you.[/bold] Go on with:")
    console.print("  ./steward up           start Steward again")
    console.print("  ./steward inbox        see what waits, then ./steward show ID and ./steward approve ID")
    if report.ui_url:
        console.print(f"  {escape(report.ui_url)}  Temporal's own Web UI, while Steward is up")
    for file in files:
        console.print(f"  {escape(file)}")


def _print(console: Console, title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Cells are text except those already coloured by ``_coloured``."""
    table = Table(title=title, title_justify="left", title_style="bold", show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(cell if cell in _MARKED else escape(cell) for cell in row))
    console.print(table)
    console.print()


def _coloured(outcome: str) -> str:
    return f"[{_STYLES[outcome]}]{outcome}[/]"


_MARKED = {_coloured(outcome) for outcome in _STYLES}
