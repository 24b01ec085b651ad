"""Every SQL statement, one a file, by name."""

from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent


@cache
def statement(name: str) -> bytes:
    """The text of ``<name>.sql``, as psycopg takes it; parameters are named ``%(so)s``."""
    return (_FOLDER / f"{name}.sql").read_bytes()
