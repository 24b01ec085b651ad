"""Connectors: whether each outside system answers, and how it did lately."""

from dataclasses import replace
from functools import partial

import httpx
import pytest

from console.__main__ import called, switchboard
from console.app import create_app
from console.house import House
from domain.actions import Action, Capability, Receipt
from domain.connections import Connection, ConnectionDescribed, ConnectionMode
from domain.decisions import Diff
from domain.errors import Retryable
from domain.event import new_event
from domain.model import Moment
from settings import Settings
from tests.console.browser import Browser
from tests.console.conftest import URL
from tests.console.door import PASSWORD


class Silent:
    """A system that is away."""

    name = "local-shop"
    capability = Capability.SHOP

    async def check(self) -> str:
        raise Retryable("the <b>shop</b> is away", hint="wait")

    async def preview(self, action: Action) -> Diff:
        raise NotImplementedError

    async def execute(self, action: Action, *, key: str, expected_version: str, now: Moment) -> Receipt:
        raise NotImplementedError

    async def find_receipt(self, action: Action, *, key: str) -> Receipt | None:
        raise NotImplementedError


async def test_every_system_is_listed_and_says_how_it_is(house: House, browser: Browser) -> None:
    """The list asks nobody, not by its script either; each one's own page does."""
    page = await browser.page("/connectors")
    assert 'hx-trigger="load"' not in page
    for capability in Capability:
        assert f'action="/connectors/{capability}"' in page
        assert "It answers:" in await browser.page(f"/connectors/{capability}")
    assert (await browser.get("/connectors/telex")).status_code == 404


async def test_a_system_that_is_away_is_shown_as_such(house: House) -> None:
    """What it said is text, and the page is there all the same."""
    app = create_app(replace(house, connectors={Capability.SHOP: Silent()}))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=URL) as client,
    ):
        browser = Browser(client)
        await browser.set_up()
        assert "It does not work:</span> the &lt;b&gt;shop&lt;/b&gt; is away (wait)" in await browser.page("/connectors/shop")


async def _mailbox(house: House, mode: ConnectionMode = ConnectionMode.DRY_RUN) -> None:
    connection = Connection(name="mailbox", kind="mailbox", serves=(Capability.HELPDESK,), mode=mode)
    described = ConnectionDescribed(connection=connection, by="operator")
    await house.memory.log.append([new_event(described, at=house.clock(), key=("1",))])
    await house.memory.cursors.failed("mailbox", "INBOX", "no <i>route</i>", at=house.clock())


async def test_connected_systems_are_listed_with_their_troubles(house: House, browser: Browser) -> None:
    """Mode, what goes through it, how far it was read, and what it says when it is called."""
    await _mailbox(house)
    page = await browser.page("/connectors")
    assert "helpdesk goes through it" in page
    assert "failed 1 time," in page
    assert "no &lt;i&gt;route&lt;/i&gt;" in page
    assert "mailbox is well" in await browser.page("/connectors/of/mailbox")
    assert (await browser.get("/connectors/of/telex")).status_code == 404


async def test_a_connection_is_switched(house: House, browser: Browser) -> None:
    """Off takes a click, live the password."""
    await _mailbox(house)
    await browser.forget_the_password(house)
    for mode, status in (("off", 303), ("live", 403), ("nonsense", 422)):
        assert (await browser.post("/connectors/of/mailbox/mode", {"mode": mode})).status_code == status
    await browser.post("/connectors/of/mailbox/mode", {"mode": "live", "password": PASSWORD})
    found = await house.memory.state.get(Connection, "mailbox")
    assert found is not None
    assert found.mode is ConnectionMode.LIVE


@pytest.mark.parametrize("mode", [ConnectionMode.OFF, ConnectionMode.REPLAY])
async def test_what_is_off_is_not_called(house: House, browser: Browser, mode: ConnectionMode) -> None:
    """Nor what answers from what was recorded."""
    await _mailbox(house, mode)
    answer = await browser.get("/connectors/of/mailbox")
    assert (answer.status_code, f"mailbox is {mode}" in answer.text, "is well" in answer.text) == (409, True, False)


WITH_PASSWORD = {"STEWARD_SECRET_MAILBOX_PASSWORD": "x"}


@pytest.mark.parametrize(("secrets", "lacking"), [({}, "password"), (WITH_PASSWORD, "needs imap_host")])
async def test_what_is_not_wholly_described_says_what_it_lacks(house: House, secrets: dict[str, str], lacking: str) -> None:
    """On its page, as everything that does not work."""
    await _mailbox(house)
    settings = Settings.load({"STEWARD_HOME": str(house.home), **secrets})
    board = switchboard(settings, house.memory)
    app = create_app(replace(house, call=partial(called, board)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=URL) as client:
        browser = Browser(client)
        await browser.set_up()
        page = await browser.page("/connectors/of/mailbox")
    assert "It does not work" in page
    assert lacking in page
    await board.close()
