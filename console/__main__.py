"""The console's composition root: ``python -m console`` serves it until SIGTERM or SIGINT."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from temporalio.client import Client

import connectors
import memory
import stack
from agents.auditor import Auditor
from connectors.switchboard import Switchboard
from console.app import create_app
from console.doorkeeper import Doorkeeper
from console.house import LOOPBACK, House, behind_proxy, hosts_of
from domain.connections import Connection
from domain.errors import InvalidInput, SetupError, StewardError
from memory.memory import Memory
from memory.setup_code import setup_code
from models.late_embedding import LateEmbedder
from settings import Settings
from stack.client import connect
from workflows.deciding import Decider
from workflows.gateway import Gateway

GRACE = 3  # seconds that open streams get when the console stops


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[House]:
    """The house over the running stack. Raises SetupError."""
    found = stack.endpoints(settings)
    if found is None:
        raise SetupError("Steward is not running", hint="`./steward up`")
    async with memory.open_memory(
        database_url=found.database_url, chroma_url=found.chroma_url, embedder=LateEmbedder(), home=settings.home
    ) as kept:
        client = await connect(stack.connected(settings, found))
        board = switchboard(settings, kept)
        try:
            yield house_of(settings, kept, client, board, ui_url=found.ui_url or "")
        finally:
            await board.close()


def switchboard(settings: Settings, kept: Memory) -> Switchboard:
    """The same as the worker's: what is shown here is what acts there."""

    async def connections() -> Sequence[Connection]:
        return await kept.state.find(Connection)

    return connectors.open_switchboard(
        settings.home, connections=connections, secrets=settings.connection_secrets, attempts=kept.attempts
    )


def house_of(settings: Settings, kept: Memory, client: Client, board: Switchboard, *, ui_url: str) -> House:
    public_url = settings.console_url or f"http://{settings.console_host}:{settings.console_port}"
    gateway = Gateway(client)
    return House(
        memory=kept,
        client=client,
        gateway=gateway,
        connectors={c: board.connector(c, otherwise=local) for c, local in connectors.open_local(settings.home).items()},
        call=partial(called, board),
        sources=board,
        decider=Decider(
            gateway=gateway, auditor=Auditor(state=kept.state, policies=kept.policies), state=kept.state, log=kept.log, clock=_now
        ),
        doorkeeper=doorkeeper(kept, settings.home),
        clock=_now,
        hosts=hosts_of(settings.console_port, public_url),
        public_url=public_url,
        ui_url=settings.temporal_ui_url or ui_url,
        home=settings.home,
    )


async def called(board: Switchboard, connection: Connection) -> str:
    """What the connected system says of itself. Raises InvalidInput where a setting is missing, and what the system raises."""
    try:
        system = board.opened(connection)
    except KeyError as missing:
        hint = f"`./steward connect {connection.name}` asks for it"
        raise InvalidInput(f"{connection.name} lacks the setting {missing.args[0]}", hint=hint) from missing
    return await system.check()


def doorkeeper(kept: Memory, home: Path) -> Doorkeeper:
    return Doorkeeper(
        credentials=kept.credentials,
        sessions=kept.sessions,
        tokens=kept.tokens,
        passkeys=kept.passkeys,
        challenges=kept.challenges,
        log=kept.log,
        clock=_now,
        setup_code=lambda: setup_code(home),
    )


def _now() -> datetime:
    return datetime.now(UTC)


async def serve(settings: Settings) -> None:
    async with opened(settings) as house:
        if settings.console_host not in LOOPBACK and await house.doorkeeper.needs_setup():
            raise SetupError(
                f"the console has no password yet and will not listen on {settings.console_host}",
                hint="set one with `./steward console --set-password`, and put the console behind TLS: docs/console.md",
            )
        await uvicorn.Server(configured(create_app(house), settings)).serve()


def configured(app: FastAPI, settings: Settings) -> uvicorn.Config:
    """Whom a request comes from is taken from its headers only where a proxy is declared: else any program of this machine
    could give itself a new address for every try at the password."""
    return uvicorn.Config(
        app,
        host=settings.console_host,
        port=settings.console_port,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE,
        proxy_headers=behind_proxy(settings.console_url),
        forwarded_allow_ips="127.0.0.1",
    )


def main() -> int:
    try:
        asyncio.run(serve(Settings.load()))
    except StewardError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # the Temporal SDK's runtime can crash while the interpreter tears down, after all work is done
