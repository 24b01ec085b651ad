"""Which account PostgreSQL runs under: it refuses to run as root."""

import os
import pwd
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from stack.errors import StackError

CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """An account that is not root. ``reach`` keeps the capability to pass through folders closed to it.

    A checkout below /root or a private temporary folder is closed to every account but root. Opening those folders
    would change the machine for everybody; the capability changes it for one process.
    """

    name: str
    uid: int
    gid: int
    reach: bool = False


def for_postgres(cluster: Path, programs: Path) -> Account | None:
    """The account for the cluster, or None for the account at hand. Raises StackError when there is none to use."""
    owner = cluster.stat().st_uid if cluster.exists() else None
    if os.geteuid() != 0:
        if owner not in (None, os.geteuid()):
            raise StackError(
                f"{cluster} belongs to another user, whose PostgreSQL made it",
                hint="run as the user who ran `steward up` first, or set STEWARD_HOME to another directory",
            )
        return None
    entry = pwd.getpwuid(owner) if owner else _first_known(CANDIDATES)
    open_to = all(_can_pass(folder, entry) for path in (cluster, programs) for folder in path.parents)
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, reach=not open_to)


def _first_known(names: Iterable[str]) -> pwd.struct_passwd:
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    found = next((known[name] for name in names if name in known), None)
    if found is None:
        raise StackError(
            "PostgreSQL does not run as root, and neither the account postgres nor nobody exists",
            hint="run as an ordinary user, or set DATABASE_URL to a server of your own",
        )
    return found


def _can_pass(folder: Path, account: pwd.struct_passwd) -> bool:
    if not folder.exists():
        return True
    found = folder.stat()
    if found.st_uid == account.pw_uid:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_gid == account.pw_gid:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)
