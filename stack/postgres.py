"""The embedded PostgreSQL: one cluster, one database, one user, TCP on loopback with a password.

There is no Unix socket, because its path has about 100 characters and a home may be deep; and no ``trust``, because
other people may have accounts on the machine.
"""

import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import psutil

from stack import programs
from stack.account import Account, for_postgres
from stack.errors import StackError, disk_full, from_os_error
from stack.layout import Layout
from stack.part import Launch, run_to_end
from stack.ports import HOST, PortBook
from stack.processes import end, stop_signal

USER = DATABASE = "steward"
MAJOR = "18"
INITDB = "--encoding=UTF8 --locale=C --locale-provider=builtin --builtin-locale=C.UTF-8 --auth=scram-sha-256 --no-instructions"
CHEAP_LOGIN = "scram_iterations=1"
"""More would slow down whoever guesses at a short password. This one is 256 random bits, and every connection pays for them.
It goes for every password that is set in this cluster: for one that people type, set ``scram_iterations`` first."""
TUNING = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "512MB",
    "wal_compression": "on",
    "jit": "off",
    # Parallel plans want /dev/shm, of which a container has 64 MB; the data is a small shop's.
    "max_parallel_workers_per_gather": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}


class Postgres:
    """The part. The folder ``data/postgres`` holds the cluster and its password and appears in one step."""

    name = "postgres"
    grace = 20.0
    patience = 60.0

    def __init__(self, layout: Layout, *, ports: PortBook, environ: Mapping[str, str]) -> None:
        self._folder = layout.data / "postgres"
        self._cluster = self._folder / "cluster"
        self._ports = ports
        self._environ = {name: value for name, value in environ.items() if not name.startswith("PG")}
        self._port = 0
        self._account: Account | None = None

    @property
    def address(self) -> str:
        return f"{HOST}:{self._port}"

    @property
    def url(self) -> str:
        password = (self._folder / "password").read_text().strip()
        return f"postgresql://{USER}:{quote(password)}@{self.address}/{DATABASE}"

    async def prepare(self) -> None:
        self._account = for_postgres(self._folder, programs.postgres_folder())
        if not self._folder.exists():
            await self._create()
        self._refuse_damaged()

    def choose_ports(self) -> None:
        self._port = self._ports.claim(self.name)

    def launch(self) -> Launch:
        self._clear_the_way()
        settings = TUNING | {"port": str(self._port)}
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        return self._program("postgres", "-D", str(self._cluster), *options)

    async def ready(self, pid: int, /) -> bool:
        lines = self._pid_file()
        return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"

    async def _create(self) -> None:
        """Make the cluster beside its place and move it there when it is whole."""
        draft = self._folder.with_name("postgres.new")
        cluster = str(draft / "cluster")
        try:
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir(mode=0o700)
            write_secret(draft / "password", secrets.token_urlsafe(32))
            if self._account:
                for path in (draft, draft / "password"):
                    os.chown(path, self._account.uid, self._account.gid)
            await self._run(
                "initdb", "-D", cluster, "-U", USER, f"--pwfile={draft / 'password'}", "--set", CHEAP_LOGIN, *INITDB.split()
            )
            await self._run("postgres", "--single", "-D", cluster, "postgres", say=f"CREATE DATABASE {DATABASE}\n")
            draft.rename(self._folder)
        except OSError as error:
            raise from_os_error(error, self._folder) from error

    async def _run(self, program: str, *arguments: str, say: str = "") -> None:
        code, output = await run_to_end(self._program(program, *arguments), say=say)
        if code == 0 and "ERROR:" not in output:
            return
        if "No space left on device" in output:
            raise disk_full(self._folder)
        raise StackError(
            f"PostgreSQL's {program} failed: {' / '.join(output.strip().splitlines()[-3:])}",
            hint="mend that and run `steward up` again; nothing was left half-made",
        )

    def _program(self, name: str, *arguments: str) -> Launch:
        command = (str(programs.postgres_folder() / name), *arguments)
        return Launch(command, self._environ, account=self._account)

    def _refuse_damaged(self) -> None:
        version = self._cluster / "PG_VERSION"
        essential = (version, self._cluster / "global" / "pg_control", self._folder / "password")
        if not all(path.exists() for path in essential):
            raise StackError(
                f"the database folder {self._cluster} is damaged: essential files are missing",
                hint=f"restore {self._folder} from a backup, or move it away to begin with an empty database",
            )
        if (found := version.read_text().strip()) != MAJOR:
            raise StackError(
                f"{self._cluster} was made by PostgreSQL {found}, and this is {MAJOR}",
                hint="dump it with the old version, move the folder away, run `steward up` and load the dump",
            )

    def _clear_the_way(self) -> None:
        """End a server that was left running here, and remove a pid file whose number was given to another program:
        the server looks at the number only, and would refuse to start. The file of a server that crashed stays, because
        PostgreSQL finds in it the shared memory that the last backends may still be using."""
        lines = self._pid_file()
        pid = int(lines[0]) if lines and lines[0].isdigit() else 0
        if not pid or not psutil.pid_exists(pid):
            return
        if self._is_our_server(pid):
            end([(pid, stop_signal(self.name))])
        else:
            (self._cluster / "postmaster.pid").unlink()

    def _is_our_server(self, pid: int) -> bool:
        try:
            process = psutil.Process(pid)
            return process.name() == "postgres" and Path(process.cwd()) == self._cluster.resolve()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return False

    def _pid_file(self) -> list[str]:
        try:
            return (self._cluster / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []


def write_secret(path: Path, text: str) -> None:
    """Write a file that only its owner can read, down to the disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
