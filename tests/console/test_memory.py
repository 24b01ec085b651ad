"""Memory: search, facts in their two times, why one is believed, and notes."""

from datetime import UTC, datetime, timedelta
from html import unescape
from uuid import uuid4

from console.house import House
from domain.event import EventData, FactChange, new_event
from domain.events import FactStated
from tests.console.browser import Browser
from tests.console.furnish import HOSTILE

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


async def _stated(house: House, *values: str) -> None:
    """One value a day; each replaces the one before."""
    for n, value in enumerate(values):
        at = START + timedelta(days=n)
        fact = FactChange(subject="supplier/kiln", predicate="lead-time", object=value, valid_from=at, confidence=0.8)
        stated: EventData = FactStated(fact=fact, why=f"because of {value}")
        await house.memory.log.append([new_event(stated, at=at, key=(value,))])


async def test_what_was_noted_is_found(house: House, browser: Browser) -> None:
    """By its words; hostile text stays text, and what is looked for is in no address."""
    await browser.post("/memory/notes", {"text": f"Kiln closes in August {HOSTILE}", "about": "supplier/kiln"})
    page = (await browser.post("/memory/search", {"q": "closes august"})).text
    assert HOSTILE not in page
    assert f"Kiln closes in August {HOSTILE}" in unescape(page.split("<h2>Found</h2>")[1].split("<h2>Facts</h2>")[0])
    assert "/memory/facts?subject=supplier/kiln" in page


async def test_facts_are_shown_with_their_history(house: House, browser: Browser) -> None:
    """What is so now, and what was believed before it."""
    await _stated(house, "14 days", "21 days")
    now, history = (await browser.page("/memory/facts?subject=supplier/kiln")).split("<h2>Everything ever believed</h2>")
    assert ("21 days" in now, "14 days" in now, "14 days" in history) == (True, False, True)
    assert "80 %" in now


async def test_facts_are_shown_as_of_a_time_in_the_world(house: House, browser: Browser) -> None:
    """In the shop's own time where none is named."""
    await _stated(house, "14 days", "21 days")
    then = (await browser.page("/memory/facts?subject=supplier/kiln&world=2026-03-02T09:30")).split("<h2>Everything")[0]
    assert "14 days" in then
    before = (await browser.page("/memory/facts?subject=supplier/kiln&belief=2020-01-01T00:00")).split("<h2>Everything")[0]
    assert "nothing is known" in before


async def test_why_a_fact_is_believed(house: House, browser: Browser) -> None:
    """The event it comes from, the reason, and what had happened before."""
    await _stated(house, "14 days", "21 days")
    (fact,) = await house.memory.facts.current("supplier/kiln")
    page = await browser.page(f"/memory/why/{fact.source_event}?subject=supplier/kiln")
    assert "because of 21 days" in page
    assert "stated: supplier/kiln lead-time is 14 days" in page.split("Before it, of the same thing")[1]
    assert "80 %" in page


async def test_what_means_nothing_is_refused(house: House, browser: Browser) -> None:
    """In words, and nothing is recorded."""
    head = await house.memory.log.head()
    for path in ("/memory/facts", "/memory/facts?subject=x&world=noon", "/memory/facts?subject=%00", "/memory/why/x"):
        assert ((await browser.get(path)).status_code, path) == (422, path)
    assert (await browser.get(f"/memory/why/{uuid4()}")).status_code == 404
    for path, fields in (("/memory/search", {"q": " "}), ("/memory/search", {"q": "x", "about": "y"}), ("/memory/notes", {})):
        assert ((await browser.post(path, fields)).status_code, path) == (422, path)
    assert await house.memory.log.head() == head
