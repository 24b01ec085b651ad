"""The browser that is there: Debian's Chromium, or the one that Playwright brought."""

import shutil

from playwright.async_api import Browser, Playwright

ARGUMENTS = (
    "--no-sandbox",  # as root there is none
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
NAMES = ("chromium", "chromium-browser", "google-chrome")


async def launch(playwright: Playwright) -> Browser:
    """Raises playwright's own Error, which says what to install, where there is none."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    return await playwright.chromium.launch(executable_path=found, args=list(ARGUMENTS))
