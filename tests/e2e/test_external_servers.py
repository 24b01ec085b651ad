"""The worker on servers that Steward did not start, told of them by its environment alone: what docker-compose does."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

import memory
from domain.decisions import Mode
from domain.entities import Address, Customer, Direction, Message, Order, OrderLine, OrderStatus, Shop, Ticket, TicketStatus
from domain.event import EventData, new_event
from domain.events import CustomerListed, MessageReceived, OrderPlaced, ShopDescribed
from domain.money import Money
from domain.runs import ModeSet
from models.embedding import WordLlamaEmbedder
from settings import CHECKOUT
from stack import programs
from stack.account import Account, for_postgres
from stack.part import Launch, run_to_end, spawn
from tests.workflow.waiting import until

HOST = "127.0.0.1"
TICKET = "mail/where@post.example"
BIN = Path(sys.executable).parent


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """One that the account of PostgreSQL, which is never root, can reach."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
async def environ(open_folder: Path, tmp_path: Path) -> AsyncIterator[dict[str, str]]:
    """What the worker is told, while the three servers run."""
    temporal, chroma = free_port(), free_port()
    async with (
        postgres(open_folder / "postgres") as database_url,
        server(programs.temporal(), "server", "start-dev", "--headless", "--ip", HOST, "--port", str(temporal)),
        server(BIN / "chroma", "run", "--path", str(tmp_path / "chroma"), "--host", HOST, "--port", str(chroma)),
    ):
        for port in (temporal, chroma):
            await listening(port)
        yield {
            "PATH": os.environ["PATH"],
            "DATABASE_URL": database_url,
            "TEMPORAL_ADDRESS": f"{HOST}:{temporal}",
            "CHROMA_URL": f"http://{HOST}:{chroma}",
            "STEWARD_HOME": str(tmp_path / "home"),
            "STEWARD_READY_FILE": str(tmp_path / "ready"),
        }


@pytest.mark.timeout(180)
async def test_the_worker_answers_a_ticket_on_servers_of_the_operators_own(environ: dict[str, str], tmp_path: Path) -> None:
    """`prepare`, safe to repeat, then `run` until it is ready: a mail is answered, and SIGTERM ends the worker in order."""
    for _ in range(2):
        prepared = await asyncio.to_thread(worker, environ, "prepare")
        assert (prepared.returncode, prepared.stderr) == (0, "")
    async with server(sys.executable, "worker.py", "run", environ=environ) as process:
        await until(lambda: asyncio.to_thread((tmp_path / "ready").exists), seconds=60)
        ticket = await answered(environ)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 20) == 0

    assert ticket.status is TicketStatus.WAITING_CUSTOMER
    assert "PKG-77" in ticket.messages[-1].body
    (mail,) = (tmp_path / "home" / "outside" / "mail" / "outgoing" / "new").iterdir()
    assert "_send-reply_" in mail.name


async def answered(environ: dict[str, str]) -> Ticket:
    """Let a mail arrive and wait for the ticket to be answered."""
    database_url, chroma_url = environ["DATABASE_URL"], environ["CHROMA_URL"]
    async with memory.open_memory(database_url=database_url, chroma_url=chroma_url, embedder=WordLlamaEmbedder()) as kept:
        now = datetime.now(UTC)
        await kept.log.append([new_event(e, at=now, key=(e.stream,)) for e in business(now)])

        async def found() -> Ticket | None:
            ticket = await kept.state.get(Ticket, TICKET)
            return ticket if ticket and ticket.messages[-1].direction is Direction.OUTBOUND else None

        return await until(found, seconds=60)


def business(now: datetime) -> list[EventData]:
    """A shop in auto mode, a customer whose parcel is under way, and her question."""
    shipped = now - timedelta(days=1)
    order = Order(
        order_id="1001",
        customer_id="ada",
        email="ada@post.example",
        lines=(OrderLine(sku="MUG", title="Moss mug", units=1, unit_price=Money.of(29)),),
        total=Money.of(29),
        status=OrderStatus.SHIPPED,
        placed_at=shipped - timedelta(days=1),
        shipped_at=shipped,
        carrier="Parcel Post",
        tracking="PKG-77",
        ship_to=Address(name="Ada Berg", line1="Elm Road 3", postcode="10115", city="Berlin", country="DE"),
    )
    message = Message(
        message_id="where@post.example",
        direction=Direction.INBOUND,
        sender="ada@post.example",
        at=now,
        body="Hello, where is my order 1001? When will the parcel arrive?",
    )
    shop = Shop(name="Clay", email="hello@clay.example", site_url="https://clay.example", signature="Kim, Clay")
    return [
        ShopDescribed(shop=shop),
        ModeSet(scope="support", mode=Mode.AUTO, by="operator"),
        CustomerListed(customer=Customer(customer_id="ada", name="Ada Berg", email="ada@post.example")),
        OrderPlaced(order=order),
        MessageReceived(ticket_id=TICKET, source="mail", subject="Where is it?", message=message),
    ]


def worker(environ: dict[str, str], verb: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "worker.py", verb]
    return subprocess.run(command, cwd=CHECKOUT, env=environ, capture_output=True, text=True, check=False)


@asynccontextmanager
async def postgres(folder: Path) -> AsyncIterator[str]:
    """A PostgreSQL as packaged, with an empty database; gives its URL."""
    account = prepared(folder)
    port, cluster = free_port(), str(folder / "cluster")

    def program(name: str, *arguments: str) -> Launch:
        return Launch((str(programs.postgres_folder() / name), *arguments), {"PATH": os.environ["PATH"]}, account=account)

    code, output = await run_to_end(
        program("initdb", "-D", cluster, "-U", "shop", f"--pwfile={folder / 'password'}", "--auth=scram-sha-256", "-E", "UTF8")
    )
    assert code == 0, output
    options = ("-c", f"listen_addresses={HOST}", "-c", "unix_socket_directories=", "-c", f"port={port}")
    process = await spawn(program("postgres", "-D", cluster, *options), death_signal=signal.SIGINT, out=asyncio.subprocess.DEVNULL)
    try:
        await until(lambda: asyncio.to_thread(created, f"postgresql://shop:secret@{HOST}:{port}/postgres"), seconds=30)
        yield f"postgresql://shop:secret@{HOST}:{port}/business"
    finally:
        process.send_signal(signal.SIGINT)
        await process.wait()


def prepared(folder: Path) -> Account | None:
    """The folder with the password, and the account it now belongs to where this one is root."""
    folder.mkdir()
    (folder / "password").write_text("secret")
    account = for_postgres(folder / "cluster", programs.postgres_folder())
    if account:
        for path in (folder, folder / "password"):
            os.chown(path, account.uid, account.gid)
    return account


def created(url: str) -> bool:
    """Whether the server was there to make the database."""
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=2) as admin:
            admin.execute("CREATE DATABASE business")
    except psycopg.OperationalError:
        return False
    return True


@asynccontextmanager
async def server(program: Path | str, *arguments: str, environ: dict[str, str] | None = None) -> AsyncIterator[Process]:
    """A program that runs until it is not needed any more."""
    process = await asyncio.create_subprocess_exec(
        str(program), *arguments, env=environ, cwd=CHECKOUT, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def listening(port: int) -> None:
    async def answers() -> bool:
        try:
            _, writer = await asyncio.open_connection(HOST, port)
        except OSError:
            return False
        writer.close()
        return True

    await until(answers, seconds=60)


def free_port() -> int:
    with socket.create_server((HOST, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
