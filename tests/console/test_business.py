"""The business: lists that can be searched and paged, and each thing in full."""

from console.house import House
from domain.actions import Capability
from domain.connections import Connection, ConnectionDescribed, ConnectionMode, ConnectionModeSet
from domain.entities import Order, PurchaseOrder, Stock, Ticket
from domain.event import EventData, new_event
from domain.events import ListingDue, ProductListed
from domain.labels import Label
from domain.runs import RunFinished, RunStarted
from tests.console.browser import Browser
from tests.console.furnish import HOSTILE, ticket_of
from tests.unit.domain.happenings import product

LISTS = ("stock", "purchase-orders", "tickets", "orders", "content")
EARLIER = "po-earlier-cirelle"


async def found(browser: Browser, path: str, **fields: str) -> str:
    """The list that a search comes back with."""
    answer = await browser.post(path, fields)
    assert answer.status_code == 200, answer.text
    return answer.text[answer.text.index('<section id="list"') :]


async def test_every_list_is_there_with_and_without_content(house: House, browser: Browser) -> None:
    """An empty one says so, and /business leads to the first."""
    assert (await browser.get("/business")).headers["location"] == "/business/stock"
    for name in LISTS:
        assert "nothing yet" in await browser.page(f"/business/{name}")


async def test_the_shelf_is_listed_by_how_short_it_is(furnished: House, browser: Browser) -> None:
    """With cover, reorder point and what is on order; in pages."""
    page = await browser.page("/business/stock")
    assert page.index("STO-BOWL-L") < page.index("STO-BOWL-S")
    assert "36 in all, page 1 of 2" in page
    assert "page 2 of 2" in await browser.page("/business/stock?status=&page=2")
    low = await browser.page("/business/stock?status=low&page=1")
    assert ("STO-BOWL-L" in low, "STO-BOWL-S" in low) == (True, False)


async def test_a_search_stands_in_no_address(furnished: House, browser: Browser) -> None:
    """It is sent as a form, finds what is typed, and says when there is nothing."""
    assert "2 in all" in await found(browser, "/business/stock", q="stoneware mug")
    assert "Question 1" in await found(browser, "/business/tickets", q="CUSTOMER1@example.org")
    assert "nothing found" in await found(browser, "/business/orders", q="%")
    page = await browser.page("/business/orders")
    assert 'method="post" action="/business/orders"' in page
    assert 'name="q"' in page


async def test_what_is_no_page_of_a_list_is_refused(browser: Browser) -> None:
    """With what to do."""
    for asked in ("page=0", "page=x", "page=99999999999999999999", "status=nothing", "page=%E0%B9%92"):
        answer = await browser.get(f"/business/orders?{asked}")
        assert (answer.status_code, "<h1>" in answer.text) == (422, True), asked


async def test_what_does_not_exist_is_not_found(browser: Browser) -> None:
    """And says where to look."""
    for path in ("stock/x", "purchase-orders/x", "tickets/mail/x", "orders/x", "content/x"):
        answer = await browser.get(f"/business/{path}")
        assert (answer.status_code, "the list" in answer.text) == (404, True), path


async def test_an_article_shows_what_it_will_need(furnished: House, browser: Browser) -> None:
    """Its forecast as a picture with its figures beside it, by the planner's own method."""
    page = await browser.page("/business/stock/STO-BOWL-L")
    for shown in ("Lasts for", "Demand from today on", "the stock has to last 15 days", "<svg", "28 days", "14 days at 95 %"):
        assert shown in page


async def test_a_hostile_name_is_text(house: House, browser: Browser) -> None:
    """In the list and in full, in the title too; a sku may have any sign."""
    listed = product("A/B #1").model_copy(update={"title": HOSTILE})
    await house.memory.log.append([new_event(ProductListed(product=listed), at=house.clock(), key=("1",))])
    for path in ("/business/stock", "/business/stock/A/B%20%231"):
        page = await browser.page(path)
        assert HOSTILE not in page
        assert "&lt;script&gt;alert(1)" in page
    assert 'href="/business/stock/A/B%20%231"' in await browser.page("/business/stock")


async def test_what_has_arrived_goes_on_the_shelf_once(furnished: House, browser: Browser) -> None:
    """As ``./steward received`` does it; the second time it is refused."""
    page = f"/business/purchase-orders/{EARLIER}"
    before = await furnished.memory.state.get(Stock, "HOM-BRUSH-DISH")
    assert "It has arrived" in await browser.page(page)
    assert (await browser.post(f"{page}/received")).headers["location"] == page
    after, order = (
        await furnished.memory.state.get(Stock, "HOM-BRUSH-DISH"),
        await furnished.memory.state.get(PurchaseOrder, EARLIER),
    )
    assert before is not None
    assert after is not None
    assert order is not None
    assert (after.on_hand - before.on_hand, after.on_order, order.status) == (40, 0, "received")
    assert (await browser.post(f"{page}/received")).status_code == 422
    assert "It has arrived" not in await browser.page(page)


