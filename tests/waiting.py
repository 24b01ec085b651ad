"""Waiting for what happens elsewhere: polled, never slept through blindly."""

from collections.abc import Callable
from time import monotonic, sleep
from typing import TypeVar

T = TypeVar("T")


def until(look: Callable[[], T | None], *, within: float = 60.0) -> T:
    """What ``look`` finds, once it finds something. Fails after ``within`` seconds."""
    began = monotonic()
    while not (found := look()):
        assert monotonic() < began + within, f"nothing within {within:.0f} s"
        sleep(pause(monotonic() - began))
    return found


def pause(waited: float) -> float:
    """Seconds until the next look after ``waited`` seconds: what takes long is looked at less often, for looks take time."""
    return min(max(waited / 8, 0.05), 0.5)
