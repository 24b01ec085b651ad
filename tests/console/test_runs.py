"""Runs: the list, one in full, starting one, stopping one, and undoing what one did."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from html import unescape
from urllib.parse import quote

import pytest
from temporalio.service import RPCError

from console.house import House
from domain.actions import Action, CancelOrder, RefundOrder
from domain.event import new_event
from domain.money import Money
from domain.runs import RunReverted, RunStarted
from domain.undoing import undoing
from tests.console.browser import Browser
from tests.console.effects import RUN, commit, past_effects, reply
from tests.console.furnish import HOSTILE

PAGE = f"/runs/{quote(RUN)}"
REFUND: Action = RefundOrder(order_id="10001", amount=Money.of("64.00"), reason="broken")


@pytest.fixture
async def ended(house: House) -> AsyncIterator[House]:
    """What a test starts is ended, so that the next one meets nothing of it."""
    yield house
    for run_id in (f"rollback/{RUN}", f"digest/{house.clock().date().isoformat()}"):
        try:
            await house.client.get_workflow_handle(run_id).terminate("the test is over")
        except RPCError:
            continue


async def _shown(house: House, browser: Browser) -> str:
    """The digest of the preview on the run's page."""
    assert 'name="shown"' in await browser.page(PAGE)
    return undoing(await house.memory.ledger.effects(run_id=RUN)).digest


async def test_runs_are_listed_and_filtered(furnished: House, browser: Browser) -> None:
    """By workflow and status, counted, each with the way into the Temporal Web UI."""
    everything, done = await browser.page("/runs"), await browser.page("/runs?workflow=support&status=done")
    assert "12 runs" in everything
    assert "6 runs that fit" in done
    assert "http://127.0.0.1:8233/namespaces/default/workflows/support%2Fmail%2Fpast-0%40example.org" in done
    assert "replenish/demo-3" not in done
    assert re.search(r">Question 5</a><br><small[^>]*>support/mail/question-5@example.org", everything)


async def test_a_run_tells_its_story(furnished: House, browser: Browser) -> None:
    """Events, questions and effects; hostile text stays text."""
    page = await browser.page(f"/runs/{quote('support/mail/question-2@example.org')}")
    assert HOSTILE not in page
    assert HOSTILE in unescape(page)
    assert 'href="/inbox/0002-question"' in page
    assert "understood as product-question" in page


async def test_undoing_is_shown_before_it_is_done(furnished: House, browser: Browser) -> None:
    """What will be undone and how; what stays and why."""
    page = await browser.page(PAGE)
    assert "Will be undone" in page
    assert "cancel order 10002" in page
    assert "irreversible: what is out is out" in page


async def test_undoing_starts_a_run_and_does_not_wait_for_it(ended: House, browser: Browser) -> None:
    """Nobody works here, and yet the answer comes: the run's page follows what happens."""
    await past_effects(ended.memory, now=ended.clock())
    answer = await browser.post(f"{PAGE}/revert", {"shown": await _shown(ended, browser)})
    assert (answer.status_code, answer.headers["location"]) == (303, PAGE)
    described = await ended.client.get_workflow_handle(f"rollback/{RUN}").describe()
    assert described.status is not None
    assert described.status.name == "RUNNING"


async def test_all_that_was_ever_done_under_a_name_can_be_undone(ended: House, browser: Browser) -> None:
    """What it did since it last began is offered for itself, and each is shown before."""
    memory, now = ended.memory, ended.clock()
    await past_effects(memory, now=now)
    begun = RunStarted(run_id=RUN, workflow="support", at=now - timedelta(minutes=1))
    await memory.log.append([new_event(begun, at=now, key=("again",))])
    page = await browser.page(PAGE)
    assert ('id="revert-all"' in page, 'id="revert"' in page, "reinstate" in page) == (True, False, True)
    await commit(memory, REFUND, at=now)
    assert (await browser.page(PAGE)).index('id="revert"') < (await browser.page(PAGE)).index('id="revert-all"')
    shown = undoing(await memory.ledger.effects(run_id=RUN)).digest
    assert (await browser.post(f"{PAGE}/revert", {"shown": shown})).status_code == 409
    answer = await browser.post(f"{PAGE}/revert", {"shown": shown, "everything": "yes"})
    assert answer.status_code == 303
    events = ended.client.get_workflow_handle(f"rollback/{RUN}").fetch_history_events()
    started = (await anext(events)).workflow_execution_started_event_attributes
    assert b'"everything":true' in started.input.payloads[0].data.replace(b" ", b"")


async def test_a_run_that_did_more_since_is_not_undone(ended: House, browser: Browser) -> None:
    """What was shown is not what would happen any more."""
    await past_effects(ended.memory, now=ended.clock())
    shown = await _shown(ended, browser)
    await commit(ended.memory, REFUND, at=ended.clock())
    answer = await browser.post(f"{PAGE}/revert", {"shown": shown})
    assert (answer.status_code, "did more since" in answer.text) == (409, True)


async def test_undoing_what_moves_money_asks_for_the_password(house: House, browser: Browser) -> None:
    """Once more, where it was not given lately; a page says so before."""
    await commit(house.memory, CancelOrder(order_id="10002", reason="asked"), at=house.clock())
    shown = await _shown(house, browser)
    await browser.forget_the_password(house)
    assert "Your password, once more" in await browser.page(PAGE)
    answer = await browser.post(f"{PAGE}/revert", {"shown": shown})
    assert (answer.status_code, "your password once more" in answer.text) == (403, True)


async def test_what_undoing_led_to_is_shown(house: House, browser: Browser) -> None:
    """From the log: what was undone, and what stays."""
    await past_effects(house.memory, now=house.clock())
    run = new_event(
        RunReverted(run_id=RUN, by="operator", compensated=("reinstated 10002",), impossible=(reply().summary(),)),
        at=house.clock(),
        key=("1",),
    )
    started = new_event(RunStarted(run_id=RUN, workflow="support", at=house.clock()), at=house.clock(), key=("1",))
    await house.memory.log.append([started, run])
    page = await browser.page(PAGE)
    assert "Undone by operator" in page
    assert "reinstated 10002" in page


async def test_a_run_is_started_once_a_day(ended: House, browser: Browser) -> None:
    """Twice asked is one run, whose page is shown though it has no record yet."""
    run_id = f"digest/{ended.clock().date().isoformat()}"
    for _ in range(2):
        answer = await browser.post("/runs/start", {"what": "digest"})
        assert (answer.status_code, answer.headers["location"]) == (303, f"/runs/{run_id}")
    assert "works" in await browser.page(f"/runs/{run_id}")


REFUSED: list[tuple[str, dict[str, str], int]] = [
    ("/runs/start", {"what": "everything"}, 422),
    ("/runs/start", {"what": "replenish", "supplier": "nobody"}, 404),
    ("/runs/no/such/run/revert", {"shown": "x"}, 404),
    ("/runs/no/such/run/cancel", {}, 404),
    ("/runs/%00/cancel", {}, 422),
]
"""(path, fields, status) of what makes no sense."""


async def test_what_makes_no_sense_is_refused(browser: Browser) -> None:
    """In words, and nothing starts."""
    for path, fields, status in REFUSED:
        assert ((await browser.post(path, fields)).status_code, path) == (status, path)


async def test_what_is_not_there_is_not_shown(browser: Browser) -> None:
    """A page says so."""
    for path, status in (("/runs/no/such/run", 404), ("/runs?page=0", 422), ("/runs?page=x", 422), ("/runs/", 422)):
        assert ((await browser.get(path)).status_code, path) == (status, path)
