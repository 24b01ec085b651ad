"""The first page: what needs the operator, what is wrong, how it goes."""

from datetime import timedelta
from decimal import Decimal

from console.dashboard import open_alerts
from console.house import House
from console.tiles import open_by_day, tiles
from domain.event import new_event
from domain.runs import Alert, AlertLevel, AlertRaised
from memory.figures import Days, Figure
from tests.console.browser import Browser
from tests.console.furnish import HOSTILE


async def raised(house: House, key: str, text: str) -> None:
    alert = Alert(key=key, level=AlertLevel.URGENT, text=text, what_to_do="look", at=house.clock())
    await house.memory.log.append([new_event(AlertRaised(alert=alert), at=alert.at, key=(key,))])


async def test_it_shows_the_three_things_that_are_worth_most(furnished: House, browser: Browser) -> None:
    """Each with its money, its age, what silence means and a link; the rest is counted."""
    page = await browser.page("/")
    needs = page[page.index('id="needs"') : page.index('id="figures"')]
    assert needs.count("data-row") == 3
    for shown in ("320.00 EUR", 'href="/inbox/0003-question"', "waits for 4 h", "then reject", "3 more questions wait"):
        assert shown in needs


async def test_what_strangers_wrote_is_text(house: House, browser: Browser) -> None:
    """In an alert, too."""
    await raised(house, "run/x", HOSTILE)
    page = await browser.page("/")
    assert HOSTILE not in page
    assert "&lt;script&gt;alert(1)" in page


async def test_an_alert_is_gone_when_it_is_dealt_with(house: House, browser: Browser) -> None:
    """Recorded as the operator's; saying it twice is no error, and what does not exist is refused."""
    await raised(house, "log-broken", "the log does not verify")
    for _ in range(2):
        assert (await browser.post("/alerts/close", {"key": "log-broken"})).status_code == 303
    assert await open_alerts(house.memory) == []
    closed = await house.memory.log.read(stream="alert/log-broken")
    assert [(event.type, event.actor) for event in closed][1:] == [("alert.closed", "operator")]
    assert (await browser.post("/alerts/close", {"key": "nothing"})).status_code == 404


async def test_the_tiles_say_what_the_log_says(furnished: House) -> None:
    """Six tickets are open since today, and six runs answered within a few minutes on six days."""
    found = {t.name: t for t in await tiles(furnished.memory.figures, now=furnished.clock(), zone="UTC", currency="EUR")}
    assert (found["Tickets open"].value, found["Tickets open"].note) == ("6", "0 two weeks ago")
    assert found["First response, median"].note == "4 min on an average day; counted from when a message came in"
    assert (found["Corrected by you"].value, found["Corrected by you"].note) == ("15 %", "2 of 13 changed or rejected in 14 days")


async def test_open_tickets_are_counted_back_from_now(house: House) -> None:
    """What came since was not there, what went was."""
    days = Days.until(house.clock(), zone="UTC", count=3)
    first, second, third = days.each
    series = {Figure.OPENED: {first: Decimal(9), third: Decimal(4)}, Figure.CLOSED: {second: Decimal(1), third: Decimal(2)}}
    assert open_by_day(series, days, now_open=5) == [4.0, 3.0, 5.0]
    assert days.last - days.first == timedelta(days=2)
