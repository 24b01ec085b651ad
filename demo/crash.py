"""Kills the demo's own worker and watches it come back."""

import os
import signal
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import stack
from demo.report import Kill
from demo.rest import until
from demo.running import Running
from domain.effects import EffectStatus
from domain.errors import SetupError

_ENOUGH = 5  # committed effects: the day is well under way


async def kill_worker(running: Running, *, meanwhile: Callable[[], Awaitable[int]]) -> Kill:
    """SIGKILL the worker in the middle of its work. ``meanwhile`` brings mails while it is dead and says how many."""
    await until(lambda: _busy(running), what="the worker is in the middle of its work")
    pid = stack.worker_pid(running.settings)
    if pid is None:
        raise SetupError("the worker is gone before it was killed", hint="see `./steward logs worker`")
    os.kill(pid, signal.SIGKILL)
    at = datetime.now(UTC)
    begun = await _begun(running)
    mails = await meanwhile()
    await until(lambda: _is_back(running, pid), what="the supervisor restarted the worker")
    new_pid = stack.worker_pid(running.settings)
    assert new_pid is not None
    return Kill(pid=pid, new_pid=new_pid, at=at, back_at=datetime.now(UTC), mails=mails, begun=begun)


async def _busy(running: Running) -> bool:
    return len(await running.memory.ledger.effects(status=EffectStatus.COMMITTED)) >= _ENOUGH


async def _begun(running: Running) -> int:
    """Effects that were reserved or executing when the worker died."""
    begun = [await running.memory.ledger.effects(status=s) for s in (EffectStatus.RESERVED, EffectStatus.EXECUTING)]
    return sum(map(len, begun))


async def _is_back(running: Running, dead: int) -> bool:
    pid = stack.worker_pid(running.settings)
    return pid is not None and pid != dead
