"""The code of the first start: a file that only the account which runs Steward can read."""

import os
import secrets
from pathlib import Path

_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that look alike


def setup_code(home: Path) -> str:
    """The code of this home, made where there is none yet."""
    path = home / "console-code"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    code = "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(3))
    with os.fdopen(descriptor, "w") as file:
        file.write(code)
    return code
