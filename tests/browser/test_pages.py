"""Every page: nothing a screen reader stumbles over, light and dark, nothing wider than a small phone; and a picture of each."""

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Response, expect

from tests.browser.conftest import Shop

PAGES = ("/", "/inbox", "/runs", "/business", "/timeline", "/learning", "/controls", "/connectors", "/audit", "/memory")
SEVERE = {"serious", "critical"}


def detail_pages(shop: Shop) -> list[str]:
    """One of each kind of thing that has a page of its own."""
    approval = shop.waiting()[0]
    return [f"/inbox/{approval['approval_id']}", f"/runs/{approval['proposal']['run_id']}"]


def picture(page: Page, path: str, how: str, screens: Path) -> None:
    name = re.sub(r"[^a-z0-9]+", "-", "-".join(path.split("/")[:2])).strip("-") or "today"
    page.screenshot(path=screens / f"{name}{'-detail' if path.count('/') > 1 else ''}-{how}.png", full_page=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_serious_fault_of_accessibility(
    chromium: Browser, entered: object, shop: Shop, screens: Path, scheme: str
) -> None:
    """By axe-core, on every page and on one of each kind of detail."""
    context = chromium.new_context(storage_state=entered, color_scheme=scheme, viewport={"width": 1280, "height": 900})  # type: ignore[arg-type]
    page = context.new_page()
    found: dict[str, list[str]] = {}
    for path in (*PAGES, *detail_pages(shop)):
        answer = page.goto(shop.url + path)
        assert answer is not None
        assert answer.status == 200, path
        results = Axe().run(page).response["violations"]
        found |= {f"{path}: {v['id']}": [n["html"][:200] for n in v["nodes"][:3]] for v in results if v["impact"] in SEVERE}
        picture(page, path, scheme, screens)
    context.close()
    assert found == {}


def test_every_page_fits_a_small_phone(chromium: Browser, entered: object, shop: Shop, screens: Path) -> None:
    """At 360 pixels nothing sticks out to the side, and the menu reaches every page."""
    context = chromium.new_context(storage_state=entered, viewport={"width": 360, "height": 740})  # type: ignore[arg-type]
    page, wide = context.new_page(), {}
    for path in (*PAGES, *detail_pages(shop)):
        page.goto(shop.url + path)
        if (width := page.evaluate("document.documentElement.scrollWidth")) > 360:
            wide[path] = width
        picture(page, path, "phone", screens)
    page.goto(shop.url)
    for link in page.get_by_role("navigation", name="Main").get_by_role("link").all():
        box = link.bounding_box()
        assert box is None or box["x"] + box["width"] <= 360
    page.get_by_role("navigation").get_by_role("link", name="Memory").click()
    expect(page).to_have_url(f"{shop.url}/memory")
    context.close()
    assert wide == {}


def test_all_scripts_together_are_small(page: Page, shop: Shop) -> None:
    """Under 60 KB, uncompressed."""
    scripts: list[Response] = []
    page.on("response", lambda answer: scripts.append(answer) if answer.request.resource_type == "script" else None)
    page.goto(f"{shop.url}/inbox")
    assert len(scripts) == 3
    assert sum(len(answer.body()) for answer in scripts) < 60_000
