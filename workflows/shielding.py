"""Work that is finished even if the run is cancelled meanwhile."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def seen_through(work: Coroutine[Any, Any, T]) -> tuple[T, bool]:
    """The result of ``work``, and whether the run was cancelled while it went on."""
    try:
        task = asyncio.ensure_future(work)
    except BaseException:
        work.close()  # the worker is letting go of this run; another one goes on with it
        raise
    cancelled = False
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            cancelled = True
    return task.result(), cancelled


async def shielded(work: Coroutine[Any, Any, T]) -> T:
    """Finish ``work`` even if the run is cancelled (again) meanwhile; the caller is on its way out already."""
    result, _ = await seen_through(work)
    return result
