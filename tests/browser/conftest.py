"""A real browser before a small shop on the whole stack: servers, worker and console, as ``./steward up`` starts them."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect, sync_playwright

import stack
from memory.setup_code import setup_code
from settings import CHECKOUT
from tests.browser.chromium import ARGUMENTS, program
from tests.cli.files import write_shop
from tests.cli.steward import Steward
from tests.waiting import until

PASSWORD = "a long sentence of my own"
SCREENS = CHECKOUT / ".steward" / "screens"
"""Every page, as it is now."""
expect.set_options(timeout=20_000)


@dataclass(frozen=True)
class Shop:
    """``url`` is the console's; ``steward`` is the command on the same stack."""

    steward: Steward
    url: str

    def say(self, *words: str) -> Any:
        """What the command answers, in a thread of its own: Playwright's loop runs in this one."""
        with ThreadPoolExecutor(1) as apart:
            said = apart.submit(self.steward, *words, "--json").result()
        assert said.code == 0, said.err
        return said.json

    def waiting(self) -> list[dict[str, Any]]:
        return list(self.say("inbox", "--all")["approvals"])

    def question(self, kind: str, contains: str = "") -> dict[str, Any]:
        """The first question of a kind of action whose text contains the words, once it is asked."""

        def found() -> dict[str, Any] | None:
            asked = (a for a in self.waiting() if a["proposal"]["action"]["kind"] == kind)
            return next((a for a in asked if contains in str(a["proposal"])), None)

        return until(found)


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Every mail is understood and asked about; there is no password yet."""
    steward = Steward(tmp_path_factory.mktemp("browser") / "home")
    files = write_shop(tmp_path_factory.mktemp("files"))
    endpoints = stack.start(steward.settings, console=True)
    assert endpoints.console_url
    shop = Shop(steward, endpoints.console_url)
    try:
        for kind in ("catalog", "sales", "orders", "customers"):
            shop.say("import", kind, str(files / f"{kind}.csv"))
        described = ("name=Mud", "email=shop@mud.example", "site_url=https://mud.example", "signature=Mia")
        shop.say("shop", *(word for pair in described for word in ("--set", pair)))
        shop.say("import", "tickets", str(files / "inbox.mbox"))
        until(lambda: len(shop.waiting()) >= 5)
        yield shop
    finally:
        stack.stop(steward.settings)


@contextmanager
def _launched() -> Iterator[Browser]:
    """Where there is none the tests are left out, with a line at the end; in CI they fail."""
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=program(), args=list(ARGUMENTS))
        except Error as error:
            if os.environ.get("CI"):
                raise
            pytest.skip(f"there is no browser: `python -m tests.browser.install` ({str(error).splitlines()[0]})")
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def entered(shop: Shop) -> Any:
    """The first start, as the operator lives it: the code, the password, the first page. Its cookies serve every test."""
    with _launched() as browser:
        page = browser.new_page()
        page.goto(shop.url)
        expect(page).to_have_url(f"{shop.url}/setup")
        page.get_by_label("Code").fill(setup_code(shop.steward.home))
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_label("Once more").fill(PASSWORD)
        page.get_by_role("button", name="Open the console").click()
        expect(page.get_by_role("heading", name="Today")).to_be_visible()
        return page.context.storage_state()


@pytest.fixture(scope="module")
def chromium(entered: Any) -> Iterator[Browser]:
    """It ends with the file: while it runs, its own event loop does, and no other test of this process could have one."""
    with _launched() as browser:
        yield browser


@pytest.fixture
def context(chromium: Browser, entered: Any) -> Iterator[BrowserContext]:
    """Logged in, 1280 wide. What the browser complains of fails the test."""
    opened = chromium.new_context(storage_state=entered, viewport={"width": 1280, "height": 900})
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    complaints: list[str] = []
    opened = context.new_page()
    opened.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    assert [c for c in complaints if "status of 4" not in c] == []  # a refusal is an answer


@pytest.fixture(scope="session")
def screens() -> Path:
    SCREENS.mkdir(parents=True, exist_ok=True)
    return SCREENS
