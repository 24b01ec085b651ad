"""Keeps one part running: starts it, waits until it answers, restarts it with backoff, stops it."""

import asyncio
import signal
import time
from asyncio.subprocess import Process
from pathlib import Path

from stack import logs
from stack.board import Board
from stack.errors import StackError, disk_full, free_megabytes
from stack.part import Part, send, spawn
from stack.processes import created_at, stop_signal

FIRST_DELAY = 0.2
LONGEST_DELAY = 30.0
HEALTHY_AFTER = 30.0
"""Seconds it must have run for the next backoff to begin anew."""
POLL = 0.03
PORT_TRIES = 3
PORT_TAKEN = "already in use"


class Runner:
    """One part and its process."""

    def __init__(self, part: Part, *, board: Board, log: Path) -> None:
        self._part = part
        self._board = board
        self._log = log
        self._log_offset = 0
        self._process: Process | None = None
        self._keeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the part and watch over it from then on. Raises StackError when it does not become ready."""
        self._show(state="starting", last_error=None, restarts=0)
        await self._part.prepare()
        process = await self._launch_on_free_ports()
        self._keeper = asyncio.create_task(self._keep(process))

    async def stop(self) -> None:
        """Stop watching, and stop the process gracefully, or not after its grace."""
        if self._keeper:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        if self._process and self._process.returncode is None:
            await self._end(self._process)
        self._show(state="stopped", pid=None, created=None, since=None)

    async def _launch_on_free_ports(self) -> Process:
        for tries_left in reversed(range(PORT_TRIES)):
            self._part.choose_ports()
            try:
                return await self._launch()
            except StackError:
                # Somebody took the port between the choice and the start: choose again.
                if not tries_left or PORT_TAKEN not in self._written().lower():
                    raise
        raise AssertionError("unreachable: the last try returns or raises")

    async def _launch(self) -> Process:
        """Start the process and wait until it is ready. Raises StackError with its own last words."""
        process = await self._spawn()
        self._process = process
        self._show(state="starting", pid=process.pid, created=created_at(process.pid), since=time.time())
        deadline = time.monotonic() + self._part.patience
        while not await self._part.ready(process.pid):
            if process.returncode is not None:
                raise self._explained(how_it_ended(process.returncode))
            if time.monotonic() > deadline:
                await self._end(process)
                raise self._explained(f"was not ready after {self._part.patience:.0f} s")
            await asyncio.sleep(POLL)
        self._show(state="running", since=time.time(), address=self._part.address)
        self._board.say(f"{self._part.name} is running (pid {process.pid})")
        return process

    async def _spawn(self) -> Process:
        try:
            with self._log.open("ab") as out:
                self._log_offset = out.tell()
                return await spawn(self._part.launch(), death_signal=stop_signal(self._part.name), out=out)
        except OSError as error:
            raise StackError(f"{self._part.name} cannot be started: {error}", hint="run `steward doctor`") from error

    async def _keep(self, process: Process) -> None:
        delay = FIRST_DELAY
        while True:
            born = time.monotonic()
            reason = how_it_ended(await process.wait())
            if time.monotonic() - born > HEALTHY_AFTER:
                delay = FIRST_DELAY
            process, delay = await self._restart(reason, delay)

    async def _restart(self, reason: str, delay: float) -> tuple[Process, float]:
        """Try until it runs again. Returns the process and the delay for the next time."""
        while True:
            name, restarts = self._part.name, self._board.of(self._part.name).restarts + 1
            self._show(state="backoff", pid=None, created=None, restarts=restarts, last_error=reason)
            self._board.note(f"{name}: {reason}; restarting in {delay:.1f} s (restart {restarts})")
            await asyncio.sleep(delay)
            delay = min(delay * 2, LONGEST_DELAY)
            try:
                return await self._launch(), delay
            except StackError as error:
                reason = error.message.removeprefix(f"{name} ")

    async def _end(self, process: Process) -> None:
        send(process, stop_signal(self._part.name))
        try:
            await asyncio.wait_for(process.wait(), self._part.grace)
        except TimeoutError:
            self._board.say(f"{self._part.name} did not stop within {self._part.grace:.0f} s: killed")
            send(process, signal.SIGKILL)
            await process.wait()

    def _explained(self, what: str) -> StackError:
        words = self._written()
        if "No space left on device" in words or free_megabytes(self._log) < 1:
            return disk_full(self._log.parent.parent)
        return StackError(f"{self._part.name} {what}: {logs.telling_line(words)}", hint=f"its log is {self._log}")

    def _written(self) -> str:
        return logs.since(self._log, self._log_offset)

    def _show(self, **changes: object) -> None:
        self._board.part(self._part.name, **changes)


def how_it_ended(code: int) -> str:
    """An exit code in words; a negative one is a signal."""
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
