"""How the tests are dealt out to the processes of a run (pytest-xdist)."""

from xdist.scheduler import LoadFileScheduling

LONGEST_FIRST = ("chaos", "browser", "cli", "demo", "workflow", "stack", "e2e", "contract", "memory", "injection")
"""Folders of tests by how long their files take; the others follow, so that at the end short files fill the gaps."""
TOGETHER = ("tests/cli/", "tests/browser/")
"""Folders whose files share something that takes seconds to make: one process takes them all."""
APART = ("[cached", "[replayed")
"""Parameters that halve a long file: each half may go to a process of its own."""


class Dealer(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """A file goes to one process whole, with the exceptions above."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        half = next((mark for mark in APART if mark in nodeid), "")
        return next((folder for folder in TOGETHER if file.startswith(folder)), file + half)


def place(nodeid: str) -> int:
    """When a test is dealt out, compared with others."""
    folder = nodeid.split("/")[1] if nodeid.startswith("tests/") else ""
    return LONGEST_FIRST.index(folder) if folder in LONGEST_FIRST else len(LONGEST_FIRST)
