"""A folder in a git repository, in which single files are committed and nothing else is touched.

What somebody has staged or changed there stays as it is. Nothing is pushed. Hooks that check a commit are for hands and are
skipped; those that follow one run, so that a site can be built then.
"""

import os
import subprocess
from pathlib import Path

from domain.errors import Permanent, Retryable

_SECONDS = 60.0
_UNDER_WAY = ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply")
_US = ("Steward", "steward@localhost")


class GitFolder:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def require(self, file: Path) -> None:
        """Raises Permanent where ``file`` can never be committed, Retryable while the operator is in the middle of something."""
        inside = self._git("rev-parse", "--is-inside-work-tree", "--absolute-git-dir")
        if inside.returncode != 0 or not inside.stdout.startswith("true\n"):
            hint = "`git init` makes a repository; or --set commit=no"
            raise Permanent(f"nothing can be committed in {self._folder}: {_said(inside)}", hint=hint)
        git_dir = Path(inside.stdout.splitlines()[1])
        if any((git_dir / name).exists() for name in _UNDER_WAY):
            raise Retryable(f"a merge or rebase is under way in {self._folder}", hint="finish it; it is tried again by itself")
        if self._git("check-ignore", "--quiet", "--", file.name).returncode == 0:
            raise Permanent(f"git ignores {file}", hint="take it out of .gitignore; or --set commit=no")

    def commit(self, file: Path, message: str) -> None:
        """Commit what ``file`` is now, or that it is gone; nothing where that is committed already. Raises Retryable."""
        changed = self._git("status", "--porcelain", "--untracked-files=all", "--", file.name)
        if changed.returncode == 0 and not changed.stdout:
            return
        if file.exists():
            self._must("add", "--intent-to-add", "--", file.name)
        elif not self._git("ls-tree", "HEAD", "--", file.name).stdout:
            self._must("rm", "--cached", "--quiet", "--", file.name)  # it was about to be committed, and never was
            return
        subject = " ".join(message.split())
        self._must("commit", "--quiet", "--no-verify", "--no-gpg-sign", "--only", f"--message={subject}", "--", file.name)

    def _must(self, *words: str) -> None:
        done = self._git(*words)
        if done.returncode != 0:
            raise Retryable(f"git did not {words[0]} in {self._folder}: {_said(done)}", hint="mend it; it is tried again by itself")

    def _git(self, *words: str) -> "subprocess.CompletedProcess[str]":
        try:
            return subprocess.run(
                ["git", "-C", str(self._folder), *words],
                env=_environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_SECONDS,
                check=False,
            )
        except FileNotFoundError:
            return subprocess.CompletedProcess(words, 127, "", "git is not installed")
        except subprocess.TimeoutExpired:
            raise Retryable(
                f"git took longer than {_SECONDS:.0f} seconds in {self._folder}", hint="look what it waits for"
            ) from None


def _environment() -> dict[str, str]:
    """None of the variables by which git would take another repository, editor or author."""
    name, email = _US
    return {
        "PATH": os.pathsep.join(os.get_exec_path()),
        "HOME": str(Path.home()),
        "LC_ALL": "C",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_AUTHOR_NAME": name,
        "GIT_AUTHOR_EMAIL": email,
        "GIT_COMMITTER_NAME": name,
        "GIT_COMMITTER_EMAIL": email,
    }


def _said(done: "subprocess.CompletedProcess[str]") -> str:
    """The first line of what git said."""
    lines = (done.stderr or done.stdout).strip().splitlines()
    return "".join(c for c in lines[0][:200] if c.isprintable()) if lines else f"it ended with {done.returncode}"
