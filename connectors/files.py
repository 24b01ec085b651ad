"""Files that survive a crash: a change is either wholly there after a kill or not at all."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from domain.errors import EffectError, Permanent, Retryable, Unknown

_PASSING = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EAGAIN, errno.EINTR, errno.EMFILE, errno.ENFILE, errno.EBUSY, errno.ENOMEM}

_WHAT_TO_DO = {errno.ENOENT: "make that folder first", errno.ENOTDIR: "that is a file: name a folder"}


@contextmanager
def locked(root: Path, *, private: bool = False) -> Iterator[None]:
    """Hold ``root`` for this thread alone, across threads and processes. The kernel lets go when the holder dies."""
    root.mkdir(parents=True, exist_ok=True, mode=0o700 if private else 0o755)
    descriptor = os.open(root / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write_synced(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` and to the disk; a kill may leave a part of it, so nobody reads ``path`` under this name."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def replace_whole(path: Path, data: bytes) -> None:
    """Give ``path`` the content ``data`` in one step. The caller holds the lock, so one scratch name is enough."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.part")
    write_synced(scratch, data)
    scratch.replace(path)
    sync_directory(path.parent)


def move_whole(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    source.replace(target)
    sync_directory(target.parent)
    if source.parent != target.parent:
        sync_directory(source.parent)


def sync_directory(path: Path) -> None:
    """Make renames and removals in ``path`` survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def file_errors(doing: str) -> Iterator[None]:
    """OSError becomes Retryable (disk full, too many files) or Permanent (no permission, read-only)."""
    try:
        yield
    except OSError as error:
        raise _translated(error, doing) from error


@contextmanager
def looking(doing: str) -> Iterator[None]:
    """Not being able to look is not a no: every OSError is Retryable."""
    try:
        yield
    except OSError as error:
        raise Retryable(f"{doing}: {error.strerror or error}", hint="check the disk and the permissions") from error


@contextmanager
def after_the_fact(doing: str) -> Iterator[None]:
    """Behind the point of no return an OSError means that the effect is there but could not be confirmed."""
    try:
        yield
    except OSError as error:
        raise Unknown(
            f"{doing}: done, but not confirmed: {error.strerror}", hint="reconcile it before anything is repeated"
        ) from error


def _translated(error: OSError, doing: str) -> EffectError:
    where = f" ({error.filename})" if error.filename else ""
    text = f"{doing}: {error.strerror or error}{where}"
    if error.errno in _PASSING:
        return Retryable(text, hint="make room on the disk; it is tried again by itself")
    return Permanent(text, hint=_WHAT_TO_DO.get(error.errno or 0, "check the owner and the permissions of that path"))
