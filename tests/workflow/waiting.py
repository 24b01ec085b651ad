"""Polling with a deadline: tests wait for what they expect, never for time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def until(find: Callable[[], Awaitable[T | None]], *, seconds: float = 60) -> T:
    """The first true answer of ``find``. Raises TimeoutError with what it saw last."""
    deadline = time.monotonic() + seconds
    while True:
        found = await find()
        if found:
            return found
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds} s; last seen: {found!r}")
        await asyncio.sleep(0.05)
