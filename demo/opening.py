"""Fills the demo shop before the day begins: memory, the order book, the site and its figures."""

from datetime import date

from connectors.local_shop import LocalShop
from connectors.site_rules import ABSENT
from demo.orders import order_book
from demo.pages import analytics_csv, earlier_pages
from demo.running import Running
from demo.shop import shop_events
from domain.actions import Capability
from domain.event import new_event
from domain.events import ContentPublished


async def open_shop(running: Running, *, today: date, seed: int) -> str:
    """Load everything. Returns one line on what there is now."""
    events = shop_events(today, seed)
    orders = order_book(events)
    await running.memory.log.append(events)
    shop = running.connectors[Capability.SHOP]
    assert isinstance(shop, LocalShop)
    await shop.put_orders(orders)
    pages = await _put_pages(running, today)
    (running.settings.home / "outside" / "analytics.csv").write_text(analytics_csv(today))
    kinds = [e.data.type for e in events]
    return (
        f"{kinds.count('product.listed')} products from {kinds.count('supplier.listed')} suppliers, "
        f"{kinds.count('customer.listed')} customers, {len(orders)} orders, {pages} page, half a year of sales"
    )


async def _put_pages(running: Running, today: date) -> int:
    """Pages from before Steward: on the site and in the log, but no effect of any run."""
    pages = earlier_pages(today)
    for action, at in pages:
        key = f"demo/{action.piece.slug}"
        await running.connectors[Capability.SITE].execute(action, key=key, expected_version=ABSENT, now=at)
        published = new_event(ContentPublished(piece=action.piece), at=at, key=("demo", action.piece.slug), source="demo")
        await running.memory.log.append([published])
    return len(pages)
