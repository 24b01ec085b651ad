"""The worker as a part: prepared (migrations, schedules, search attributes), then run."""

import sys
from collections.abc import Mapping
from pathlib import Path

from stack.errors import StackError
from stack.layout import Layout
from stack.part import Launch, run_to_end

LINES_SHOWN = 8
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""Small matrices on few cores: several threads a fit only get in each other's way (measured: 4.8 s with, 0.8 s without)."""


class Worker:
    """The part. ``environ`` says where the servers are."""

    name = "worker"
    grace = 10.0
    patience = 60.0
    address = None

    def __init__(self, layout: Layout, *, code: Path, environ: Mapping[str, str]) -> None:
        self._layout = layout
        self._code = code
        self._environ = {**environ, **ONE_THREAD, "STEWARD_READY_FILE": str(layout.worker_ready)}

    async def prepare(self) -> None:
        code, output = await run_to_end(self._command("prepare"))
        self._layout.log("prepare").write_text(output)
        if code != 0:
            lines = output.strip().splitlines()[-LINES_SHOWN:]
            raise StackError(
                "the worker could not be prepared:\n  " + "\n  ".join(lines),
                hint=f"all of it is in {self._layout.log('prepare')}",
            )

    def choose_ports(self) -> None:
        """It listens on none."""

    def launch(self) -> Launch:
        self._layout.worker_ready.unlink(missing_ok=True)
        return self._command("run")

    async def ready(self, _pid: int, /) -> bool:
        return self._layout.worker_ready.exists()

    def _command(self, verb: str) -> Launch:
        return Launch((sys.executable, "worker.py", verb), self._environ, folder=self._code)
