"""Where the demo lives: the normal home, but only while nothing real is in it."""

import shutil
from pathlib import Path

import stack
from domain.errors import SetupError
from settings import Settings

MARKER = "DEMO"
PREVIOUS = "previous-demo"
_STATE = ("data", "outside", "run", "logs")
_ELSEWHERE = "STEWARD_HOME=/some/dir make demo"


def require_own_servers(settings: Settings) -> None:
    """Raise SetupError where the demo would write into servers that are not its own."""
    if settings.database_url or settings.temporal_address or settings.chroma_url:
        raise SetupError(
            "the demo writes invented orders and mails, so it uses no servers of yours",
            hint="unset DATABASE_URL, TEMPORAL_ADDRESS and CHROMA_URL, then run it again",
        )


def require_demo_home(home: Path) -> None:
    """Raise SetupError where ``home`` holds anything that a demo did not put there."""
    if (home / MARKER).exists():
        return
    if found := [name for name in ("data", "outside") if _holds_something(home / name)]:
        raise SetupError(f"{home} holds real data ({', '.join(found)}), which a demo must not touch", hint=f"try `{_ELSEWHERE}`")


def clear(home: Path) -> bool:
    """Move the previous demo's state to ``previous-demo`` and mark ``home`` as a demo's. Returns whether there was one.

    The stack must be down. One earlier demo is kept, in case somebody worked in it.
    """
    require_demo_home(home)
    home.mkdir(parents=True, exist_ok=True)
    (home / MARKER).write_text("This home was filled by `make demo`; the next one moves it to previous-demo.\n")
    left = [home / name for name in _STATE if _holds_something(home / name)]
    if not left:
        return False
    shutil.rmtree(home / PREVIOUS, ignore_errors=True)
    (home / PREVIOUS).mkdir(mode=0o700)
    for folder in left:
        folder.rename(home / PREVIOUS / folder.name)
    return True


def put_away(settings: Settings) -> str:
    """Stop the stack, move the demo's state aside and take its mark away; what was done, in a sentence. Raises SetupError."""
    if not (settings.home / MARKER).exists():
        return f"{settings.home} holds no demo"
    stack.stop(settings)
    clear(settings.home)
    (settings.home / MARKER).unlink()
    return f"the demo is in {settings.home / PREVIOUS}; {settings.home} is empty now: ./steward up"


def _holds_something(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())
