"""Parts of a page load themselves anew while somebody reads, chooses and types: what they do is theirs."""

from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Shop
from tests.browser.test_inbox import ask, gone
from tests.cli.files import mail

ORDER = (
    "order_id,email,name,placed_at,sku,title,units,unit_price,line1,city,postcode,country,status\n"
    "1098,eve@example.org,Eve,2026-01-05T09:00:00+00:00,BOWL-01,Stoneware bowl,1,24.50,1 High St,Leeds,LS1,GB,paid\n"
)


def swap(page: Page) -> None:
    """The list loads itself anew, as it does when something happened."""
    page.evaluate("() => { document.getElementById('list').dataset.before = 'yes'; }")
    page.evaluate("() => document.body.dispatchEvent(new CustomEvent('steward:approval'))")
    expect(page.locator("#list[data-before]")).to_have_count(0)


def choose(page: Page, approval_id: str) -> None:
    row = page.locator(f'[data-row="{approval_id}"]')
    expect(row).to_be_visible()
    while not row.evaluate("row => row.classList.contains('here')"):
        page.keyboard.press("j")


def chosen(page: Page) -> list[str]:
    return list(page.eval_on_selector_all(".here", "rows => rows.map(row => row.dataset.row)"))


def test_the_chosen_question_stays_the_chosen_one(page: Page, shop: Shop) -> None:
    """Though one that is worth more comes to stand where it stood."""
    (mine,) = ask(shop, 1, "stays")
    page.goto(f"{shop.url}/inbox")
    choose(page, mine)
    folder = shop.steward.home.parent
    (folder / "above.csv").write_text(ORDER)
    (folder / "above.mbox").write_text(mail("above", "eve@example.org", "Cancel order 1098", "Please cancel order 1098."))
    shop.say("import", "orders", str(folder / "above.csv"))
    shop.say("import", "tickets", str(folder / "above.mbox"))
    above = str(shop.question("cancel-order", "1098")["approval_id"])
    expect(page.locator(f'[data-row="{above}"]')).to_be_visible()
    assert chosen(page) == [mine]
    expect(page.locator(f'[data-row="{mine}"] a[data-open]')).to_be_focused()


def test_where_the_chosen_one_went_no_other_is_answered(page: Page, shop: Shop) -> None:
    """It was answered elsewhere: the key does nothing until another one is chosen."""
    first, second = ask(shop, 2, "went")
    page.goto(f"{shop.url}/inbox")
    choose(page, first)
    shop.say("reject", first, "--reason", "answered by phone", "--no-wait")
    expect(page.locator(f'[data-row="{first}"]')).to_have_count(0)
    page.keyboard.press("a")
    assert (chosen(page), gone(shop, second)) == ([], False)


def test_a_key_that_is_held_answers_once(page: Page, shop: Shop) -> None:
    """The next question waits for a press of its own; without a choice no key answers."""
    first, second = ask(shop, 2, "held")
    page.goto(f"{shop.url}/inbox")
    page.keyboard.press("a")
    assert not gone(shop, first)
    choose(page, first)
    page.keyboard.down("a")
    expect(page.locator(f'.questions [data-row="{first}"]')).to_have_count(0)
    page.keyboard.down("a")
    page.keyboard.up("a")
    swap(page)
    expect(page.locator(f'.questions [data-row="{second}"]')).to_be_visible()


def test_a_part_takes_the_focus_from_nothing_else(page: Page, shop: Shop) -> None:
    """The button that was reached with Tab stays reached; the folded list that was opened stays open."""
    first, second = ask(shop, 2, "focus")
    shop.say("snooze", second)
    page.goto(f"{shop.url}/inbox")
    page.locator("#asleep summary").click()
    choose(page, first)
    page.get_by_role("button", name="Snooze them").focus()
    swap(page)
    expect(page.get_by_role("button", name="Snooze them")).to_be_focused()
    expect(page.locator(f'[data-row="{second}"]')).to_be_visible()
    assert chosen(page) == [first]


def test_what_was_begun_is_not_loaded_away(page: Page, shop: Shop) -> None:
    """So much happened that the page is old as a whole: it says so, and leaves the text where it is."""
    (mine,) = ask(shop, 1, "begun")
    page.goto(f"{shop.url}/inbox/{mine}#reject")
    page.get_by_label("Why not?").fill("half a sentence")
    page.evaluate("() => document.body.dispatchEvent(new CustomEvent('steward:everything', { bubbles: true }))")
    expect(page.get_by_text("This page is old")).to_be_visible()
    expect(page.get_by_label("Why not?")).to_have_value("half a sentence")
    page.get_by_label("Why not?").fill("")
    page.get_by_role("link", name="Load it anew").click()
    expect(page.get_by_text("This page is old")).to_have_count(0)


def test_the_seconds_do_not_depend_on_the_clock_of_the_telephone(context: BrowserContext, page: Page, shop: Shop) -> None:
    """One that is an hour behind counts down from ten all the same."""
    context.add_init_script("const true_ = Date.now; Date.now = () => true_() - 3600e3;")
    (mine,) = ask(shop, 1, "clock")
    page.goto(f"{shop.url}/inbox")
    choose(page, mine)
    page.keyboard.press("a")
    left = page.locator(".held time").first
    expect(left).to_have_text("5 s")
    expect(left).to_have_count(0, timeout=10_000)


def test_a_part_that_cannot_be_loaded_says_so(context: BrowserContext, shop: Shop) -> None:
    """In a line that goes when the console answers again. The browser complains of it, too."""
    page = context.new_page()
    page.goto(f"{shop.url}/inbox")
    page.route("**/inbox", lambda route: route.abort())
    page.evaluate("() => document.body.dispatchEvent(new CustomEvent('steward:approval'))")
    expect(page.get_by_text("The console does not answer")).to_be_visible()
    page.unroute("**/inbox")
    swap(page)
    expect(page.get_by_text("The console does not answer")).to_have_count(0)


def test_a_refusal_of_a_part_is_seen(page: Page, shop: Shop) -> None:
    """The part asked for its own place in a page that is none."""
    page.goto(f"{shop.url}/runs")
    page.eval_on_selector("#runs", "part => { part.setAttribute('hx-get', '/runs?page=0'); htmx.process(part); }")
    page.evaluate("() => document.body.dispatchEvent(new CustomEvent('steward:run'))")
    expect(page.locator("#told .refused")).to_contain_text("there is no such page")


def test_enter_in_a_field_of_many_decides_nothing(page: Page, shop: Shop) -> None:
    """Not even with questions chosen: a button has to be pressed."""
    (mine,) = ask(shop, 1, "enter")
    page.goto(f"{shop.url}/inbox")
    page.locator(f'[data-row="{mine}"] input[type=checkbox]').check()
    page.get_by_label("Reason, to reject").fill("no")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Reason, to reject")).to_have_value("no")
    assert (page.url, gone(shop, mine)) == (f"{shop.url}/inbox", False)
