"""The timeline: what is shown of events, how they are filtered and paged, and one event in full."""

from datetime import UTC, datetime
from html import unescape

import pytest

from console.house import House
from domain.decisions import Mode
from domain.event import new_event
from domain.runs import KillSwitchSet, ModeSet
from tests.console.browser import Browser
from tests.console.furnish import HOSTILE


async def _switched(house: House, *reasons: str) -> None:
    now = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)
    events = [new_event(KillSwitchSet(on=True, reason=r, by="operator"), at=now, key=(r,), actor="operator") for r in reasons]
    await house.memory.log.append(events)


async def test_events_are_shown_newest_first_and_as_text(furnished: House, browser: Browser) -> None:
    """With words, the entity and the run; hostile text stays text."""
    page = (await browser.page("/timeline?run=learn")).split('id="events"')[1]
    assert page.index("learning.reported") < page.index("experiment.started")
    hostile = await browser.page("/timeline?type=approval.requested")
    assert HOSTILE not in hostile
    assert HOSTILE in unescape(hostile)
    assert 'href="/runs/support/mail/question-0%40example.org"' in hostile


async def test_a_filter_leaves_the_rest_out(furnished: House, browser: Browser) -> None:
    """By kind, run and who did it; all at once where several are given."""
    page = await browser.page("/timeline?kind=controls")
    assert ("controls.mode-set" in page.split('id="events"')[1], "ticket/" in page.split('id="events"')[1]) == (True, False)
    nothing = await browser.page("/timeline?kind=controls&actor=nobody")
    assert "Nothing that fits" in nothing


async def test_a_day_is_a_day_of_the_shop(house: House, browser: Browser) -> None:
    """22:30 UTC on the first is the first in Berlin in winter; the day after has nothing."""
    await _switched(house, "smoke")
    assert "smoke" in await browser.page("/timeline?from=2026-03-01&to=2026-03-01&kind=controls")
    assert "Nothing that fits" in await browser.page("/timeline?from=2026-03-02&kind=controls")


async def test_older_events_follow_on_the_next_page(house: House, browser: Browser) -> None:
    """Each once, none left out."""
    await _switched(house, *(f"reason-{n:03d}" for n in range(60)))
    first = await browser.page("/timeline?kind=controls")
    older = unescape(first.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0])
    second = await browser.page(older)
    for n in range(60):
        reason = f"reason-{n:03d}"
        assert (reason in first.split('id="events"')[1]) != (reason in second.split('id="events"')[1])


async def test_an_event_says_what_it_changed(house: House, browser: Browser) -> None:
    """Before and after, with its hash and that of the event before it."""
    await _switched(house, "smoke", "fire")
    event = (await house.memory.log.last(stream="controls/self", limit=1))[0]
    page = await browser.page(f"/timeline/{event.seq}")
    assert "<del>smoke</del><ins>fire</ins>" in page
    assert event.hash in page
    assert event.prev_hash in page


async def test_an_event_that_is_not_there_is_not_found(browser: Browser) -> None:
    """As a page that says so."""
    for number in ("0", "999999", str(10**30)):
        assert (await browser.get(f"/timeline/{number}")).status_code == 404


async def test_a_filter_that_means_nothing_is_refused(browser: Browser) -> None:
    """In words."""
    for query in ("from=yesterday", "before=x", "from=9999-12-31&to=9999-12-31", f"run={'x' * 400}", "actor=%00"):
        assert ((await browser.get(f"/timeline?{query}")).status_code, query) == (422, query)


async def test_controls_are_told_in_words(house: House, browser: Browser) -> None:
    """What the operator switched reads as a sentence."""
    told = new_event(ModeSet(scope="support", mode=Mode.AUTO, by="operator"), at=house.clock(), key=("1",), actor="operator")
    await house.memory.log.append([told])
    assert "mode of support set to auto" in await browser.page("/timeline")


NONSENSE = ("timeline?kind=telex", "timeline?type=telex", "audit?kind=telex", "runs?workflow=telex", "runs?status=telex")


@pytest.mark.parametrize("query", NONSENSE)
async def test_a_filter_that_means_nothing_is_said_so(browser: Browser, query: str) -> None:
    """An empty list would look as if nothing had happened."""
    answer = await browser.get(f"/{query}")
    assert (answer.status_code, "one of" in answer.text or "begins" in answer.text) == (422, True)
