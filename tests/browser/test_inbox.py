"""The operator's two minutes, in a real browser: approve, edit, reject, many at once, take back, by keyboard."""

from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Shop
from tests.waiting import until


def open_question(page: Page, shop: Shop, kind: str, contains: str = "") -> str:
    """The page of a question; its id."""
    approval_id = str(shop.question(kind, contains)["approval_id"])
    page.goto(f"{shop.url}/inbox/{approval_id}")
    return approval_id


def gone(shop: Shop, approval_id: str) -> bool:
    return approval_id not in {a["approval_id"] for a in shop.waiting()}


def test_what_was_approved_can_be_taken_back_and_is_seen_by_another_window(page: Page, context: BrowserContext, shop: Shop) -> None:
    """Another window follows by itself: the question goes when it is approved and comes back when that is undone."""
    other = context.new_page()
    other.goto(f"{shop.url}/inbox")
    approval_id = open_question(page, shop, "send-reply", "1002")
    row = other.locator(f'[data-row="{approval_id}"]')
    expect(row).to_be_visible()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Approved: reply to bob@example.org")).to_be_visible()
    expect(row).to_have_count(0)
    page.get_by_role("button", name="Take it back").click()
    expect(page.get_by_text("Taken back")).to_be_visible()
    expect(row).to_be_visible()
    assert not gone(shop, approval_id)


def test_an_approved_reply_is_sent_when_its_seconds_are_over(page: Page, shop: Shop) -> None:
    """The run goes on, and what was done shows in the outside world."""
    open_question(page, shop, "send-reply", "1002")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Take it back")).to_have_count(0, timeout=30_000)
    outbox = shop.steward.home / "outside"
    until(lambda: any(b"1002" in path.read_bytes() for path in outbox.rglob("*") if path.is_file() and "mail" in str(path)))


def test_an_edited_amount_is_done_as_it_was_edited(page: Page, shop: Shop) -> None:
    """A wrong value comes back with its message; the right one is looked at again and done."""
    open_question(page, shop, "refund-order")
    page.locator("summary", has_text="Edit, then approve").click()
    page.get_by_label("amount amount").fill("a lot")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("[aria-invalid]")).to_have_value("a lot")
    page.get_by_label("amount amount").fill("7.45")
    page.get_by_role("button", name="Save").click()
    expect(page).to_have_url(f"{shop.url}/inbox")
    until(lambda: [e for e in shop.say("log", "tail", "-n", "200") if e["type"] == "order.refunded" and "7.45" in str(e)])


def test_a_rejection_says_why(page: Page, shop: Shop) -> None:
    """The reason stands with the question afterwards."""
    approval_id = open_question(page, shop, "cancel-order", "1003")
    page.locator("summary", has_text="Reject").click()
    page.get_by_label("Why not?").fill("she called: keep it")
    page.get_by_role("button", name="Reject").click()
    expect(page.get_by_text("Rejected: cancel order 1003")).to_be_visible()
    page.goto(f"{shop.url}/inbox/{approval_id}")
    expect(page.get_by_text("she called: keep it").first).to_be_visible()
