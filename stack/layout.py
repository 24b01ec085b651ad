"""Where the stack keeps its files below the home."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from stack.errors import StackError, disk_full, free_megabytes, from_os_error

NEW_MEGABYTES = 256
"""Room for a new PostgreSQL cluster, Temporal's file and Chroma's, with some to work in."""
WARM_MEGABYTES = 48
"""Room without which PostgreSQL cannot write its next WAL segments."""


@dataclass(frozen=True)
class Layout:
    """The folders and files of one home."""

    home: Path

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def run(self) -> Path:
        return self.home / "run"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def lock(self) -> Path:
        """Held by the supervisor for as long as it lives; contains its pid."""
        return self.run / "supervisor.lock"

    @property
    def state(self) -> Path:
        return self.run / "stack.json"

    @property
    def ports(self) -> Path:
        return self.run / "ports.json"

    def wanted(self, program: str) -> Path:
        """Asks the supervisor to start the worker or the console; gone when it has tried."""
        return self.run / f"{program}.wanted"

    @property
    def worker_ready(self) -> Path:
        """Written by the worker when it is ready."""
        return self.run / "worker.ready"

    def log(self, part: str) -> Path:
        return self.logs / f"{part}.log"

    def create(self) -> None:
        """Make the folders and prove that they can be written to. Raises StackError."""
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            for folder in (self.data, self.run, self.logs):
                folder.mkdir(exist_ok=True)
            self._close_to_others()
            # A name of its own: another `up` may be looking at the same moment.
            with tempfile.NamedTemporaryFile(dir=self.run, prefix="probe-") as probe:
                probe.write(b"x")
        except OSError as error:
            raise from_os_error(error, self.home) from error

    def require_space(self) -> None:
        """Raise StackError when the disk has too little room to start."""
        needed = WARM_MEGABYTES if (self.data / "postgres").exists() else NEW_MEGABYTES
        if free_megabytes(self.home) < needed:
            raise disk_full(self.home)

    def _close_to_others(self) -> None:
        # As root, PostgreSQL runs under another account, which must be able to pass through home and data, and nothing else.
        passable = 0o711 if os.geteuid() == 0 else 0o700
        inside = (folder for folder in self.home.iterdir() if folder.is_dir() and not folder.is_symlink())
        for folder in (self.home, *inside):
            mode = passable if folder in (self.home, self.data) else 0o700
            if folder.stat().st_uid == os.geteuid():
                folder.chmod(mode)
            elif not os.access(folder, os.W_OK | os.X_OK):
                raise StackError(
                    f"{folder} belongs to another user",
                    hint="run as that user, or set STEWARD_HOME to a directory of your own",
                )
