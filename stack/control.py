"""Start, stop and look at the stack from another process."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from settings import CHECKOUT, Settings
from stack import logs
from stack.endpoints import all_external, external_parts
from stack.errors import StackError, from_os_error
from stack.layout import Layout
from stack.lock import holder, is_held
from stack.processes import end_leftovers, is_alive
from stack.state import Endpoints, PartState, StackState, StackStatus, read_state, write_state

UP_WITHIN = 180.0
DOWN_WITHIN = 60.0
POLL = 0.03

Say = Callable[[str], None]


def _silent(_line: str) -> None:
    """Nobody listens."""


def start(settings: Settings, *, worker: bool = True, console: bool = False, on_progress: Say = _silent) -> Endpoints:
    """Bring the stack up and return where it answers; a stack that is up already is joined.

    ``on_progress`` gets a line for everything that happens. Raises StackError; then nothing is left running that was
    not running before.
    """
    if not worker and (given := all_external(settings)):
        return given
    layout = Layout(settings.home)
    layout.create()
    launched = _launch_if_none(settings, layout)
    try:
        programs = [name for name, wanted in (("worker", worker or console), ("console", console)) if wanted]
        for program in programs:
            _ask_for(program, layout)
        before = StackState() if launched else read_state(layout.state)
        return _follow(layout, before, programs=programs, say=on_progress)
    except StackError:
        if launched:
            stop(settings)
        raise


def stop(settings: Settings) -> bool:
    """Stop everything gracefully. Returns whether there was anything to stop. Raises StackError."""
    layout = Layout(settings.home)
    if not is_held(layout.lock):
        return bool(_clean_up(layout))
    _signal_supervisor(layout, signal.SIGTERM)
    if not _within(DOWN_WITHIN, lambda: not is_held(layout.lock)):
        _signal_supervisor(layout, signal.SIGKILL)
        _within(DOWN_WITHIN, lambda: not is_held(layout.lock))
    _clean_up(layout)
    return True


def status(settings: Settings) -> StackStatus:
    """The parts and how they are. Never raises for a stack that is down."""
    layout = Layout(settings.home)
    if not is_held(layout.lock) and (given := all_external(settings)):
        return StackState(phase="running", parts=external_parts(settings), endpoints=given)
    state = read_state(layout.state)
    if state.phase == "stopped":
        return state
    if is_held(layout.lock):
        return state.model_copy(update={"parts": tuple(_seen(part) for part in state.parts)})
    alive = [part for part in state.parts if is_alive(part.pid, part.created)]
    state = state.model_copy(update={"parts": tuple(p if p in alive else _stopped(p) for p in state.parts)})
    if state.phase == "failed" and not alive:
        return state
    return state.model_copy(
        update={
            "phase": "died",
            "error": "the supervisor ended without stopping its parts",
            "hint": "run `steward up` to go on, or `steward down` to end what is left",
        }
    )


def endpoints(settings: Settings) -> Endpoints | None:
    """Where the running stack answers, or the operator's own three servers; None when it is not running."""
    if given := all_external(settings):
        return given
    layout = Layout(settings.home)
    state = read_state(layout.state)
    return state.endpoints if state.phase == "running" and is_held(layout.lock) else None


def worker_pid(settings: Settings) -> int | None:
    """The pid of the worker that is running, or None."""
    part = read_state(Layout(settings.home).state).part("worker")
    return part.pid if part.state == "running" and is_alive(part.pid, part.created) else None


