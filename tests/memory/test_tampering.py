"""The log defends itself, and what gets past its defences is found and named."""

from collections.abc import AsyncIterator

import psycopg
import pytest

import memory
from domain.knowledge import Head
from tests.unit.domain.happenings import sale

Admin = psycopg.AsyncConnection[tuple[object, ...]]


@pytest.fixture
async def admin(database_url: str) -> AsyncIterator[Admin]:
    """The owner of the database, a superuser at that."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
async def head(kept: memory.Memory) -> Head:
    """A log of six events, and its head as somebody noted it."""
    await kept.log.append([sale(n) for n in range(6)])
    return await kept.log.head()


async def partition(admin: Admin) -> str:
    row = await (await admin.execute("SELECT tableoid::regclass::text FROM event LIMIT 1")).fetchone()
    assert row is not None
    return str(row[0])


async def without_triggers(admin: Admin, statement: str) -> None:
    """As a superuser who means harm would."""
    await admin.execute("SET session_replication_role = replica")
    await admin.execute(statement.encode())
    await admin.execute("SET session_replication_role = DEFAULT")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {} SET actor = 'mallory'",
        "DELETE FROM {} WHERE seq = 3",
        "TRUNCATE {}",
    ],
)
@pytest.mark.parametrize("table", ["event", "the partition", "event_key"])
async def test_the_database_refuses_to_change_the_log(
    head: Head, admin: Admin, kept: memory.Memory, statement: str, table: str
) -> None:
    """Even for the owner of its tables, and on a partition directly."""
    name = await partition(admin) if table == "the partition" else table
    statement = statement.replace("actor = 'mallory'", "stream = 'x'") if table == "event_key" else statement
    with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
        await admin.execute(statement.format(name).encode())
    assert (await kept.log.verify(anchor=head)).ok


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("UPDATE event SET data = jsonb_set(data, '{units}', '7') WHERE seq = 4", "event 4 .* was changed"),
        ("UPDATE event SET recorded_at = recorded_at + interval '1 microsecond' WHERE seq = 4", "event 4 .* was changed"),
        ("UPDATE event SET pre = NULL WHERE seq = 6", "event 6 .* was changed"),
        ("UPDATE event SET hash = repeat('a', 64) WHERE seq = 2", "event 2 .* was changed"),
        ("DELETE FROM event WHERE seq = 3", "event 3 is missing"),
        ("DELETE FROM event WHERE seq = 1", "event 1 is missing"),
        ("DELETE FROM event WHERE seq > 4", "2 events are missing"),
        ("DELETE FROM event", "6 events are missing"),
    ],
)
async def test_what_was_tampered_with_is_found(head: Head, admin: Admin, kept: memory.Memory, statement: str, problem: str) -> None:
    """With the number of the first event that is not what it was."""
    await without_triggers(admin, statement)
    result = await kept.log.verify()
    assert not result.ok
    with pytest.raises(AssertionError, match=problem):
        raise AssertionError(result.problem)


async def test_a_tail_cut_off_together_with_the_head_is_found_by_the_anchor(head: Head, admin: Admin, kept: memory.Memory) -> None:
    """The chain alone cannot know: that is what a head noted outside is for."""
    await without_triggers(admin, "DELETE FROM event WHERE seq > 4")
    await without_triggers(admin, "UPDATE chain SET (seq, hash) = (SELECT seq, hash FROM event WHERE seq = 4)")
    assert (await kept.log.verify()).ok
    result = await kept.log.verify(anchor=head)
    assert result.problem.startswith(f"the anchored head, event 6 with hash {head.hash[:12]}")


async def test_an_anchor_noted_long_ago_still_holds(head: Head, kept: memory.Memory) -> None:
    """It has to be part of the chain, not its end."""
    await kept.log.append([sale(100)])
    assert (await kept.log.verify(anchor=head)).ok
    assert not (await kept.log.verify(anchor=Head(seq=6, hash="0" * 64))).ok


async def test_an_append_after_the_months_end_goes_into_the_next_partition(admin: Admin, kept: memory.Memory) -> None:
    """Which is there before it is needed; one batch may lie on both sides."""
    await kept.log.append([sale(1)])
    await admin.execute("UPDATE chain SET recorded_at = '2031-01-31 23:59:59.999998+00'")
    await kept.log.append([sale(2), sale(3)])
    rows = await (await admin.execute("SELECT tableoid::regclass::text FROM event WHERE seq > 1 ORDER BY seq")).fetchall()
    assert [row[0] for row in rows] == ["event_2031_01", "event_2031_02"]
    assert (await kept.log.verify()).events == 3
    with pytest.raises(psycopg.errors.RestrictViolation):
        await admin.execute("TRUNCATE event_2031_02")


async def test_recording_times_never_go_back(admin: Admin, kept: memory.Memory) -> None:
    """Even when the clock of the server does."""
    await admin.execute("UPDATE chain SET recorded_at = '2031-01-15 12:00:00+00'")
    events = await kept.log.append([sale(1), sale(2)]) + await kept.log.append([sale(3)])
    times = [event.recorded_at for event in events]
    assert times == sorted(set(times))
    assert times[0].year == 2031
