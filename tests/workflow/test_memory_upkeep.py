"""A night of upkeep on the real servers: proved, summed up, archived, checked, and written down."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

import memory
from domain.event import NewEvent, new_event
from domain.events import MessageReceived, TicketClosed
from domain.policies import PolicyActivated, PolicyVersion, RetentionPolicy
from domain.retention import Place, Summary, Upkeep
from domain.runs import Alert
from memory.rebuild import rebuild_check
from models.embedding import HashingEmbedder
from tests.unit.domain.happenings import message, sale
from tests.workflow.conftest import World

_CLOCK = """
CREATE SCHEMA clock;
CREATE FUNCTION clock.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS $$ SELECT '{}'::timestamptz $$;
"""
_PAST = "-c search_path=public,clock,pg_catalog"


@pytest.fixture
async def kept(database_url: str, chroma_url: str, home: Path) -> AsyncIterator[memory.Memory]:
    """A log that began long ago: two months of it are over, and one goes on."""
    now = datetime.now(UTC)
    for months in (5, 4):
        await live_then(database_url, chroma_url, (now - timedelta(days=31 * months)).replace(day=10))
    async with memory.open_memory(
        database_url=database_url, chroma_url=chroma_url, embedder=HashingEmbedder(), home=home
    ) as opened:
        document = RetentionPolicy(keep_months=2).model_dump(mode="json")
        version = PolicyVersion(version=1, document=document, proposed_by="operator", approved_by="operator", at=now)
        await opened.log.append([new_event(PolicyActivated(name="retention", version=version), at=now, key=("1",))])
        yield opened


async def live_then(database_url: str, chroma_url: str, then: datetime) -> None:
    """A month of business, recorded when the clock of this database stood at ``then``."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        await connection.execute(b"DROP SCHEMA IF EXISTS clock CASCADE")
        await connection.execute(_CLOCK.format(then.isoformat()).encode())
    url = make_conninfo(database_url, options=_PAST)
    async with memory.open_memory(database_url=url, chroma_url=chroma_url, embedder=HashingEmbedder()) as past:
        await past.log.append([*business(then), sale(then.month), sale(then.month + 20)])


def business(then: datetime) -> list[NewEvent]:
    body = message(f"m{then.month}", "Where is my parcel from order 1001?").model_copy(update={"at": then})
    received = MessageReceived(ticket_id=f"mail/{then.month}", source="mail", subject="Parcel", message=body)
    closed = TicketClosed(ticket_id=f"mail/{then.month}", reason="it arrived")
    return [new_event(data, at=then, key=(then.isoformat(),)) for data in (received, closed)]


async def a_night(world: World) -> str:
    """The line that the night ended with."""
    run_id = await world.gateway.start_upkeep(now=datetime.now(UTC))
    return str(await world.client.get_workflow_handle(run_id, result_type=str).result())


async def test_a_night_proves_sums_up_archives_and_checks(world: World, database_url: str, home: Path) -> None:
    """And the second night finds nothing left to do but to prove what the first one wrote."""
    long_ago = datetime.now(UTC) - timedelta(days=200)
    await world.kept.inbox.receive("shop/orders", "1", b"bytes", at=long_ago)
    await world.kept.inbox.understood("shop/orders", "1", at=long_ago)
    first = await a_night(world)
    did = "9 events verified (the whole log), 2 summaries, 2 months archived, recall 4/4, 1 delivery forgotten byte for byte"
    assert first == f"memory upkeep: {did}"
    second = await a_night(world)
    assert second == "memory upkeep: 6 events verified"
    (record,) = await world.kept.state.find(Upkeep)
    assert record.line == second
    assert len(await world.kept.state.find(Summary)) == 2
    segments = [s for s in await world.kept.archive.segments() if not s.empty]
    assert [s.place for s in segments] == [Place.ARCHIVE, Place.ARCHIVE, Place.DATABASE]
    assert (await world.kept.log.verify()).events == 16
    assert (await rebuild_check(database_url, home=home)).differences == ()


async def test_a_log_that_does_not_verify_is_an_alert_and_left_alone(world: World, database_url: str) -> None:
    """Nothing is summed up from it, and nothing of it leaves the database."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as admin:
        await admin.execute("SET session_replication_role = replica")
        await admin.execute("UPDATE event SET actor = 'mallory' WHERE seq = 3")
    line = await a_night(world)
    assert line.startswith("memory upkeep: 2 events verified (the whole log), PROBLEM: event 3")
    (alert,) = await world.kept.state.find(Alert)
    assert (alert.level, alert.key) == ("urgent", "log-broken")
    assert await world.kept.anchors.last() is None
    assert {s.place for s in await world.kept.archive.segments()} == {Place.DATABASE}
