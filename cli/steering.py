"""The opened system with Temporal and the gateway, for commands that start, decide, stop or undo."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from temporalio.client import Client
from temporalio.service import RPCError

import stack
from agents.auditor import Auditor
from cli.context import System, now, open_system
from cli.output import run
from domain.errors import SetupError
from stack.client import connect
from workflows.deciding import Decider
from workflows.gateway import Gateway

_ON_ITS_WAY = ("running", "starting", "backoff", "external")
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Steering(System):
    """A System that can steer runs too."""

    client: Client
    gateway: Gateway
    decider: Decider


@asynccontextmanager
async def open_steering(*, needs_worker: bool = True) -> AsyncIterator[Steering]:
    """Raises SetupError where Temporal does not answer, or no worker runs that would do what is asked."""
    async with open_system() as system:
        if needs_worker:
            _require_worker(system)
        client = await connect(stack.connected(system.settings, system.endpoints))
        gateway, kept = Gateway(client), system.memory
        yield Steering(
            settings=system.settings,
            endpoints=system.endpoints,
            memory=kept,
            client=client,
            gateway=gateway,
            decider=Decider(
                gateway=gateway,
                auditor=Auditor(state=kept.state, policies=kept.policies),
                state=kept.state,
                log=kept.log,
                clock=now,
            ),
        )


def with_steering(work: Callable[[Steering], Awaitable[T]], *, as_json: bool, needs_worker: bool = True) -> T:
    """What ``work`` makes of it; an error is said in one line and ends the command."""

    async def opened() -> T:
        async with open_steering(needs_worker=needs_worker) as steering:
            try:
                return await work(steering)
            except RPCError as error:
                raise SetupError(f"Temporal did not answer: {error.message}", hint="see `./steward status`") from error

    return run(opened, as_json=as_json)


def _require_worker(system: System) -> None:
    """Asked for before anything is begun. Where all servers are the operator's own, so may the worker be."""
    found = stack.status(system.settings)
    if found.part("postgres").state != "external" and found.part("worker").state not in _ON_ITS_WAY:
        raise SetupError("no worker runs, so nothing would happen", hint="start it with `./steward up`")
