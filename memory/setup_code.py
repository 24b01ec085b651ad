"""The code that proves, before there is a password, that who sets it is at the machine."""

import base64
import contextlib
import os
import secrets
import tempfile
from collections.abc import Sequence
from pathlib import Path

from domain.access import PasswordSet
from domain.errors import SetupError
from domain.event import Event
from memory.timeline import Appended

_FILE = "setup-code"
_BYTES = 10
"""80 bits: 16 characters of base 32."""


def setup_code(home: Path) -> str:
    """The code of this home, made at the first call; the file can be read by its owner only. Raises SetupError."""
    place = home / _FILE
    try:
        if not place.exists():
            _make(place)
        return place.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"the setup code cannot be read: {error}", hint=f"see to {place}; without it a new one is made") from error


def forget_setup_code(home: Path) -> None:
    """Once there is a password it proves nothing any more."""
    with contextlib.suppress(OSError):
        (home / _FILE).unlink(missing_ok=True)


def until_password(home: Path | None, appended: Appended) -> Appended:
    """``appended``, and the code of ``home`` is forgotten where the events tell of a password."""

    def told(events: Sequence[Event]) -> None:
        appended(events)
        if home is not None and any(event.type == PasswordSet.type for event in events):
            forget_setup_code(home)

    return told


def same_code(given: str, code: str) -> bool:
    """In constant time; case, spaces and hyphens do not matter."""
    return bool(code) and secrets.compare_digest(_bare(given), _bare(code))


def _make(place: Path) -> None:
    """Whole or not at all, and the first one stays: several processes may start at once."""
    code = base64.b32encode(secrets.token_bytes(_BYTES)).decode().lower()
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.NamedTemporaryFile(dir=place.parent, prefix=".setup-code-") as draft:  # opened with 0600
        draft.write("-".join(code[i : i + 4] for i in range(0, len(code), 4)).encode() + b"\n")
        draft.flush()
        os.fsync(draft.fileno())
        try:
            os.link(draft.name, place)
        except FileExistsError:
            return


def _bare(text: str) -> bytes:
    return "".join(text.split()).replace("-", "").lower().encode("utf-8", "surrogatepass")