async def test_a_connected_shop_is_told_of_what_arrived(furnished: House, browser: Browser) -> None:
    """The page says that it is proposed, and then how far it is."""
    path, run_id = f"/business/purchase-orders/{EARLIER}", f"restock/{EARLIER}"
    shop = Connection(name="woo", kind="woocommerce", mode=ConnectionMode.DRY_RUN, serves=(Capability.SHOP,))
    await happens(furnished, ConnectionDescribed(connection=shop, by="operator"))
    await browser.post(f"{path}/received")
    said = await browser.page(path)
    assert "to put them on sale in woo is proposed" in said
    assert "woo is in mode dry-run: what arrives meanwhile is proposed again once it is live" in said
    article = await browser.page("/business/stock/HOM-BRUSH-DISH")
    assert "on sale, 40 here and not yet in the shop" in article
    assert f'40 of <a href="{path}">' in article
    assert "+ 40 not on sale" in await found(browser, "/business/stock", q="HOM-BRUSH-DISH")
    assert run_id not in said
    began = RunStarted(run_id=run_id, workflow="restock", at=furnished.clock())
    await happens(furnished, began, RunFinished(run_id=run_id, at=furnished.clock(), result="2 on sale"))
    page = await browser.page(path)
    assert f'<a href="/runs/{run_id}">2 on sale</a>' in page


async def test_what_waits_is_proposed_again(furnished: House, browser: Browser) -> None:
    """Once the shop is live, while no run is at it, and as often as somebody wants it."""
    path, run_id = f"/business/purchase-orders/{EARLIER}", f"restock/{EARLIER}"
    shop = Connection(name="woo", kind="woocommerce", mode=ConnectionMode.DRY_RUN, serves=(Capability.SHOP,))
    await happens(furnished, ConnectionDescribed(connection=shop, by="operator"))
    await browser.post(f"{path}/received")
    await happens(furnished, RunStarted(run_id=run_id, workflow="restock", at=furnished.clock()))
    assert "Propose it again" not in await browser.page(path)
    await happens(furnished, RunFinished(run_id=run_id, at=furnished.clock(), result="2 not told"))
    assert "Propose it again" not in await browser.page(path)
    await happens(furnished, ConnectionModeSet(name="woo", mode=ConnectionMode.LIVE, by="operator"))
    assert "Propose it again" in await browser.page(path)
    assert (await browser.post(f"{path}/received")).status_code == 303
    page = await browser.page(path)
    assert "units wait; to put them on sale in woo is proposed again" in page
    assert (await furnished.memory.log.read(stream=f"purchase-order/{EARLIER}"))[-1].type == ListingDue.type
    assert 'Here and not yet in the shop: 40 of <a href="/business/stock/HOM-BRUSH-DISH">' in page


async def happens(house: House, *events: EventData) -> None:
    await house.memory.log.append([new_event(data, at=house.clock(), key=(data.stream, data.type)) for data in events])


async def test_a_ticket_is_a_conversation_with_what_was_decided(furnished: House, browser: Browser) -> None:
    """What the customer wrote is text, whatever it is."""
    page = await browser.page(f"/business/tickets/{ticket_of(2)}")
    assert HOSTILE not in page
    for shown in ("&lt;script&gt;", 'href="/inbox/0002-question"', "understood as product-question", "pending"):
        assert shown in page


async def test_the_operator_says_what_a_ticket_is_about(furnished: House, browser: Browser) -> None:
    """The ticket and the label that triage learns from; an intent that nobody knows is refused."""
    path = f"/business/relabel/{ticket_of(1)}"
    assert (await browser.post(path, {"intent": "damaged"})).status_code == 303
    ticket, label = await furnished.memory.state.get(Ticket, ticket_of(1)), await furnished.memory.state.get(Label, ticket_of(1))
    assert ticket is not None
    assert label is not None
    assert (ticket.intent, ticket.corrected_by, label.intent, label.source) == ("damaged", "operator", "damaged", "corrected")
    assert (await browser.post(path, {"intent": "made-up"})).status_code == 422


async def test_an_order_shows_its_refunds_and_its_lines(furnished: House, browser: Browser) -> None:
    """With links to the articles."""
    order = await furnished.memory.state.get(Order, "10355")
    assert order is not None
    page = await browser.page("/business/orders/10355")
    assert f'href="/business/stock/{order.lines[0].sku}"' in page
    assert f"{order.refundable} could be" in page
    assert "<strong>12.00 EUR</strong>" in page


async def test_a_page_shows_its_clicks_over_time(furnished: House, browser: Browser) -> None:
    """As a picture and as figures."""
    page = await browser.page("/business/content/choosing-a-mug")
    for shown in ("Click-through rate", "Impressions a day", "The figures", "A mug holds **300 ml**"):
        assert shown in page