def _launch_if_none(settings: Settings, layout: Layout) -> bool:
    """Start a supervisor unless one is up. Returns whether this call started it."""
    if not _within(DOWN_WITHIN, lambda: read_state(layout.state).phase != "stopping" or not is_held(layout.lock)):
        raise StackError("the stack is still stopping", hint="wait for it, or see `steward status`")
    if is_held(layout.lock):
        return False
    layout.require_space()
    done = subprocess.run(
        [sys.executable, "-m", "stack.supervisor"],
        cwd=CHECKOUT,
        env=settings.environ(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        message, _, hint = done.stderr.strip().rpartition("\n")
        raise StackError(message or "the supervisor did not start", hint=hint)
    return True


def _ask_for(program: str, layout: Layout) -> None:
    try:
        layout.wanted(program).touch()
    except OSError as error:
        raise from_os_error(error, layout.run) from error


def _follow(layout: Layout, before: StackState, *, programs: Sequence[str], say: Say) -> Endpoints:
    """Tell what happens until the stack is up. Raises StackError when it does not come up."""
    deadline = time.monotonic() + UP_WITHIN
    while time.monotonic() < deadline:
        state = read_state(layout.state)
        _tell(before, state, say)
        before = state
        if state.phase == "failed":
            raise StackError(state.error or "the stack failed", hint=state.hint)
        if not is_held(layout.lock):
            raise _ended(layout)
        if state.endpoints and _is_up(state, layout, programs):
            return state.endpoints
        time.sleep(POLL)
    raise StackError(f"the stack was not up after {UP_WITHIN:.0f} s", hint="see `steward status` and `steward logs`")


def _is_up(state: StackState, layout: Layout, programs: Sequence[str]) -> bool:
    return state.phase == "running" and all(_runs(state, layout, program) for program in programs)


def _runs(state: StackState, layout: Layout, program: str) -> bool:
    part = state.part(program)
    # A failure counts when the supervisor has taken the request off its desk: before, it is that of an earlier try.
    if part.state == "failed" and not layout.wanted(program).exists():
        raise StackError(part.last_error or f"the {program} failed", hint=f"see `steward logs {program}`")
    return part.state == "running"


def _tell(before: StackState, now: StackState, say: Say) -> None:
    for note in now.notes[len(before.notes) :]:
        say(note)
    for was, part in zip(before.parts, now.parts, strict=True):
        if part.state != was.state and part.state in ("starting", "running", "external"):
            say(f"{part.name}: {part.state}" + (f" on {part.address}" if part.address else ""))


def _ended(layout: Layout) -> StackError:
    """Told to stop, it says so in its last state; else it died."""
    if read_state(layout.state).phase in ("stopping", "stopped"):
        return StackError("Steward was stopped by another command meanwhile", hint="run `steward up` again")
    return _died(layout.log("supervisor"))


def _died(log: Path) -> StackError:
    words = logs.telling_line("\n".join(logs.last_lines(log, 20)))
    return StackError(f"the supervisor ended unexpectedly: {words}", hint=f"its log is {log}")


def _signal_supervisor(layout: Layout, number: signal.Signals) -> None:
    _within(DOWN_WITHIN, lambda: holder(layout.lock) is not None or not is_held(layout.lock))
    pid = holder(layout.lock)
    if pid is None:
        return
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
    except PermissionError as error:
        raise StackError(f"the supervisor (pid {pid}) belongs to another user", hint="run `steward down` as that user") from error


def _clean_up(layout: Layout) -> tuple[str, ...]:
    state = read_state(layout.state)
    left = end_leftovers(state)
    if state.phase not in ("stopped", "failed"):
        with contextlib.suppress(OSError):  # a full disk: the lock, which is free, says it too
            write_state(layout.state, StackState())
    return left


def _seen(part: PartState) -> PartState:
    """The part as it is: what the file says is old where the supervisor could not write it, or not yet."""
    if part.pid is None or is_alive(part.pid, part.created):
        return part
    reason = part.last_error or "its process is gone"
    return part.model_copy(update={"state": "backoff", "pid": None, "created": None, "last_error": reason})


def _stopped(part: PartState) -> PartState:
    return part.model_copy(update={"state": "stopped", "pid": None, "created": None, "since": None})


def _within(seconds: float, fact: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if fact():
            return True
        time.sleep(POLL)
    return fact()
