"""The state is the fold of the log, whatever happened; and where it is not, the check says so."""

import asyncio

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import memory
from domain.catalogue import load_event
from domain.errors import ChainBroken
from domain.event import Event, EventData
from domain.events import ProductListed
from memory.rebuild import rebuild, rebuild_check
from tests.unit.domain.happenings import STORIES, as_events, possible, product, sale, stated


async def run(url: str, statement: str) -> None:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute(statement.encode())


async def fill(kept: memory.Memory) -> None:
    facts = [ProductListed(product=product(price=price, colour="red")) for price in ("10", "11")]
    await kept.log.append([*as_events([*facts, stated("supplier/acme", "holiday", "July")]), sale(1)])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=STORIES, cut=st.integers(1, 9))
async def test_a_rebuild_gives_the_live_state(kept: memory.Memory, database_url: str, story: list[EventData], cut: int) -> None:
    """In whatever batches the story was appended, on top of the stories before it."""
    number = (await kept.log.head()).seq
    earlier = await kept.log.read(limit=100_000)
    events = as_events(possible_after(earlier, story), prefix=str(number))
    for start in range(0, len(events), cut):
        await kept.log.append(events[start : start + cut])
    report = await rebuild_check(database_url)
    assert report.differences == ()
    assert report.events == number + len(events)


DAMAGE = [
    (
        "UPDATE state SET body = jsonb_set(body, '{on_hand}', '99') WHERE kind = 'stock'",
        "state stock/MUG: differs from the replay",
    ),
    ("DELETE FROM state WHERE kind = 'product'", "state product/MUG: is missing"),
    ("INSERT INTO state VALUES ('stock', 'GHOST', 1, '{}', 1)", "state stock/GHOST: is not in the log"),
    ("UPDATE sales SET units = units + 1", "sales MUG on 2026-03-01: differs from the replay"),
    ("DELETE FROM fact WHERE object = 'July'", "fact supplier/acme#holiday = July"),
    ("UPDATE fact SET object = '9.00 EUR' WHERE object = '10.00 EUR'", "fact product/MUG#price = 9.00 EUR"),
    ("UPDATE passage SET text = 'x'", "passage"),
]


@pytest.mark.parametrize(("statement", "difference"), DAMAGE)
async def test_every_row_that_differs_is_named(kept: memory.Memory, database_url: str, statement: str, difference: str) -> None:
    """What was changed, what is missing, what nobody ever said."""
    await fill(kept)
    await run(database_url, statement)
    report = await rebuild_check(database_url)
    assert any(found.startswith(difference) for found in report.differences)


@pytest.mark.parametrize(
    "statement", [statement for statement, _ in DAMAGE] + ["DELETE FROM state; DELETE FROM sales; DELETE FROM fact"]
)
async def test_what_differs_is_put_right_and_the_log_goes_on(kept: memory.Memory, database_url: str, statement: str) -> None:
    """Row by row as the log says; the report says what differed."""
    await fill(kept)
    await run(database_url, statement)
    report = await rebuild(database_url)
    assert (report.applied, report.ok, len(report.differences) > 0) == (True, True, True)
    assert (await rebuild_check(database_url)).differences == ()
    await kept.log.append([sale(2)])
    assert (await rebuild_check(database_url)).differences == ()


async def test_nothing_is_put_right_from_a_log_that_does_not_verify(kept: memory.Memory, database_url: str) -> None:
    """Nor from one that has lost the head that was anchored."""
    await fill(kept)
    await run(database_url, "UPDATE sales SET units = units + 1")
    anchor = (await kept.log.head()).model_copy(update={"hash": "a" * 64})
    with pytest.raises(ChainBroken, match="not part of this log"):
        await rebuild(database_url, anchor=anchor)
    await run(database_url, "ALTER TABLE event DISABLE TRIGGER USER; UPDATE event SET actor = 'mallory' WHERE seq = 2")
    with pytest.raises(ChainBroken, match="event 2"):
        await rebuild(database_url)
    assert [d.partition(":")[0] for d in (await rebuild_check(database_url)).differences] == ["sales MUG on 2026-03-01"]


async def test_appends_wait_while_the_state_is_rebuilt(kept: memory.Memory, database_url: str) -> None:
    """Whatever comes at the same time is neither lost nor counted twice."""
    await fill(kept)
    await run(database_url, "DELETE FROM state WHERE kind = 'stock'; UPDATE sales SET units = 99")
    await asyncio.gather(rebuild(database_url), *(kept.log.append([sale(n)]) for n in range(10, 15)), return_exceptions=True)
    await rebuild(database_url)
    assert (await rebuild_check(database_url)).differences == ()


async def test_the_check_leaves_nothing_behind(kept: memory.Memory, database_url: str) -> None:
    """Appending and checking go on as before."""
    await fill(kept)
    first = await rebuild_check(database_url)
    await kept.log.append([sale(2)])
    second = await rebuild_check(database_url)
    assert (first.ok, second.ok, second.events) == (True, True, first.events + 1)
    assert second.rows == {"state": 3, "sales": 1, "fact": 6, "passage": 1}


async def test_an_event_that_recorded_another_outcome_than_it_folds_into_is_named(kept: memory.Memory, database_url: str) -> None:
    """As a change of a fold without a new event version would leave it."""
    await fill(kept)
    await run(database_url, "ALTER TABLE event DISABLE TRIGGER USER")
    await run(database_url, "UPDATE event SET post = jsonb_set(post, '{statements}', '7') WHERE type = 'fact.stated'")
    report = await rebuild_check(database_url)
    assert "event 3 (fact.stated) folds into something else than it recorded" in report.differences


def possible_after(earlier: list[Event], story: list[EventData]) -> list[EventData]:
    """The story as it can happen after the events before it."""
    before = [load_event(event.type, event.data) for event in earlier]
    return possible([*before, *story])[len(before) :]
