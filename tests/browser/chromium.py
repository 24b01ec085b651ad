"""The browser that is there: Debian's Chromium, best without a window, or the one that Playwright brought."""

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
SHELL = "chromium-headless-shell"
"""Chromium without a window: the whole one takes twice the time, and now and then stands still."""
NAMES = (SHELL, "chromium", "chromium-browser", "google-chrome")


def program() -> str | None:
    """A browser on PATH; None leaves it to Playwright, whose error says what to install."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


async def launch(playwright: Playwright) -> Browser:
    return await playwright.chromium.launch(executable_path=program(), args=list(ARGUMENTS))
