"""Processes that can be killed, without the seconds that their imports take.

A fork server imports once, before any thread of Temporal's exists, and each process is a fork of it. There is one a test process:
it has imported what its first caller named, and forks import the rest for themselves.
"""

import multiprocessing
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from typing import Any


def start(target: Callable[..., None], *args: Any, imports: str) -> BaseProcess:
    """Call ``target`` in a process that ends with this one at the latest; ``imports`` is the module that it needs."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([imports])
    process = context.Process(target=target, args=args, daemon=True)
    process.start()
    return process


def end(process: BaseProcess, *, seconds: float) -> None:
    """Wait for its end. Raises AssertionError where that was not a good one, or did not come within ``seconds``."""
    process.join(seconds)
    if process.exitcode is None:
        process.kill()
    assert process.exitcode == 0, f"{process.name} ended with {process.exitcode}"
