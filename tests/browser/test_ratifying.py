"""The operator's word on a rule that Steward proposes: page, password, in force; in a real browser."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from playwright.sync_api import BrowserContext, Page, expect

import memory
import stack
from domain.event import new_event
from domain.policies import AttentionPolicy, PolicyProposed, PolicyRecord, PolicyVersion
from memory.keyring import sha256
from memory.memory import Memory
from models.embedding import HashingEmbedder
from tests.browser.conftest import PASSWORD, Shop

WHY = "three at once are too many"


def remembering(shop: Shop, work: Callable[[Memory], Awaitable[None]]) -> None:
    """Do something to the shop's memory, in a thread of its own: Playwright's loop runs in this one."""
    endpoints = stack.endpoints(shop.steward.settings)
    assert endpoints is not None

    async def opened() -> None:
        database_url, chroma_url = endpoints.database_url, endpoints.chroma_url
        async with memory.open_memory(database_url=database_url, chroma_url=chroma_url, embedder=HashingEmbedder()) as kept:
            await work(kept)

    with ThreadPoolExecutor(1) as apart:
        apart.submit(lambda: asyncio.run(opened())).result()


async def propose(kept: Memory) -> None:
    """A version of a rule that waits for the operator's word."""
    record = await kept.state.get(PolicyRecord, "attention") or PolicyRecord(name="attention")
    at = datetime.now(UTC)
    version = PolicyVersion(
        version=record.next_version,
        document=AttentionPolicy().model_dump(mode="json"),
        proposed_by="learner",
        at=at,
        why=WHY,
        parent=record.active,
    )
    await kept.log.append([new_event(PolicyProposed(name="attention", version=version), at=at, key=(WHY,))])


def test_a_proposed_rule_is_in_force_after_a_look_and_the_password(page: Page, context: BrowserContext, shop: Shop) -> None:
    """It waits on the page of learning; a wrong password changes nothing; a key means the proposal that was chosen."""
    (cookie,) = (c["value"] for c in context.cookies(shop.url) if c["name"] == "steward")

    async def long_ago(kept: Memory) -> None:
        hour = timedelta(hours=1)
        await kept.sessions.change(sha256(cookie), lambda s: s.model_copy(update={"proven_at": s.proven_at - hour}))

    remembering(shop, propose)
    remembering(shop, long_ago)
    page.goto(f"{shop.url}/learning")
    proposal = page.locator(".proposal", has_text=WHY)
    page.keyboard.press("a")
    expect(proposal).to_be_visible()
    for password, said in (("not the one", "this is not the password"), (PASSWORD, "of attention is in force")):
        page.goto(f"{shop.url}/learning")
        page.keyboard.press("j")
        proposal.get_by_label("Your password, once more").fill(password)
        proposal.get_by_role("button", name="Ratify it").click()
        expect(page.get_by_text(said)).to_be_visible()
    assert shop.say("policies", "show", "attention")["version"] == 1
