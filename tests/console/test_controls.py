"""Controls and access: what a switch records, and what wants the password once more."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from console.house import House
from domain.access import Scope
from domain.decisions import Mode
from domain.effects import BreakerState, EffectStatus
from domain.runs import Controls
from tests.console.browser import Browser
from tests.console.door import PASSWORD
from tests.console.effects import begin, reply
from workflows.schedules import ensure_schedules
from workflows.timetable import schedules


@pytest.fixture
async def idle(house: House, browser: Browser) -> Browser:
    """The password was given long ago."""
    await browser.forget_the_password(house)
    return browser


async def _controls(house: House) -> Controls:
    return await house.memory.state.get(Controls, "self") or Controls()


async def test_stopping_takes_one_click_and_starting_again_the_password(house: House, idle: Browser) -> None:
    """The banner is on every page while it is on."""
    await idle.post("/controls/kill", {"on": "yes", "reason": "odd <b>refunds</b>"})
    assert (await _controls(house)).kill_switch
    assert "odd &lt;b&gt;refunds" in await idle.page("/")
    assert (await idle.post("/controls/kill", {"on": "no"})).status_code == 403
    await idle.post("/controls/kill", {"on": "no", "password": PASSWORD})
    assert not (await _controls(house)).kill_switch


async def test_auto_wants_the_password_and_the_careful_modes_do_not(house: House, idle: Browser) -> None:
    """For a workflow and for one of its actions."""
    await idle.post("/controls/mode", {"scope": "support", "mode": "suggest"})
    assert (await idle.post("/controls/mode", {"scope": "support/send-reply", "mode": "auto"})).status_code == 403
    await idle.post("/controls/mode", {"scope": "support/send-reply", "mode": "auto", "password": PASSWORD})
    assert (await _controls(house)).modes == {"support": Mode.SUGGEST, "support/send-reply": Mode.AUTO}
    assert "support/send-reply" in await idle.page("/controls")


async def test_a_refused_form_comes_back_with_what_was_typed(idle: Browser) -> None:
    """With the line beside it, and never the password."""
    wish = {"scope": "content", "for": "4h", "reason": "a rush", "password": "wrong"}
    answer = await idle.post("/controls/bypass", wish)
    form = answer.text.partition('<h2 id="bypasses">')[2].partition("</section>")[0]
    assert (answer.status_code, "this is not the password" in form, "wrong" in answer.text) == (403, True, False)
    for kept in ("<option selected>content<", "<option selected>4h<", 'value="a rush"'):
        assert kept in form


async def test_a_bypass_ends_by_itself_or_before(house: House, idle: Browser) -> None:
    """With its reason, and never without the password."""
    wish = {"scope": "support", "for": "2h", "reason": "a rush"}
    assert (await idle.post("/controls/bypass", wish)).status_code == 403
    await idle.post("/controls/bypass", {**wish, "password": PASSWORD})
    (opened,) = (await _controls(house)).bypasses
    assert (opened.reason, opened.until - opened.opened_at) == ("a rush", timedelta(hours=2))
    assert "is not asked until" in await idle.page("/controls")
    await idle.post("/controls/bypass/close", {"scope": "support"})
    assert (await _controls(house)).bypasses == ()


REFUSED: list[tuple[str, dict[str, str], int]] = [
    ("/controls/mode", {"scope": "everything", "mode": "auto"}, 422),
    ("/controls/mode", {"scope": "support", "mode": "yolo"}, 422),
    ("/controls/mode", {"scope": "propose", "mode": "auto", "password": PASSWORD}, 422),
    ("/controls/bypass", {"scope": "propose/send-reply", "for": "2h", "reason": "x", "password": PASSWORD}, 422),
    ("/controls/bypass", {"scope": "support", "for": "25h", "reason": "x"}, 422),
    ("/controls/bypass", {"scope": "support", "for": "2h", "reason": " "}, 422),
    ("/controls/bypass", {"scope": "support", "for": "soon", "reason": "x"}, 422),
    ("/controls/breaker", {"connector": "no", "action": "such"}, 404),
    ("/controls/schedule", {"schedule": "no-such", "change": "pause"}, 404),
    ("/controls/schedule", {"schedule": "x", "change": "destroy"}, 422),
    ("/controls/access/tokens", {"name": "x", "days": "90"}, 422),
    ("/controls/access/tokens", {"name": "x", "days": "90", "scope": "rule"}, 422),
    ("/controls/access/tokens", {"name": "x", "days": "1", "scope": "read"}, 422),
    ("/controls/access/tokens/revoke", {"name": "nobody"}, 404),
    ("/controls/access/password", {"old": PASSWORD, "new": "one of two words", "again": "another"}, 422),
]
"""(path, fields, status) of what is no switch."""


async def test_what_is_no_switch_is_refused(house: House, browser: Browser) -> None:
    """In words, and nothing is recorded."""
    head = await house.memory.log.head()
    for path, fields, status in REFUSED:
        assert ((await browser.post(path, fields)).status_code, path) == (status, path)
    assert await house.memory.log.head() == head


async def test_a_breaker_is_reset(house: House, browser: Browser) -> None:
    """The failures that opened it are shown, and recorded with the reset."""
    effect = await begin(house.memory, reply(), at=house.clock())
    await house.memory.ledger.settle(effect, EffectStatus.FAILED, error="away", now=house.clock())
    assert "local-shop" in await browser.page("/controls")
    await browser.post("/controls/breaker", {"connector": "local-shop", "action": "send-reply"})
    assert (await house.memory.guards.breaker("local-shop", "send-reply")).state is BreakerState.CLOSED
    (told,) = await house.memory.log.last(limit=1)
    assert (told.type, told.data["failures"], told.actor) == ("controls.breaker-reset", 1, "operator")


@pytest.fixture
async def timed(house: House) -> AsyncIterator[House]:
    """With the daily schedules, which are gone afterwards."""
    created = await ensure_schedules(house.client, timezone="Europe/Berlin")
    yield house
    for schedule_id in created:
        await house.client.get_schedule_handle(schedule_id).delete()


async def test_a_schedule_rests_and_runs_again(timed: House, browser: Browser) -> None:
    """And says so."""
    for word, paused in (("pause", True), ("resume", False)):
        await browser.post("/controls/schedule", {"schedule": "digest-daily", "change": word})
        found = {one.schedule_id: one.paused for one in await schedules(timed.client)}
        assert found["digest-daily"] is paused


async def test_a_token_is_shown_once(house: House, browser: Browser) -> None:
    """Only its hash is kept; revoking it ends it at once."""
    answer = await browser.post("/controls/access/tokens", {"name": "reader", "scope": ["read", "propose"], "days": "30"})
    secret = answer.text.split('class="secret">')[1].split("<")[0]
    token = await house.doorkeeper.token_of(secret)
    assert token is not None
    assert token.scopes == (Scope.READ, Scope.PROPOSE)
    assert secret not in await browser.page("/controls/access")
    await browser.post("/controls/access/tokens/revoke", {"name": "reader"})
    assert await house.doorkeeper.token_of(secret) is None


async def test_a_new_password_closes_the_other_sessions(house: House, browser: Browser) -> None:
    """This one goes on."""
    other = await house.doorkeeper.log_in(password=PASSWORD, client="127.0.0.1")
    fields = {"old": PASSWORD, "new": "four words of mine", "again": "four words of mine"}
    assert (await browser.post("/controls/access/password", fields)).status_code == 303
    assert await house.doorkeeper.session_of(other.cookie) is None
    assert "every other session is closed" in await browser.page("/controls/access")
