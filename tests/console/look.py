"""``python -m tests.console.look PATH...``: pictures of pages of the furnished house, wide, narrow and dark, to look at.

They are written to ``look-<folder of the checkout>`` among the temporary files. It starts a stack of its own, and stops it again.
"""

import asyncio
import sys
import tempfile
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from playwright.async_api import Browser, StorageState, async_playwright
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

import connectors
import memory
import stack
from agents.auditor import Auditor
from connectors.fakes import InMemorySources
from console.app import create_app
from console.house import House, hosts_of
from memory.migrations import migrate
from models.embedding import HashingEmbedder
from settings import CHECKOUT, Settings
from stack.ports import PortBook
from tests.browser.chromium import launch
from tests.console.conftest import answering
from tests.console.door import CODE, PASSWORD, doorkeeper
from tests.console.furnish import furnish
from workflows.deciding import Decider
from workflows.gateway import Gateway

SIZES = (("wide", 1280, 900, "light"), ("narrow", 360, 740, "light"), ("dark", 1280, 900, "dark"))


async def main(paths: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.load({"STEWARD_HOME": f"{folder}/home"})
        endpoints = await asyncio.to_thread(stack.start, settings, worker=False)
        try:
            await migrate(endpoints.database_url)
            await _look(endpoints, Path(folder), paths)
        finally:
            await asyncio.to_thread(stack.stop, settings)


async def _look(endpoints: stack.Endpoints, folder: Path, paths: list[str]) -> None:
    port = PortBook(folder / "ports.json", say=print).claim("look")
    url = f"http://127.0.0.1:{port}"
    async with AsyncExitStack() as opened:
        kept = await opened.enter_async_context(
            memory.open_memory(database_url=endpoints.database_url, chroma_url=endpoints.chroma_url, embedder=HashingEmbedder())
        )
        client = await Client.connect(endpoints.temporal_address, data_converter=pydantic_data_converter)
        gateway = Gateway(client)
        house = House(
            memory=kept,
            client=client,
            gateway=gateway,
            connectors=connectors.open_local(folder),
            call=answering,
            sources=InMemorySources(),
            decider=Decider(
                gateway=gateway,
                auditor=Auditor(state=kept.state, policies=kept.policies),
                state=kept.state,
                log=kept.log,
                clock=lambda: datetime.now(UTC),
            ),
            doorkeeper=doorkeeper(kept),
            clock=lambda: datetime.now(UTC),
            hosts=hosts_of(port, url),
            public_url=url,
            ui_url=endpoints.ui_url or "",
            home=folder,
        )
        await furnish(kept, now=house.clock())
        server = uvicorn.Server(uvicorn.Config(create_app(house), port=port, log_level="warning", timeout_graceful_shutdown=1))
        serving = asyncio.create_task(server.serve())
        playwright = await opened.enter_async_context(async_playwright())
        await _pictures(await launch(playwright), url, paths)
        server.should_exit = True
        await serving


async def _pictures(browser: Browser, url: str, paths: list[str]) -> None:
    target = Path(tempfile.gettempdir()) / f"look-{CHECKOUT.name}"
    target.mkdir(exist_ok=True)
    state = await _log_in(browser, url)
    for name, width, height, scheme in SIZES:
        context = await browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,  # type: ignore[arg-type]  # one of two words
            storage_state=state,
        )
        page = await context.new_page()
        page.on("console", lambda said: print(f"  the browser says: {said.text}"))
        page.on("pageerror", lambda error: print(f"  the page fails: {error}"))
        for path in paths:
            await page.goto(url + path)
            file = target / f"{path.strip('/').replace('/', '-').replace('?', '-') or 'today'}-{name}.png"
            await page.screenshot(path=file, full_page=True)
            print(file)
        await context.close()
    await browser.close()


async def _log_in(browser: Browser, url: str) -> StorageState:
    page = await browser.new_page()
    await page.goto(f"{url}/setup")
    await page.fill("[name=code]", CODE)
    await page.fill("[name=password]", PASSWORD)
    await page.fill("[name=again]", PASSWORD)
    await page.click("button")
    await page.wait_for_url(f"{url}/")
    state = await page.context.storage_state()
    await page.close()
    return state


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:] or ["/"]))
