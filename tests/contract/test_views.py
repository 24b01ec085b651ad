"""One contract for what people look at: the fakes and Postgres go through the same tests."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

import memory
from domain.decisions import Mode
from domain.effects import EffectStatus
from domain.event import Event, EventData, new_event
from domain.runs import KillSwitchSet, ModeSet, Run, RunFinished, RunStarted
from memory.views import EventFilter
from models.embedding import HashingEmbedder
from tests.console.effects import begin, past_effects, reply

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


@pytest.fixture(params=["in-memory", "postgres"])
def urls(request: pytest.FixtureRequest) -> dict[str, str] | None:
    """The addresses of the servers, started only for the tests that use them."""
    if request.param == "in-memory":
        return None
    return {name: request.getfixturevalue(name) for name in ("database_url", "chroma_url")}


@pytest.fixture
async def kept(urls: dict[str, str] | None) -> AsyncIterator[memory.Memory]:
    """Memory of either kind, empty."""
    if urls is None:
        yield memory.in_memory(embedder=HashingEmbedder())
        return
    database_url, chroma_url = urls["database_url"], urls["chroma_url"]
    async with memory.open_memory(database_url=database_url, chroma_url=chroma_url, embedder=HashingEmbedder()) as opened:
        yield opened


async def _happened(kept: memory.Memory) -> list[Event]:
    """Two runs, one of which ended, and what the operator switched a day later."""
    later = NOW + timedelta(days=1)
    happened: list[tuple[EventData, str, datetime, str]] = [
        (RunStarted(run_id="a", workflow="support", at=NOW), "a", NOW, "steward"),
        (RunStarted(run_id="b", workflow="content", at=NOW), "b", NOW, "steward"),
        (RunFinished(run_id="a", at=NOW, result="answered"), "a", NOW, "steward"),
        (ModeSet(scope="support", mode=Mode.AUTO, by="operator"), "", later, "operator"),
        (KillSwitchSet(on=True, by="operator"), "", later, "operator"),
    ]
    return await kept.log.append(
        [new_event(d, at=at, key=(str(n),), correlation_id=run, actor=by) for n, (d, run, at, by) in enumerate(happened)]
    )


async def _seqs(kept: memory.Memory, wanted: EventFilter) -> list[int]:
    return [event.seq for event in await kept.views.events(wanted)]


async def test_events_are_found_newest_first_by_whatever_is_asked(kept: memory.Memory) -> None:
    """By kind, type or its beginning, one of several types, run, stream, actor, time and place in the log."""
    events = await _happened(kept)
    assert await _seqs(kept, EventFilter()) == [5, 4, 3, 2, 1]
    assert await _seqs(kept, EventFilter(kind="run")) == [3, 2, 1]
    assert await _seqs(kept, EventFilter(type="controls.")) == [5, 4]
    assert await _seqs(kept, EventFilter(types=("run.finished", "controls.mode-set"))) == [4, 3]
    assert await _seqs(kept, EventFilter(run="a", before=3)) == [1]
    assert await _seqs(kept, EventFilter(stream="run/b")) == [2]
    assert await _seqs(kept, EventFilter(actor="operator", until=NOW + timedelta(hours=1))) == []
    assert await _seqs(kept, EventFilter(since=NOW + timedelta(hours=1))) == [5, 4]
    assert await _seqs(kept, EventFilter(event_id=events[1].event_id)) == [2]


async def test_every_event_is_read_once(kept: memory.Memory) -> None:
    """With the same filter, newest first."""
    await _happened(kept)
    assert [event.seq async for event in kept.views.all_events(EventFilter(kind="run"))] == [3, 2, 1]


async def test_entities_are_counted_and_paged_by_their_last_change(kept: memory.Memory) -> None:
    """What changed last comes first; a field can be asked for."""
    await _happened(kept)
    assert [run.run_id for run in await kept.views.page(Run)] == ["a", "b"]
    assert [run.run_id for run in await kept.views.page(Run, limit=1, offset=1)] == ["b"]
    assert [run.run_id for run in await kept.views.page(Run, status="running")] == ["b"]
    assert (await kept.views.count(Run), await kept.views.count(Run, workflow="support")) == (2, 1)


async def test_the_last_success_and_the_last_failure_are_known(kept: memory.Memory) -> None:
    """By connector, in the order asked; nothing of one that was never used."""
    await past_effects(kept, now=NOW)
    again = reply().model_copy(update={"subject": "Once more"})
    await kept.ledger.settle(await begin(kept, again, at=NOW), EffectStatus.FAILED, error="no route", now=NOW)
    unused, shop = await kept.reach.reached(["telex", "local-shop"])
    assert (unused.done_at, unused.failed_at, unused.error) == (None, None, "")
    assert (shop.done_at, shop.failed_at, shop.error) == (NOW - timedelta(hours=23), NOW, "no route")
