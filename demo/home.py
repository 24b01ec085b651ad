"""Where the demo lives: the normal home, but only while nothing real is in it."""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import stack
from domain.errors import SetupError
from settings import Settings

MARKER = "DEMO"
PREVIOUS = "previous-demo"
_STATE = ("data", "outside", "run", "logs", "archive", "anchors", "demo")
_REAL = ("data", "outside", "archive", "anchors", "cli-token")
_KEYS = ("setup-code", "cli-token")  # to the console of a database that is moved away
_REPORTS = ("simulation",)  # a demo that is run again leaves them
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
    if found := [name for name in _REAL if _holds_something(home / name)]:
        raise SetupError(f"{home} holds real data ({', '.join(found)}), which a demo must not touch", hint=f"try `{_ELSEWHERE}`")


def clear(home: Path) -> bool:
    """Move the previous demo's state to ``previous-demo`` and mark ``home`` as a demo's. Returns whether there was one.

    The stack must be down. One earlier demo is kept, in case somebody worked in it.
    """
    require_demo_home(home)
    home.mkdir(parents=True, exist_ok=True)
    (home / MARKER).write_text("This home was filled by `make demo`; the next one moves it to previous-demo.\n")
    _remove_keys(home)
    return bool(_move_aside(home, _STATE))


@dataclass(frozen=True, kw_only=True)
class PutAway:
    """What became of the files of a home: names in it. ``demo`` says whether there was one at all."""

    home: Path
    demo: bool = True
    moved: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()

    def told(self) -> str:
        if not self.demo:
            return f"{self.home} holds no demo"
        lines = [
            _line("moved the demo", self.moved, f"to {self.home / PREVIOUS}, in case you worked in it; the next demo replaces it"),
            _line("removed", self.removed, "which opened nothing but the demo's console"),
            _line("kept", self.kept, "which is yours: the demo did not make it"),
            "Now your own business: ./steward up",
        ]
        return "\n".join(line for line in lines if line)


def put_away(settings: Settings) -> PutAway:
    """Stop the stack, move what the demo made aside and take its mark away. Raises SetupError."""
    home = settings.home
    if not (home / MARKER).exists():
        return PutAway(home=home, demo=False)
    stack.stop(settings)
    removed, moved = _remove_keys(home), _move_aside(home, (*_STATE, *_REPORTS))
    (home / MARKER).unlink()
    kept = sorted(path.name for path in home.iterdir() if path.name != PREVIOUS)
    return PutAway(home=home, moved=moved, removed=removed, kept=tuple(kept))


def _remove_keys(home: Path) -> tuple[str, ...]:
    found = tuple(name for name in _KEYS if (home / name).is_file())
    for name in found:
        (home / name).unlink()
    return found


def _move_aside(home: Path, names: Iterable[str]) -> tuple[str, ...]:
    """Those that hold something; empty ones just go. What was moved before stays until there is something in its place."""
    folders = [name for name in names if (home / name).is_dir()]
    found = tuple(name for name in folders if _holds_something(home / name))
    for name in {*folders} - {*found}:
        (home / name).rmdir()
    if found:
        shutil.rmtree(home / PREVIOUS, ignore_errors=True)
        (home / PREVIOUS).mkdir(mode=0o700)
    for name in found:
        (home / name).rename(home / PREVIOUS / name)
    return found


def _line(what: str, names: tuple[str, ...], why: str) -> str:
    return f"{what}: {', '.join(names)} ({why})" if names else ""


def _holds_something(path: Path) -> bool:
    return path.is_file() or (path.is_dir() and any(path.iterdir()))
