"""Looks at everything the stack needs and says, line by line, what is wrong and what to do."""

import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from settings import Settings
from stack import control, programs
from stack.account import for_postgres
from stack.endpoints import external_parts, host_and_port
from stack.errors import StackError, disk_full, free_megabytes
from stack.layout import NEW_MEGABYTES, Layout
from stack.runner import HEALTHY_AFTER
from stack.state import PartState, StackStatus

OLDEST_PYTHON = (3, 11)
TIMEOUT = 3.0


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's report. ``hint`` says what to do when it is not ok."""

    name: str
    ok: bool
    detail: str
    hint: str = ""


def examine(settings: Settings) -> Iterator[Finding]:
    """Every check in turn; none changes anything but the home's folders."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("python", sys.version_info >= OLDEST_PYTHON, version, "Python 3.11 or newer is needed")
    yield _checked("home", lambda: _home(settings))
    if not settings.database_url:
        yield _checked("postgres programs", lambda: _postgres(settings))
    if not settings.temporal_address:
        yield _checked("temporal program", lambda: str(programs.temporal()))
    status = control.status(settings)
    yield Finding("stack", status.phase == "running", status.error or status.phase, status.hint or "run `steward up`")
    yield from _servers(settings, status)
    yield from _worker(status)
    yield _model_key(settings)


def _servers(settings: Settings, status: StackStatus) -> Iterator[Finding]:
    for outside, part in zip(external_parts(settings), status.parts, strict=True):
        address = outside.address or (part.address if part.state != "stopped" else None)
        if address:
            yield _checked(part.name, partial(_answers, address))
        if part.restarts:
            yield _restarted(part)


def _restarted(part: PartState) -> Finding:
    """Only worth a note where it has run for a while again: what dies over and over runs now and then, too."""
    runs = part.state == "running" and part.since is not None
    well = runs and time.time() - (part.since or 0.0) > HEALTHY_AFTER
    detail = f"{part.restarts}, the last because it {part.last_error}" + ("; it runs again" if runs else "")
    wait = f"look again in {HEALTHY_AFTER:.0f} seconds; " if runs else ""
    return Finding(f"{part.name} restarts", well, detail, f"{wait}see `steward logs {part.name}`")


def _worker(status: StackStatus) -> Iterator[Finding]:
    """Where the servers are the operator's own, so may the worker be: then nothing is known of it here."""
    worker = status.part("worker")
    elsewhere = worker.state == "stopped" and status.part("postgres").state == "external"
    if status.phase == "running" and not elsewhere:
        detail = "running" if worker.state == "running" else f"no worker runs, so nothing goes on: it is {worker.state}"
        yield Finding("worker", worker.state == "running", detail, "run `steward up`; `steward logs worker` may say why it ended")


def _checked(name: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(name, True, check())
    except StackError as error:
        return Finding(name, False, error.message, error.hint)


def _home(settings: Settings) -> str:
    Layout(settings.home).create()
    free = free_megabytes(settings.home)
    if free < NEW_MEGABYTES:
        raise disk_full(settings.home)
    return f"{settings.home} ({free} MB free)"


def _postgres(settings: Settings) -> str:
    folder = programs.postgres_folder()
    account = for_postgres(Layout(settings.home).data / "postgres", folder)
    return f"{folder}" + (f" as {account.name}" if account else "")


def _answers(address: str) -> str:
    host, port = host_and_port(address)
    try:
        socket.create_connection((host, port), TIMEOUT).close()
    except OSError as error:
        raise StackError(
            f"{host}:{port} does not answer: {error.strerror or error}", hint="is the server up, and the address right?"
        ) from error
    return f"{host}:{port} answers"


def _model_key(settings: Settings) -> Finding:
    found = "set: Claude answers what the local models cannot" if settings.anthropic_api_key else "not set: local models"
    return Finding("ANTHROPIC_API_KEY", True, found)
