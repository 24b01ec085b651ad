"""Passkeys in a real browser, with the authenticator that Chromium's developer tools put in it (WebAuthn 11, WebDriver)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, Response, expect

import stack
from tests.browser.conftest import PASSWORD, Shop
from tests.browser.test_pages import SEVERE
from tests.cli.files import mail

OLDER = """
delete PublicKeyCredential.parseCreationOptionsFromJSON;
delete PublicKeyCredential.parseRequestOptionsFromJSON;
delete PublicKeyCredential.prototype.toJSON;
"""
"""A browser from before these could read and write JSON by themselves."""


def order(number: str) -> str:
    """A bowl that was delivered, as a file of orders."""
    placed, shipped, delivered = ((datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="seconds") for days in (9, 7, 4))
    where = "1 High St,Leeds,LS1,GB"
    return (
        "order_id,email,name,placed_at,sku,title,units,unit_price,line1,city,postcode,country,status,shipped_at,delivered_at\n"
        f"{number},fay@example.org,Fay,{placed},BOWL-01,Stoneware bowl,1,24.50,{where},delivered,{shipped},{delivered}\n"
    )


class Keys:
    """An authenticator of the device itself, which has just recognised its owner."""

    def __init__(self, tools: CDPSession) -> None:
        self._tools = tools
        tools.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        self._id = tools.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]

    def recognise(self, *, known: bool) -> None:
        self._tools.send("WebAuthn.setUserVerified", {"authenticatorId": self._id, "isUserVerified": known})


@pytest.fixture
def url(shop: Shop) -> str:
    """By name: an address of numbers can have no passkeys."""
    return shop.url.replace("127.0.0.1", "localhost")


@pytest.fixture
def known(entered: Any) -> list[Any]:
    """The cookies of the session that all tests share, for this name: removing a passkey closes every session but the own."""
    return [{**cookie, "domain": "localhost"} for cookie in entered["cookies"]]


@pytest.fixture
def context(chromium: Browser, known: list[Any]) -> Iterator[BrowserContext]:
    """Logged in, under the name."""
    opened = chromium.new_context(viewport={"width": 1280, "height": 900})
    opened.add_cookies(known)
    yield opened
    opened.close()


@pytest.fixture
def keys(context: BrowserContext, page: Page) -> Keys:
    return Keys(context.new_cdp_session(page))


def log_in(page: Page, url: str) -> None:
    page.goto(f"{url}/login")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Today")).to_be_visible()


def add(page: Page, url: str, name: str) -> None:
    page.goto(f"{url}/controls/access")
    page.get_by_role("textbox", name="Name").last.fill(name)
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_text(f"The passkey {name} opens localhost from now on")).to_be_visible()


def remove(page: Page, name: str) -> None:
    page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=name)).get_by_role("button", name="Remove").click()
    expect(page.get_by_text(f"The passkey {name} opens nothing any more")).to_be_visible()


@pytest.fixture
def added(page: Page, url: str, keys: Keys, known: list[Any]) -> Iterator[Keys]:
    """A passkey *laptop*, which is removed again."""
    add(page, url, "laptop")
    yield keys
    page.context.add_cookies(known)
    page.goto(f"{url}/controls/access")
    remove(page, "laptop")


def forget_the_password(shop: Shop) -> None:
    """As if the newest session had given it long ago."""
    running = stack.endpoints(shop.steward.settings)
    assert running is not None
    with psycopg.connect(running.database_url) as connection:
        connection.execute(
            "UPDATE access_session SET proven_at = proven_at - interval '1 day'"
            " WHERE opened_at = (SELECT max(opened_at) FROM access_session)"
        )


@pytest.mark.parametrize("older", [False, True], ids=["today", "older"])
def test_a_passkey_comes_in_in_place_of_the_password(page: Page, url: str, keys: Keys, known: list[Any], older: bool) -> None:
    """Added, used to log in, removed; then it is offered no more. Also by a browser that knows less."""
    if older:
        page.add_init_script(OLDER)
    add(page, url, "phone")
    page.context.clear_cookies()
    page.goto(f"{url}/inbox")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(f"{url}/inbox")
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("button", name="Use a passkey")).to_be_visible()
    page.context.add_cookies(known)
    page.goto(f"{url}/controls/access")
    remove(page, "phone")
    page.context.clear_cookies()
    page.goto(f"{url}/login")
    expect(page.get_by_label("Password")).to_be_visible()
    expect(page.get_by_role("button", name="Use a passkey")).to_have_count(0)


def test_who_is_not_recognised_does_not_come_in(page: Page, url: str, added: Keys) -> None:
    """The page says so and keeps the password's form."""
    added.recognise(known=False)
    page.context.clear_cookies()
    page.goto(f"{url}/login")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("No passkey was used")
    expect(page.get_by_label("Password")).to_be_visible()


