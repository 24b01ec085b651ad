"""``steward state rebuild``: proving that the state is what the log says, and putting right what is not."""

import sys
from typing import Annotated

import typer

from cli.context import System, with_system
from cli.output import EXIT_FAILED, AsJson, give_up, print_json, say
from cli.progress import progress
from domain.errors import InvalidInput
from domain.wording import counted
from memory.rebuild import RebuildReport, rebuild_check
from memory.rebuild import rebuild as rebuild_state


def register(state_app: typer.Typer) -> None:
    """Add the command to those of ``state``."""
    state_app.command("rebuild")(rebuild)


def rebuild(
    *,
    check: Annotated[bool, typer.Option("--check", help="Replay the log beside the live state and compare every row.")] = False,
    apply: Annotated[
        bool, typer.Option("--apply", help="Put right the rows that differ. Refused while the log is broken.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Prove that the state is what the log says, or make it so. Exit 1 when any row differs and stays as it is."""
    if check is apply:
        hint = "./steward state rebuild --check, or --apply to put right what differs"
        give_up(InvalidInput("say what to do", hint=hint), as_json=as_json)
    if apply and not yes and (as_json or not sys.stdin.isatty()):
        give_up(InvalidInput("nobody is here to be asked", hint="look with --check, then say --yes"), as_json=as_json)
    if not (apply and yes):
        report = with_system(lambda system: _check(system, quiet=as_json), as_json=as_json)
        _show(report, as_json=as_json)
        if not apply or not report.differences:
            raise typer.Exit(0 if report.ok else EXIT_FAILED)
        if not typer.confirm("Write what the log says over these rows?"):
            raise typer.Exit(EXIT_FAILED)
    report = with_system(lambda system: _apply(system, quiet=as_json), as_json=as_json)
    _show(report, as_json=as_json)
    if not report.applied:
        raise typer.Exit(EXIT_FAILED)


async def _check(system: System, *, quiet: bool) -> RebuildReport:
    with progress("replaying", quiet=quiet) as watch:
        return await rebuild_check(system.endpoints.database_url, home=system.settings.home, progress=watch)


async def _apply(system: System, *, quiet: bool) -> RebuildReport:
    noted = await system.memory.anchors.last()
    home, anchor = system.settings.home, noted.head if noted else None
    with progress("replaying", quiet=quiet) as watch:
        return await rebuild_state(system.endpoints.database_url, home=home, anchor=anchor, progress=watch)


def _show(report: RebuildReport, *, as_json: bool) -> None:
    if as_json:
        print_json({**report.model_dump(mode="json"), "ok": report.ok})
        return
    rows = ", ".join(f"{number:,} of {table}" for table, number in report.rows.items())
    say(f"{counted(report.events, 'event')} replayed; rows compared: {rows}")
    for difference in report.differences:
        say(difference, style="yellow" if report.applied else "red")
    say(_outcome(report), style="bold")


def _outcome(report: RebuildReport) -> str:
    if not report.differences:
        return "every row agrees"
    number = counted(len(report.differences), "difference")
    if report.applied:
        return f"{number}, put right as the log says; run `./steward memory reindex` if texts were among them"
    if report.unsound:
        return f"{number}; events fold into something else than they recorded, so that nothing can be put right"
    return number
