"""What happens, as it is told to an open page: nothing after the session, and everything to who knows too much."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from console.house import House
from console.live import Feed, beginning, stream
from domain.event import new_event
from domain.runs import KillSwitchSet
from tests.console.browser import Browser


@pytest.fixture
async def feed(house: House) -> AsyncIterator[Feed]:
    made = Feed(house.memory)
    await made.start()
    yield made
    await made.stop()


async def yes() -> bool:
    return True


async def test_a_stream_ends_with_its_session(feed: Feed, house: House, browser: Browser) -> None:
    """What happens afterwards is not told any more."""
    cookie = browser.client.cookies["steward"]

    async def open_still() -> bool:
        return await house.doorkeeper.session_of(cookie, used=False) is not None

    said = stream(feed, house.memory, (await house.memory.log.head()).seq, open_still)
    assert (await anext(said)).startswith("retry")
    happened = KillSwitchSet(on=True, by="operator")
    for n, told in enumerate((True, False)):
        await house.memory.log.append([new_event(happened, at=house.clock(), key=(str(n),))])
        assert await _tells(said, "steward:controls") is told
        await browser.post("/logout")


async def test_what_happens_before_the_stream_begins_is_told(feed: Feed, house: House, browser: Browser) -> None:
    """A page is made, something happens, and only then its stream begins."""
    made = re.search(r'hx-sse:connect="/live\?after=(\d+)"', await browser.page("/inbox"))
    assert made is not None
    await house.memory.log.append([new_event(KillSwitchSet(on=True, by="operator"), at=house.clock(), key=("early",))])
    assert await _tells(stream(feed, house.memory, beginning("", made[1], 10**9), yes), "steward:controls")


@pytest.mark.parametrize(
    ("last", "after", "begins"), [("7", "5", 7), ("", "5", 5), ("", "", 9), ("x", "-1", 9), ("9" * 20, "5", 5), ("²", "", 9)]
)
def test_a_stream_begins_with_what_was_seen_last(last: str, after: str, begins: int) -> None:
    """What is no place in the log says nothing."""
    assert beginning(last, after, 9) == begins


async def _tells(said: AsyncIterator[str], name: str) -> bool:
    """Whether an event of that name comes before the stream ends; what else is told meanwhile does not matter."""
    async with asyncio.timeout(30):
        async for line in said:
            if line.startswith(f"event: {name}"):
                return True
    return False


async def test_who_knows_more_than_there_is_loads_everything(feed: Feed, house: House) -> None:
    """The log is shorter than it was: it was put back from a backup. Then the stream goes on from its end."""
    said = stream(feed, house.memory, 10**9, yes)
    assert "id: 1000000000" in await anext(said)
    assert (await asyncio.wait_for(anext(said), 5)).startswith(f"event: steward:everything\nid: {feed.seen}\n")


async def test_a_page_that_loads_itself_anew_is_no_use_of_the_session(browser: Browser, house: House) -> None:
    """One that somebody opens is."""
    cookie = browser.client.cookies["steward"]
    session = await house.doorkeeper.session_of(cookie)
    assert session is not None
    old = session.seen_at - timedelta(hours=1)
    await house.memory.sessions.change(session.session_id, lambda s: s.model_copy(update={"seen_at": old}))
    await browser.get("/inbox", **{"hx-request": "true"})
    kept = await house.memory.sessions.get(session.session_id)
    await browser.get("/inbox")
    seen = await house.memory.sessions.get(session.session_id)
    assert kept is not None
    assert seen is not None
    assert (kept.seen_at, seen.seen_at > old) == (old, True)
