"""The token with which this machine's command line comes to the console: a file of its own that only its owner can read."""

import os
import tempfile
from pathlib import Path

from cli.context import System, now
from domain.access import CLI_TOKEN
from memory.keyring import Keyring

_FILE = "cli-token"
_DAYS = 365


async def own_token(system: System) -> str:
    """The token of this home, made at its first use."""
    place = system.settings.home / _FILE
    try:
        return place.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return await renewed_token(system)


async def renewed_token(system: System) -> str:
    """A new one, which takes the place of the one before."""
    kept = system.memory
    keyring = Keyring(credentials=kept.credentials, tokens=kept.tokens, log=kept.log, clock=now)
    if any(token.name == CLI_TOKEN and token.revoked_at is None for token in await keyring.tokens()):
        await keyring.revoke(CLI_TOKEN)
    token = await keyring.issue_own(_DAYS)
    _keep(system.settings.home / _FILE, token)
    return token


def _keep(place: Path, token: str) -> None:
    """Whole or not at all."""
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.NamedTemporaryFile(dir=place.parent, prefix=f".{_FILE}-", delete=False) as draft:  # opened with 0600
        draft.write(f"{token}\n".encode())
        draft.flush()
        os.fsync(draft.fileno())
    Path(draft.name).replace(place)