def test_a_device_is_added_once(page: Page, url: str, added: Keys) -> None:
    """A second one for the same name would be of no use."""
    page.goto(f"{url}/controls/access")
    page.get_by_role("textbox", name="Name").last.fill("the same once more")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("has a passkey for this console already")


def test_the_kill_switch_is_switched_off_with_a_passkey(page: Page, shop: Shop, url: str, added: Keys) -> None:
    """Where the password was given long ago; what was typed on the page stays."""
    shop.say("kill")
    page.context.clear_cookies()
    log_in(page, url)
    forget_the_password(shop)
    page.goto(f"{url}/controls")
    page.locator("form[action='/controls/bypass']").get_by_label("Why").fill("a rush")
    switch = page.locator("form[action='/controls/kill']")
    expect(switch.get_by_label("Your password, once more")).to_be_visible()
    switch.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_text("It is you")).to_be_focused()
    expect(page.get_by_label("Your password, once more")).to_have_count(0)
    expect(page.locator("form[action='/controls/bypass']").get_by_label("Why")).to_have_value("a rush")
    switch.get_by_role("button").click()
    expect(page.get_by_text("The kill switch is on")).to_have_count(0)
    assert shop.say("status")["kill_switch"] is False


def test_a_question_about_money_is_answered_with_a_passkey(page: Page, shop: Shop, url: str, added: Keys) -> None:
    """The key that led to the password's field leads to the button then."""
    folder = shop.steward.home.parent
    (folder / "broken.csv").write_text(order("1101"))
    (folder / "broken.mbox").write_text(
        mail("broken", "fay@example.org", "Broken bowl", "The bowl of order 1101 arrived broken. Please refund it.")
    )
    shop.say("import", "orders", str(folder / "broken.csv"))
    shop.say("import", "tickets", str(folder / "broken.mbox"))
    asked = shop.question("refund-order", "1101")
    page.context.clear_cookies()
    log_in(page, url)
    forget_the_password(shop)
    page.goto(f"{url}/inbox/{asked['approval_id']}")
    page.get_by_role("button", name="Use a passkey").first.click()
    expect(page.get_by_text("It is you")).to_be_focused()
    page.keyboard.press("a")
    expect(page.get_by_role("button", name="Take it back").first).to_be_visible()
    page.get_by_role("button", name="Take it back").first.click()
    expect(page.get_by_text("taken back").first).to_be_visible()


def test_without_scripts_the_password_does_everything(chromium: Browser, url: str, added: Keys) -> None:
    """Nothing is offered that would not work."""
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    log_in(page, url)
    page.goto(f"{url}/controls/access")
    expect(page.get_by_text("needs JavaScript")).to_be_visible()
    expect(page.get_by_role("button", name="Add a passkey")).to_be_hidden()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("button", name="Use a passkey")).to_be_hidden()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark", "phone"])
def test_its_pages_are_for_everybody(page: Page, shop: Shop, url: str, added: Keys, screens: Path, scheme: str) -> None:
    """Where the password was given long ago: no serious fault by axe-core, nothing wider than a small phone; and a picture."""
    page.context.clear_cookies()
    log_in(page, url)
    forget_the_password(shop)
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    width = 360 if scheme == "phone" else 1280
    page.set_viewport_size({"width": width, "height": 740})
    found: dict[str, list[Any]] = {}
    for path in ("/controls", "/controls/access", "/login"):
        page.goto(url + path)
        expect(page.get_by_role("button", name="Use a passkey").first).to_be_visible()
        found |= {f"{path}: {v['id']}": v["nodes"] for v in Axe().run(page).response["violations"] if v["impact"] in SEVERE}
        found |= {f"{path}: too wide": []} if page.evaluate("document.documentElement.scrollWidth") > width else {}
        page.screenshot(path=screens / f"{path.strip('/').replace('/', '-')}-passkey-{scheme}.png", full_page=True)
    assert found == {}


def test_an_address_of_numbers_says_where_there_are_passkeys(chromium: Browser, entered: object, shop: Shop, url: str) -> None:
    """And leads there."""
    context = chromium.new_context(storage_state=entered)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{shop.url}/controls/access")
    expect(page.get_by_role("link", name=url)).to_have_attribute("href", f"{url}/controls/access")
    context.close()


def test_scripts_stay_small_with_this_one(page: Page, url: str) -> None:
    """Under 60 KB, uncompressed, on the page that loads them all."""
    scripts: list[Response] = []
    page.on("response", lambda answer: scripts.append(answer) if answer.request.resource_type == "script" else None)
    page.goto(f"{url}/controls/access")
    assert len(scripts) == 4
    assert sum(len(answer.body()) for answer in scripts) < 60_000
