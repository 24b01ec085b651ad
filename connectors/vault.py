"""Secrets of connections: from the environment, else from a file that only its owner can read. They are nowhere else."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from connectors.files import write_synced
from domain.errors import InvalidInput, Permanent
from domain.ids import digest

_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
PREFIX = "STEWARD_SECRET_"


class Vault:
    """``given`` are the variables STEWARD_SECRET_<CONNECTION>_<NAME> of the environment."""

    def __init__(self, home: Path, given: Mapping[str, SecretStr]) -> None:
        self._folder = home / "secrets"
        self._given = dict(given)

    def secrets(self, connection: str, wanted: Mapping[str, str | None]) -> dict[str, SecretStr]:
        """``wanted`` has each name with its default. Raises Permanent for one that has none and is nowhere, and for a
        file that others could read.
        """
        kept = self._kept(connection) if wanted else {}
        found: dict[str, SecretStr] = {}
        for name, default in wanted.items():
            secret = self._given.get(variable(connection, name)) or kept.get(name)
            if secret is None and default is None:
                hint = f"`./steward connect {connection}` asks for it; or set {variable(connection, name)}"
                raise Permanent(f"{connection} has no {name}", hint=hint)
            found[name] = secret or SecretStr(default or "")
        return found

    def keep(self, connection: str, secrets: Mapping[str, str]) -> None:
        """Write them to the file, in place of those that are there."""
        if not secrets:
            return
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path, scratch = self._path(connection), self._folder / f".{connection}.part"
        os.close(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        scratch.chmod(0o600)
        write_synced(scratch, json.dumps(dict(secrets)).encode())
        scratch.replace(path)

    def forget(self, connection: str) -> None:
        self._path(connection).unlink(missing_ok=True)

    def mark(self, connection: str) -> str:
        """Changes when a secret of the connection does; tells nothing of it."""
        path = self._path(connection)
        written = str(path.stat().st_mtime_ns) if path.exists() else ""
        return digest([written, sorted(name for name in self._given if name.startswith(variable(connection, "")))])

    def _kept(self, connection: str) -> dict[str, SecretStr]:
        path = self._path(connection)
        try:
            if path.stat().st_mode & 0o077:
                raise Permanent(f"others can read {path}, so it is not used", hint=f"chmod 600 {path}")
            return {name: SecretStr("" + value) for name, value in json.loads(path.read_bytes()).items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, AttributeError, TypeError):
            raise Permanent(f"{path} cannot be read", hint=f"`./steward connect {connection}` writes it anew") from None

    def _path(self, connection: str) -> Path:
        return self._folder / f"{checked_name(connection)}.json"


def variable(connection: str, name: str) -> str:
    """The name of the environment variable for a secret."""
    return PREFIX + f"{connection}_{name}".upper().replace("-", "_")


def checked_name(connection: str) -> str:
    """A connection's name is part of ids, file names and variables. Raises InvalidInput."""
    if not _NAME.fullmatch(connection):
        hint = "up to 40 small letters, digits and hyphens, such as my-shop"
        raise InvalidInput(f"{connection[:60]!r} is no name for a connection", hint=hint)
    return connection
