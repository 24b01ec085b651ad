"""Kill the WordPress connector with SIGKILL, one child process a kill, and count what is left behind.

    python -m tests.peers.kill_wordpress lines|moments URL USER PASSWORD

``lines`` kills before every line of its code that does something; ``moments`` at even steps through the time that a
publication takes, so that WordPress goes on with what it was given. Prints {"kills", "lost", "doubled", "torn", "left"}:
"torn" are receipts that do not agree with what is public at that moment, "left" are drafts that were begun twice and stay
hidden.
"""

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

from domain.actions import PublishContent
from tests.contract.outside_cases import NOW, page
from tests.contract.wordpress_cases import Blog, site_of

CONNECTORS = Path(__file__).parents[2] / "connectors"
CODE = {str(CONNECTORS / f"{name}.py") for name in ("wordpress", "wordpress_api", "wordpress_media")}  # the others are pure
MOMENTS = 40


def lines(blog: Blog) -> dict[str, int]:
    counts, line, survived = _nothing(), 0, False
    while not survived:
        line += 1
        action = page(slug=f"line-{line}")
        survived = not killed(blog, action, before_line=line)
        _add(counts, asyncio.run(inspect(blog, action)), kills=not survived)
    return counts


def moments(blog: Blog) -> dict[str, int]:
    """Whether a receipt agrees with what is public cannot be said while WordPress is still at it."""
    counts, step = _nothing(), min(_seconds(blog, page(slug=f"whole-{number}")) for number in range(3)) / MOMENTS
    for number in range(3 * MOMENTS):
        action = page(slug=f"moment-{number}")
        was = killed(blog, action, after_seconds=number % MOMENTS * step)
        _add(counts, {**asyncio.run(inspect(blog, action)), "torn": 0}, kills=was)
        if counts["kills"] == MOMENTS:
            break  # some come to their end before their moment
    return counts


def _seconds(blog: Blog, action: PublishContent) -> float:
    begun = time.monotonic()
    assert not killed(blog, action)
    return time.monotonic() - begun


def killed(blog: Blog, action: PublishContent, *, before_line: int = 0, after_seconds: float | None = None) -> bool:
    """Publish in a child; False where it came to its end."""
    child = os.fork()
    if child == 0:
        if after_seconds is not None:
            signal.setitimer(signal.ITIMER_REAL, after_seconds or 0.001)
            signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        asyncio.run(_publish(blog, action, Countdown(before_line)))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


async def inspect(blog: Blog, action: PublishContent) -> dict[str, int]:
    """What the receipt says against what is public, and what there is after the same key is tried again."""
    slug = action.piece.slug
    async with site_of(blog) as site:
        found = await site.find_receipt(action, key=slug)
        torn = bool(found) != (await _statuses(blog, slug)).count("publish")
        await site.execute(action, key=slug, expected_version="absent", now=NOW)
    statuses = await _statuses(blog, slug)
    public = statuses.count("publish")
    return {"lost": int(public == 0), "doubled": int(public > 1), "torn": int(torn), "left": len(statuses) - public}


async def _statuses(blog: Blog, slug: str) -> list[str]:
    return [post["status"] for post in await blog.posts(slug=f"{slug},{slug}-2,{slug}-3")]


async def _publish(blog: Blog, action: PublishContent, trace: "Countdown") -> None:
    async with site_of(blog) as site:
        sys.settrace(trace)
        await site.execute(action, key=action.piece.slug, expected_version="absent", now=NOW)
        sys.settrace(None)


class Countdown:
    """A trace function that kills its own process."""

    def __init__(self, left: int) -> None:
        self.left = left

    def __call__(self, frame: FrameType, event: str, arg: Any) -> "Countdown | None":
        if frame.f_code.co_filename not in CODE:
            return None
        if event == "line":
            self.left -= 1
            if not self.left:
                os.kill(os.getpid(), signal.SIGKILL)
        return self


def _nothing() -> dict[str, int]:
    return dict.fromkeys(("kills", "lost", "doubled", "torn", "left"), 0)


def _add(counts: dict[str, int], found: dict[str, int], *, kills: bool) -> None:
    for what, number in {**found, "kills": int(kills)}.items():
        counts[what] += number


if __name__ == "__main__":
    how, *where = sys.argv[1:]
    print(json.dumps({"lines": lines, "moments": moments}[how](Blog(*where))))
