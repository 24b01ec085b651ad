"""Connectors: whether each outside system answers, and how it did lately."""

from dataclasses import replace

import httpx

from console.app import create_app
from console.house import House
from domain.actions import Action, Capability, Receipt
from domain.decisions import Diff
from domain.errors import Retryable
from domain.model import Moment
from tests.console.browser import Browser
from tests.console.conftest import URL


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
    """The list asks nobody; each one's own page does."""
    page = await browser.page("/connectors")
    for capability in Capability:
        assert f'hx-get="/connectors/{capability}"' in page
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
