from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest

from agents.stock_planner import StockPicture, StockPlan, plan_stock
from demo.data import load
from demo.demand import sales_days
from demo.orders import order_book
from demo.pages import analytics_csv
from demo.shop import catalogue, customers, shop_events
from domain.catalogue import fold
from domain.entities import OrderStatus, Product, PurchaseOrder, Stock, Supplier
from domain.policies import POLICY_TYPES, GatePolicy, StockPolicy

TODAY = date(2026, 11, 22)


def test_the_same_day_and_seed_make_the_same_shop() -> None:
    """Ids, times and amounts are all derived: a second load appends nothing new."""
    first, second = shop_events(TODAY), shop_events(TODAY)
    assert first == second
    assert len({event.event_id for event in first}) == len(first)


def test_another_seed_sells_differently() -> None:
    """The seed reaches the sales history and the drawn orders."""
    assert shop_events(TODAY, 7) != shop_events(TODAY, 8)


def test_nothing_lies_in_the_future() -> None:
    """Loading the shop just after midnight is as good as at noon."""
    midnight = datetime.combine(TODAY, time(), UTC)
    assert all(event.at <= midnight for event in shop_events(TODAY))


def test_orders_are_in_every_state_and_name_known_people_and_products() -> None:
    """About sixty orders whose totals add up."""
    orders = order_book(shop_events(TODAY))
    assert {order.status for order in orders} == set(OrderStatus)
    assert 55 <= len(orders) <= 70
    known, skus = customers(), catalogue().keys()
    for order in orders:
        assert known[order.customer_id].email == order.email
        assert order.total.amount == sum(line.unit_price.amount * line.units for line in order.lines)
        assert {line.sku for line in order.lines} <= skus


def test_recent_open_orders_of_customers_who_write_are_unique() -> None:
    """So that "my order" in a mail without a number means one order."""
    writing = {row["customer_id"] for row in load("orders")}
    recent = [
        order.customer_id
        for order in order_book(shop_events(TODAY))
        if order.customer_id in writing and order.status in (OrderStatus.PAID, OrderStatus.SHIPPED)
    ]
    assert max(Counter(recent).values()) == 1


def test_every_policy_of_the_shop_is_valid() -> None:
    """What is not named keeps the built-in default."""
    documents = {e.data.name: e.data.version.document for e in shop_events(TODAY) if e.data.type == "policy.activated"}
    policies = {name: POLICY_TYPES[name].model_validate(document) for name, document in documents.items()}
    assert isinstance(policies["gate"], GatePolicy)
    assert "publish-content" in policies["gate"].always_ask


@pytest.mark.parametrize("offset", range(7))
def test_on_any_day_three_suppliers_need_an_order_and_one_is_over_the_limit(offset: int) -> None:
    """The opening stock is such that replenishment has something to decide, and something to ask."""
    plan = _plan(TODAY + timedelta(days=offset))
    limit = Decimal(load("shop")["policies"]["gate"]["money_without_asking"]["place-purchase-order"]["amount"])
    totals = [money.amount for planned in plan.orders if (money := planned.action.money())]
    assert len(totals) >= 3
    assert sum(total > limit for total in totals) == 1


def test_a_dead_product_does_not_sell_and_a_new_one_only_lately() -> None:
    """The patterns are what their names say."""
    dead, new = (
        sales_days(sku="X", pattern=pattern, rate=3.0, price=Decimal(1), today=TODAY, seed=7) for pattern in ("dead", "new")
    )
    assert dead
    assert all(day.day < TODAY - timedelta(days=120) for day in dead)
    assert new
    assert all(day.day >= TODAY - timedelta(days=14) for day in new)


def test_the_page_metrics_end_yesterday() -> None:
    """An export has no figures of today."""
    days = [line.split(",")[1] for line in analytics_csv(TODAY).splitlines()[1:]]
    assert max(days) == str(TODAY - timedelta(days=1))
    assert len(days) == 14


def _plan(today: date) -> StockPlan:
    state: dict[str, object] = {}
    events = shop_events(today)
    for event in events:
        state[event.data.stream] = fold(state.get(event.data.stream), event.data)
    until = today - timedelta(days=1)
    entities = list(state.values())
    picture = StockPicture(
        products=tuple(e for e in entities if isinstance(e, Product)),
        stock={e.sku: e for e in entities if isinstance(e, Stock)},
        suppliers={e.supplier_id: e for e in entities if isinstance(e, Supplier)},
        purchase_orders=tuple(e for e in entities if isinstance(e, PurchaseOrder)),
        sales=tuple(row for event in events for row in event.data.sales()),
        since=until - timedelta(days=364),
        until=until,
        stale=False,
    )
    policy = StockPolicy.model_validate(load("shop")["policies"]["stock"])
    return plan_stock(picture, policy, run_id="replenish/test", now=datetime.combine(today, time(9), UTC))
