"""Stopping everything and taking back what a run did, in a real browser."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import Shop
from tests.cli.files import mail
from tests.waiting import until

ORDER = (
    "order_id,email,name,placed_at,sku,title,units,unit_price,line1,city,postcode,country,status\n"
    "1099,eve@example.org,Eve,2026-01-05T09:00:00+00:00,BOWL-01,Stoneware bowl,1,24.50,1 High St,Leeds,LS1,GB,paid\n"
)


def test_the_kill_switch_is_seen_on_every_page_until_it_is_off(page: Page, shop: Shop) -> None:
    """On at once with a reason; off with the password given lately."""
    page.goto(f"{shop.url}/controls")
    page.locator("#main").get_by_label("Reason, for the record").fill("the printer burns")
    page.get_by_role("button", name="Stop everything now").click()
    page.goto(f"{shop.url}/inbox")
    expect(page.get_by_text("The kill switch is on")).to_be_visible()
    assert shop.say("status")["kill_switch"] is True
    page.goto(f"{shop.url}/controls")
    page.get_by_role("button", name="Let effects happen again").click()
    expect(page.get_by_text("The kill switch is on")).to_have_count(0)
    assert shop.say("status")["kill_switch"] is False


def test_what_a_run_did_is_taken_back_after_a_look_at_what_that_would_do(page: Page, shop: Shop) -> None:
    """The page says first what will be undone; afterwards the order is paid again."""
    folder = shop.steward.home.parent
    (folder / "more.csv").write_text(ORDER)
    (folder / "more.mbox").write_text(mail("again", "eve@example.org", "Cancel order 1099", "Please cancel order 1099."))
    shop.say("import", "orders", str(folder / "more.csv"))
    shop.say("import", "tickets", str(folder / "more.mbox"))
    asked = shop.question("cancel-order", "1099")
    shop.say("approve", asked["approval_id"])
    until(lambda: shop.say("state", "show", "order/1099")["body"]["status"] == "cancelled")
    page.goto(f"{shop.url}/runs/{asked['proposal']['run_id']}")
    page.locator("summary", has_text="What undoing this run does").click()
    expect(page.get_by_role("cell", name="cancel order 1099").first).to_be_visible()
    page.get_by_role("button", name="Undo it").click()
    until(lambda: shop.say("state", "show", "order/1099")["body"]["status"] == "paid")
