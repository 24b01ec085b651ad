"""``steward up | down | status | doctor | logs``."""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

import stack
from cli.entrance import Entrance, directions, look_for_entrance
from cli.kill_switch import banner, bypass_lines, read_controls, reason
from cli.output import AsJson, give_up, plain, print_json, print_table, run, say
from domain.errors import StewardError
from domain.switches import open_bypasses
from settings import Settings
from stack import doctor as stack_doctor
from stack import logs as stack_logs
from stack.layout import Layout
from stack.state import PartState

FOLLOW_EVERY = 0.3
"""Seconds."""
EXIT_NOT_UP = 3


def register(app: typer.Typer) -> None:
    """Add the commands to the main one."""
    for command in (up, down, status, doctor, logs):
        app.command()(command)


def up(
    *,
    worker: Annotated[bool, typer.Option(help="Start the worker too, not the servers only.")] = True,
    console: Annotated[bool, typer.Option(help="Start the web console too.")] = True,
    as_json: AsJson = False,
) -> None:
    """Start everything; what runs already is left as it is."""
    try:
        found = stack.start(
            Settings.load(), worker=worker, console=worker and console, on_progress=_nothing if as_json else _progress
        )
    except StewardError as error:
        give_up(error, as_json=as_json)
    except KeyboardInterrupt:
        typer.echo("It goes on starting by itself: `./steward status` shows how far it is, `./steward down` stops it.", err=True)
        raise
    if not worker:
        _prepare_database(found.database_url, as_json=as_json)
    way_in = _way_in(as_json=as_json) if worker and console else Entrance(None, None)
    shown = {"temporal": found.temporal_address, "temporal_ui": found.ui_url, "chroma": found.chroma_url}
    if as_json:
        print_json({"phase": "running", **shown, "console": way_in.url, "setup_code": way_in.setup_code})
    else:
        say("Steward is up.")
        if found.ui_url:
            say(f"Its runs: {found.ui_url}")
        for line in directions(way_in):
            say(line)


def _prepare_database(url: str, *, as_json: bool) -> None:
    """As the worker does it before it runs, for commands that come without one."""
    from memory.migrations import migrate  # noqa: PLC0415 - it imports the memory, which takes longer than the rest of `status`

    run(lambda: migrate(url), as_json=as_json)


def _way_in(*, as_json: bool) -> Entrance:
    return run(lambda: look_for_entrance(Settings.load()), as_json=as_json)


def down(*, as_json: AsJson = False) -> None:
    """Stop everything; nothing is lost."""
    try:
        stopped = stack.stop(Settings.load())
    except StewardError as error:
        give_up(error, as_json=as_json)
    if as_json:
        print_json({"stopped": stopped})
    else:
        say("Steward is stopped." if stopped else "Steward was not running.")


def status(*, as_json: AsJson = False) -> None:
    """Say which parts run. The exit code is 0 when the stack is up, else 3."""
    try:
        settings = Settings.load()
        found = stack.status(settings)
    except StewardError as error:
        give_up(error, as_json=as_json)
    read = read_controls(settings, found)
    controls = read[0] if read else None
    if as_json:
        # The endpoints hold the database's password.
        shown = found.model_dump(exclude={"endpoints"})
        bypassed = open_bypasses(controls, datetime.now(UTC)) if controls else None
        print_json({**shown, "kill_switch": controls.kill_switch if controls else None, "bypasses": bypassed})
    else:
        _print_parts(found)
        if controls and (line := banner(controls)):
            say(line, style="red")
        for line in bypass_lines(*read, at=datetime.now(UTC)) if read else ():
            say(line, style="yellow")
    if found.phase != "running":
        raise typer.Exit(EXIT_NOT_UP)


def doctor(*, as_json: AsJson = False) -> None:
    """Look for what is wrong and say what to do. The exit code is 1 when something is."""
    try:
        settings = Settings.load()
        findings = [*stack_doctor.examine(settings), *_kill_switch(settings)]
    except StewardError as error:
        give_up(error, as_json=as_json)
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            say(f"{'ok' if finding.ok else 'no'}  {finding.name}: {finding.detail}", style="" if finding.ok else "red")
            if not finding.ok:
                say(f"      -> {finding.hint}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


def _kill_switch(settings: Settings) -> Iterator[stack_doctor.Finding]:
    if read := read_controls(settings, stack.status(settings)):
        controls, _ = read
        detail = f"on: {reason(controls)}" if controls.kill_switch else "off"
        hint = "nothing happens outside until `steward kill --off`"
        yield stack_doctor.Finding("kill switch", not controls.kill_switch, detail, hint)


def logs(
    part: Annotated[str | None, typer.Argument(help=f"One of {', '.join(stack_logs.LOG_NAMES)}; all if none.")] = None,
    *,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many of the last lines.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the logs of the parts."""
    if part is not None and part not in stack_logs.LOG_NAMES:
        raise typer.BadParameter(f"{part} has no log: choose one of {', '.join(stack_logs.LOG_NAMES)}")
    try:
        layout = Layout(Settings.load().home)
    except StewardError as error:
        give_up(error, as_json=as_json)
    for name in [part] if part else stack_logs.LOG_NAMES:
        for line in stack_logs.last_lines(layout.log(name), lines):
            _print_line(name, line, as_json=as_json)
    if follow:
        for name, line in _new_lines({name: layout.log(name) for name in ([part] if part else stack_logs.LOG_NAMES)}):
            _print_line(name, line, as_json=as_json)


def _new_lines(paths: dict[str, Path]) -> Iterator[tuple[str, str]]:
    """Lines as they are written, for ever."""
    offsets = {name: _size(path) for name, path in paths.items()}
    while True:
        for name, path in paths.items():
            # Smaller than before: it was rotated, so everything in it is new.
            start = offsets[name] if _size(path) >= offsets[name] else 0
            text = stack_logs.since(path, start) if _size(path) > start else ""
            whole = text[: text.rfind("\n") + 1]
            offsets[name] = start + len(whole.encode())
            yield from ((name, line) for line in whole.splitlines())
        time.sleep(FOLLOW_EVERY)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _print_parts(found: stack.StackStatus) -> None:
    verb = "has" if found.phase == "died" else "is"
    say(f"Steward {verb} {found.phase}." + (f" {found.error}: {found.hint}." if found.error else ""))
    if found.phase != "stopped":
        rows = [(p.name, p.state, p.pid or "", _uptime(p), p.restarts, p.address or "", p.last_error or "") for p in found.parts]
        print_table("Parts", ("part", "state", "pid", "up for", "restarts", "address", "last error"), rows)
    if found.endpoints and found.phase == "running":
        _say_addresses(found.endpoints)


def _say_addresses(found: stack.Endpoints) -> None:
    if found.console_url:
        say(f"Your console: {found.console_url}")
    if found.ui_url:
        say(f"Its runs: {found.ui_url}")


def _uptime(part: PartState) -> str:
    if part.state != "running" or part.since is None:
        return ""
    minutes, seconds = divmod(int(time.time() - part.since), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"


def _print_line(name: str, line: str, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"part": name, "line": line}))
    else:
        typer.echo(plain(f"{name}: {line}"))


def _progress(line: str) -> None:
    say(line)


def _nothing(_line: str) -> None:
    """For programs: no progress."""
