"""The opened system, as most commands need it: memory, and nothing that takes long to import."""

import logging
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar
from uuid import uuid4

import structlog

import memory
import stack
from cli.output import run
from domain.errors import SetupError
from domain.event import EventData, NewEvent, new_event
from models.late_embedding import LateEmbedder
from settings import Settings

OPERATOR = "operator"
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class System:
    """What a command may reach without Temporal."""

    settings: Settings
    endpoints: stack.Endpoints
    memory: memory.Memory


@asynccontextmanager
async def open_system(settings: Settings | None = None) -> AsyncIterator[System]:
    """Open the memory of the running stack. Raises SetupError with what to do where there is none."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    settings = settings or Settings.load()
    endpoints = stack.endpoints(settings)
    if endpoints is None:
        raise SetupError("Steward is not running", hint="start it with `./steward up`")
    async with memory.open_memory(
        database_url=endpoints.database_url, chroma_url=endpoints.chroma_url, embedder=LateEmbedder(), home=settings.home
    ) as kept:
        yield System(settings=settings, endpoints=endpoints, memory=kept)


def with_system(work: Callable[[System], Awaitable[T]], *, as_json: bool) -> T:
    """What ``work`` makes of the opened system; an error is said in one line and ends the command."""

    async def opened() -> T:
        async with open_system() as system:
            return await work(system)

    return run(opened, as_json=as_json)


async def record(system: System, *events: EventData, at: datetime, expected: dict[str, int] | None = None) -> None:
    """Append what the operator did, all or nothing. Each call is an occurrence of its own."""
    occurrence = str(uuid4())
    named = [_event(data, at, occurrence, number) for number, data in enumerate(events)]
    await system.memory.log.append(named, expected=expected)


def _event(data: EventData, at: datetime, occurrence: str, number: int) -> NewEvent:
    return new_event(data, at=at, key=(occurrence, str(number)), actor=OPERATOR)


def now() -> datetime:
    """The one clock of the commands: aware, UTC."""
    return datetime.now(UTC)
