"""The operator's two minutes, in a real browser: approve, edit, reject, many at once, take back, by keyboard."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Shop
from tests.cli.files import mail
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
    page.locator('[name="amount.amount"]').fill("a lot")
    page.get_by_role("button", name="as changed").click()
    expect(page.locator("[aria-invalid]")).to_have_value("a lot")
    page.locator('[name="amount.amount"]').fill("7.45")
    page.get_by_role("button", name="as changed").click()
    expect(page).to_have_url(f"{shop.url}/inbox")
    until(lambda: [e for e in shop.say("log", "tail", "-n", "200") if e["type"] == "order.refunded" and "7.45" in str(e)])


def test_a_rejection_says_why(page: Page, shop: Shop) -> None:
    """The reason stands with the question afterwards."""
    approval_id = open_question(page, shop, "cancel-order", "1003")
    page.locator("summary", has_text="Reject").click()
    page.get_by_label("Why not?").fill("she called: keep it")
    page.get_by_role("button", name="Reject").click()
    expect(page.get_by_text("Rejected: cancel order 1003").first).to_be_visible()
    page.goto(f"{shop.url}/inbox/{approval_id}")
    expect(page.get_by_text("she called: keep it").first).to_be_visible()


def test_of_many_at_once_each_has_its_own_result(page: Page, shop: Shop) -> None:
    """One was answered elsewhere meanwhile: it is said, and the other one counts. To choose none is refused on the same page."""
    first, second = ask(shop, 2, "batch")
    page.goto(f"{shop.url}/inbox")
    page.get_by_role("button", name="Approve them").click()
    expect(page.locator(".refused").first).to_be_visible()
    expect(page).to_have_url(f"{shop.url}/inbox")
    with page.expect_response("**/live?*"):
        page.goto(f"{shop.url}/inbox")
    page.wait_for_function("document.getElementById('live')._htmx.sse.lastEventId")
    hide(page, hidden=True)  # so that the list does not learn of the other answer
    for approval_id in (first, second):
        page.locator(f'[data-row="{approval_id}"] input[type=checkbox]').check()
    shop.say("reject", first, "--reason", "answered by phone", "--no-wait")
    page.get_by_label("Reason, to reject").fill("not needed")
    page.get_by_role("button", name="Reject them").click()
    expect(page.get_by_role("heading", name="1 of 2 answers counted")).to_be_visible()
    expect(page.get_by_text("is already rejected")).to_be_visible()
    assert gone(shop, second)


def test_what_moved_is_asked_again_and_says_what_moved(page: Page, shop: Shop) -> None:
    """A rule that binds the action changed while it waited: nothing is done, and the new question says what moved."""
    approval_id = open_question(page, shop, "cancel-order", "1004")
    shop.say("policies", "set", "bounds", "--set", "breaker_failures=6")
    page.get_by_role("button", name="Approve").click()
    again = until(lambda: [a for a in shop.waiting() if a["replaces"] and "1004" in str(a["proposal"]["action"])])[0]
    assert again["approval_id"] != approval_id
    page.goto(f"{shop.url}/inbox/{again['approval_id']}")
    expect(page.get_by_text("It moved since you saw it:", exact=True)).to_be_visible()
    page.get_by_role("link", name="what you saw").click()
    expect(page).to_have_url(f"{shop.url}/inbox/{approval_id}")


def test_a_tab_that_was_hidden_catches_up(page: Page, shop: Shop) -> None:
    """Its stream is closed while nobody looks, and continues after the last event it has seen."""
    (approval_id,) = ask(shop, 1, "hidden")
    with page.expect_response("**/live?*"):
        page.goto(f"{shop.url}/inbox")
    row = page.locator(f'[data-row="{approval_id}"]')
    expect(row).to_be_visible()
    page.wait_for_function("document.getElementById('live')._htmx.sse.lastEventId")
    hide(page, hidden=True)
    shop.say("reject", approval_id, "--reason", "answered by phone", "--no-wait")
    expect(row).to_be_visible()
    with page.expect_request(lambda request: "/live?" in request.url and "last-event-id" in request.headers):
        hide(page, hidden=False)
    expect(row).to_have_count(0)


@pytest.mark.timeout(300)
def test_twenty_questions_are_answered_by_keyboard_alone(page: Page, shop: Shop) -> None:
    """j and a, and for those to be rejected r, a reason, Tab and Enter."""
    asked = ask(shop, 20, "keys")
    page.goto(f"{shop.url}/inbox")
    for number, approval_id in enumerate(asked):
        row = page.locator(f'[data-row="{approval_id}"]')
        while not row.evaluate("row => row.classList.contains('here')"):
            page.keyboard.press("j")
        if number % 5:
            page.keyboard.press("a")
        else:
            page.keyboard.press("r")
            expect(page.get_by_label("Why not?")).to_be_focused()
            page.keyboard.type("no")
            page.keyboard.press("Tab")
            page.keyboard.press("Enter")
        expect(page.locator(f'.questions [data-row="{approval_id}"]')).to_have_count(0)
        page.keyboard.press("g")
        page.keyboard.press("i")
    assert not {a["approval_id"] for a in shop.waiting()} & set(asked)


def ask(shop: Shop, number: int, word: str) -> list[str]:
    """So many questions for a reply to a mail with the word in its subject, in the order of the inbox."""
    mails = (mail(f"{word}-{n}", "bob@example.org", f"{word} {n}", "Hi, where is my order 1002?") for n in range(number))
    file = shop.steward.home.parent / f"{word}.mbox"
    file.write_text("".join(mails))
    shop.say("import", "tickets", str(file))

    def found() -> list[str]:
        return [a["approval_id"] for a in shop.waiting() if word in a["proposal"]["action"].get("subject", "")]

    until(lambda: len(found()) >= number)
    return found()


def hide(page: Page, *, hidden: bool) -> None:
    """As a browser does with a tab that is not in front."""
    page.evaluate(
        "hidden => { Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });"
        " document.dispatchEvent(new Event('visibilitychange')); }",
        hidden,
    )
