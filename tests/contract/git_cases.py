"""A folder of pages in a subfolder of a git repository, in which somebody is at work."""

import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from connectors.folder_site import KIND
from connectors.kinds import Opening
from domain.actions import Capability
from domain.ports import Connector
from memory.fakes.shelves import InMemoryAttempts
from tests.contract.outside_cases import Case, site_case


def git(folder: Path, *words: str) -> str:
    """What the operator does there, with a configuration of the test's own."""
    given = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "PATH": os.environ["PATH"]}
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    return subprocess.check_output(["git", "-C", folder, *who, *words], env=given, text=True, stderr=subprocess.STDOUT)


def repository(root: Path) -> Path:
    """One with a commit, a staged file and an untracked one. Its folder of pages; what is there already stays."""
    pages = root / "content" / "guides"
    if not (root / ".git").exists():
        pages.mkdir(parents=True, exist_ok=True)
        git(root, "init", "--quiet")
        (root / "about.md").write_text("first")
        git(root, "add", ".")
        git(root, "commit", "--quiet", "-m", "begin")
        (root / "about.md").write_text("second")
        git(root, "add", ".")
        (root / "notes.md").write_text("mine")
    return pages


def commits(root: Path) -> list[str]:
    """Subjects, newest first."""
    return git(root, "log", "--format=%s").splitlines()


def site_in(pages: Path, *, commit: str = "yes") -> Connector:
    settings = KIND.checked({"folder": str(pages), "commit": commit})
    opening = Opening(name="site", settings=settings, secrets={}, folder=Path("/nowhere"), attempts=InMemoryAttempts())
    return KIND.open(opening).connectors[Capability.SITE]


async def make_in_git(home: Path) -> Case:
    """An effect is a commit."""
    root = home / "repository"
    pages = repository(root)

    async def count() -> int:
        return len(commits(root)) - 1

    return site_case(site_in(pages), count)


@asynccontextmanager
async def in_git(home: Path) -> AsyncIterator[Case]:
    yield await make_in_git(home)
