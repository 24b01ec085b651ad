"""Waiting for what happens elsewhere: polled, never slept through blindly."""

from collections.abc import Callable
from time import monotonic, sleep
from typing import TypeVar

T = TypeVar("T")


def until(look: Callable[[], T | None], *, within: float = 60.0) -> T:
    """What ``look`` finds, once it finds something. Fails after ``within`` seconds."""
    deadline = monotonic() + within
    while not (found := look()):
        assert monotonic() < deadline, f"nothing within {within:.0f} s"
        sleep(0.1)
    return found
