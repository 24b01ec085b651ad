"""The supervisor: one detached process a home that owns the parts.

``python -m stack.supervisor`` returns as soon as the supervisor has the lock and runs by itself (exit code 0), or when
another one has it already (0 too); it fails with one line on stderr (1).
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable, Iterable
from pathlib import Path

from domain.errors import StewardError
from settings import CHECKOUT, Settings
from stack import logs
from stack.board import Board
from stack.chroma import Chroma
from stack.console_part import Console, console_url
from stack.endpoints import connected, external_parts
from stack.errors import StackError, from_os_error
from stack.layout import Layout
from stack.lock import SupervisorLock
from stack.part import Part
from stack.ports import PortBook
from stack.postgres import Postgres
from stack.processes import end_leftovers
from stack.runner import Runner
from stack.state import Endpoints, StackState, read_state, write_state
from stack.temporal import Temporal
from stack.worker_part import Worker

TICK = 0.1
ROTATE_EVERY = 60.0
PROGRAMS = ("worker", "console")
"""In the order in which they start: the worker prepares the database."""


def main() -> int:
    """Become a daemon and supervise until told to stop."""
    try:
        settings = Settings.load()
        layout = Layout(settings.home)
        lock = SupervisorLock.take(layout.lock)
        if lock is None:
            return 0
        left = end_leftovers(read_state(layout.state))
        write_state(layout.state, StackState(phase="starting"))
        for program in PROGRAMS:
            layout.wanted(program).unlink(missing_ok=True)
    except OSError as error:
        return _refuse(from_os_error(error, Path(error.filename or ".")))
    except StewardError as error:
        return _refuse(error)
    if pid := os.fork():
        lock.name_holder(pid)
        os._exit(0)
    _detach(layout.log("supervisor"))
    asyncio.run(Supervisor(settings, layout=layout, left=left).run())
    return 0


class Supervisor:
    """Owns the parts: brings the servers up together, starts worker and console on request, takes all down in order."""

    def __init__(self, settings: Settings, *, layout: Layout, left: tuple[str, ...]) -> None:
        self._settings = settings
        self._layout = layout
        self._left = left
        self._board = Board(layout.state)
        self._console_port = 0
        self._servers: list[Runner] = []
        self._programs: dict[str, Runner] = {}

    async def run(self) -> None:
        """Until SIGTERM or SIGINT, or until a server cannot be started."""
        _on_signal(cancel=asyncio.current_task())
        try:
            endpoints = await self._start_servers()
            self._board.phase("running", endpoints=endpoints)
            await self._attend(endpoints)
        except asyncio.CancelledError:
            self._board.phase("stopping")
        except StackError as error:
            self._board.failed(error.message, error.hint)
        except OSError as error:
            refused = from_os_error(error, Path(error.filename or self._layout.home))
            self._board.failed(refused.message, refused.hint)
        finally:
            _on_signal(cancel=None)
            await self._stop()

    async def _start_servers(self) -> Endpoints:
        if self._left:
            self._board.note(f"ended what a killed supervisor had left running: {', '.join(self._left)}")
        ports = PortBook(self._layout.ports, say=self._board.note)
        environ = self._settings.foreign_environ()
        given = self._settings
        postgres = Postgres(self._layout, ports=ports, environ=environ)
        temporal = Temporal(self._layout, namespace=given.temporal_namespace, ports=ports, environ=environ)
        chroma = Chroma(self._layout, ports=ports, environ=environ)
        self._console_port = ports.claim("console", preferred=given.console_port)
        self._mark_external()
        embedded: tuple[Part, ...] = (postgres, temporal, chroma)
        self._servers = [self._runner(part) for part in embedded if self._board.of(part.name).state != "external"]
        await _all(runner.start() for runner in self._servers)
        return Endpoints(
            database_url=given.database_url or postgres.url,
            temporal_address=given.temporal_address or temporal.address,
            temporal_namespace=given.temporal_namespace,
            chroma_url=given.chroma_url or chroma.url,
            ui_url=None if given.temporal_address else temporal.ui_url,
            console_url=given.console_url or console_url(self._console_port),
        )

    def _mark_external(self) -> None:
        for part in external_parts(self._settings):
            if part.state == "external":
                self._board.part(part.name, state=part.state, address=part.address)

    async def _attend(self, endpoints: Endpoints) -> None:
        rotated = time.monotonic()
        while True:
            for program in PROGRAMS:
                if self._layout.wanted(program).exists():
                    await self._start_program(program, endpoints)
            if time.monotonic() - rotated > ROTATE_EVERY:
                logs.rotate(self._layout)
                rotated = time.monotonic()
            await asyncio.sleep(TICK)

    async def _start_program(self, name: str, endpoints: Endpoints) -> None:
        """Once; one that cannot be started is said so, and can be asked for again."""
        if name not in self._programs:
            self._programs[name] = runner = self._runner(self._program(name, endpoints))  # stopped too, where it is still starting
            try:
                await runner.start()
            except StackError as error:
                del self._programs[name]
                self._board.say(str(error))
                self._board.part(name, state="failed", pid=None, created=None, last_error=str(error))
        self._layout.wanted(name).unlink(missing_ok=True)

    def _program(self, name: str, endpoints: Endpoints) -> Part:
        environ = connected(self._settings, endpoints).environ()
        if name == "worker":
            return Worker(self._layout, code=CHECKOUT, environ=environ)
        return Console(code=CHECKOUT, environ=environ, port=self._console_port, url=endpoints.console_url or "")

    def _runner(self, part: Part) -> Runner:
        return Runner(part, board=self._board, log=self._layout.log(part.name))

    async def _stop(self) -> None:
        """Console and worker first, so that they can finish what they do while their servers still answer."""
        await _all(runner.stop() for runner in self._programs.values())
        await _all(runner.stop() for runner in self._servers)
        if self._board.state.phase != "failed":
            self._board.phase("stopped")


def _on_signal(*, cancel: asyncio.Task[None] | None) -> None:
    """Cancel this task when told to stop; None: stopping has begun, and being told again changes nothing."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, cancel.cancel if cancel else lambda: None)


async def _all(steps: Iterable[Awaitable[None]]) -> None:
    """Every step at once, to its end; then the first error."""
    results = await asyncio.gather(*steps, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result


def _detach(log: Path) -> None:
    """Leave the terminal and the session of whoever ran `up`."""
    os.setsid()
    sys.stdout.flush()
    nothing = os.open(os.devnull, os.O_RDONLY)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for source, target in ((nothing, 0), (out, 1), (out, 2)):
        os.dup2(source, target)


def _refuse(error: StewardError) -> int:
    sys.stderr.write(f"{error.message}\n{error.hint}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
