"""An effect that nobody could find out about: a run waits for the operator's word, and the console takes it there."""

from dataclasses import replace

import pytest

from activities.steps import SettleInput
from console.dashboard import open_alerts
from console.house import House
from domain.access import Scope
from domain.actions import CancelOrder
from domain.errors import NotFound, StewardError
from domain.event import new_event
from domain.runs import Alert, AlertLevel, AlertRaised
from tests.console.browser import Browser
from tests.console.door import PASSWORD
from tests.console.effects import RUN, begin, reply
from tests.console.program import program
from workflows.gateway import Gateway


class Words(Gateway):
    """Takes words as a run would, and remembers them; ``gone`` is raised instead."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str, bool]] = []
        self.gone: StewardError | None = None

    async def settle(self, run_id: str, word: SettleInput) -> str:
        if self.gone:
            raise self.gone
        self.said.append((run_id, word.key, word.happened))
        return "noted"


@pytest.fixture
def words() -> Words:
    return Words()


@pytest.fixture
def house(furnished: House, words: Words) -> House:
    return replace(furnished, gateway=words)


async def raised(house: House, key: str) -> None:
    alert = Alert(key=key, level=AlertLevel.URGENT, text="nobody knows", run_id=RUN, at=house.clock())
    await house.memory.log.append([new_event(AlertRaised(alert=alert), at=alert.at, key=(key, "1"))])


async def still_open(house: House, key: str) -> bool:
    return key in {trouble.alert.key for trouble in await open_alerts(house.memory)}


async def test_the_first_page_takes_the_word_to_the_run(browser: Browser, house: House, words: Words) -> None:
    """In place of "Dealt with", which would leave the run waiting for ever."""
    key = await begin(house.memory, reply().model_copy(update={"subject": "Hi"}), at=house.clock())
    await raised(house, f"unknown/{key}")
    page = await browser.page("/")
    assert ("It happened" in page, "It did not" in page) == (True, True)
    assert (await browser.post("/alerts/close", {"key": f"unknown/{key}"})).status_code == 422
    assert (await browser.post("/alerts/settle", {"key": f"unknown/{key}", "happened": "yes"})).status_code == 303
    assert (words.said, await still_open(house, f"unknown/{key}")) == ([(RUN, key, True)], False)
    assert (await browser.post("/alerts/settle", {"key": f"unknown/{key}", "happened": "yes"})).status_code == 422


async def test_of_money_and_orders_the_word_wants_the_password(browser: Browser, house: House, words: Words) -> None:
    """To undo it once more would do something outside."""
    key = await begin(house.memory, CancelOrder(order_id="10003", reason="late"), at=house.clock())
    await raised(house, f"undo/{key}")
    await browser.forget_the_password(house)
    page = await browser.page("/")
    assert ("I undid it by hand" in page, "Try to undo it again" in page) == (True, True)
    fields = {"key": f"undo/{key}", "happened": "no"}
    assert (await browser.post("/alerts/settle", fields)).status_code == 403
    assert (await browser.post("/alerts/settle", {**fields, "password": PASSWORD})).status_code == 303
    assert words.said == [(RUN, key, False)]


async def test_where_no_run_waits_any_more_the_alert_is_closed_and_says_so(browser: Browser, house: House, words: Words) -> None:
    """Otherwise nothing would ever close it."""
    words.gone = NotFound("no run waits")
    await raised(house, "unknown/long-gone")
    assert (await browser.post("/alerts/settle", {"key": "unknown/long-gone", "happened": "no"})).status_code == 303
    assert "No run waits for this word any more" in await browser.page("/")
    assert not await still_open(house, "unknown/long-gone")


async def test_programs_say_it_in_the_name_of_the_operator(house: House, words: Words) -> None:
    """With a token that may decide; what nobody waits for is refused."""
    await raised(house, "unknown/k")
    async with program(house, Scope.DECIDE) as robot:
        answer = await robot.ask("POST", "/alerts/unknown/k/settle", {"happened": False})
        assert (answer.status_code, answer.json()["said"]) == (200, "It did not: nobody knows")
        assert (await robot.ask("POST", "/alerts/connector/shop/settle", {"happened": True})).status_code == 422
    assert (words.said, await still_open(house, "unknown/k")) == ([(RUN, "k", False)], False)
