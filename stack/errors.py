"""The one error of this package."""

import errno
import shutil
from pathlib import Path

from domain.errors import SetupError


class StackError(SetupError):
    """The stack cannot start, run or stop; the message is one line and the hint says what to do."""


def from_os_error(error: OSError, path: Path) -> StackError:
    """The machine's refusal to touch ``path``, in words that say what to do."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return disk_full(path)
    reason = (error.strerror or str(error)).lower()
    verb = "write to" if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS) else "use"
    return StackError(
        f"cannot {verb} {path}: {reason}",
        hint="make it writable for this user, or set STEWARD_HOME to a directory that is",
    )


def disk_full(path: Path) -> StackError:
    """The disk that holds ``path`` has no room."""
    return StackError(
        f"the disk that holds {path} is full ({free_megabytes(path)} MB left)",
        hint="free some space, or set STEWARD_HOME to a directory on another disk, then run `steward up` again",
    )


def free_megabytes(path: Path) -> int:
    """Free space for ordinary users on the disk of ``path`` (which need not exist yet), in MB."""
    existing = next(folder for folder in (path, *path.parents) if folder.exists())
    return shutil.disk_usage(existing).free // 1_000_000
