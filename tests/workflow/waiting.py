"""Polling with a deadline: tests wait for what they expect, never for time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tests.waiting import pause

T = TypeVar("T")


async def until(find: Callable[[], Awaitable[T | None]], *, seconds: float = 60) -> T:
    """The first true answer of ``find``. Raises TimeoutError with what it saw last."""
    began = time.monotonic()
    while True:
        found = await find()
        if found:
            return found
        waited = time.monotonic() - began
        if waited > seconds:
            raise TimeoutError(f"not within {seconds} s; last seen: {found!r}")
        await asyncio.sleep(pause(waited))
