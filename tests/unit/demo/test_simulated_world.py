from datetime import date, timedelta

import pytest

from demo.shop import catalogue
from demo.simulation import market
from demo.simulation.scenario import Scenario, Shock, ShockKind
from domain.entities import ContentPiece, PurchaseOrder, PurchaseOrderLine, Supplier
from domain.money import Money
from tests.unit.demo.simulated import SEED, letters, orders

MUG = catalogue()["STO-MUG-MOSS"]


def test_a_seed_makes_the_same_customers_and_another_one_others() -> None:
    """Both arms meet the same world, and a run can be repeated."""
    assert letters(4) == letters(4)
    assert letters(4) != letters(4, seed=SEED + 1)


def test_what_happens_on_a_day_does_not_depend_on_how_many_days_are_lived() -> None:
    """The first days of sixty are the same as those of four."""
    assert letters(8)[: len(letters(4))] == letters(4)


def test_customers_write_about_orders_of_their_own_and_once() -> None:
    """The sender of a mail about an order is the one who placed it."""
    owner = {parcel.order.order_id: parcel.order.email for parcel in orders(20)}
    about = [letter for letter in letters(20) if letter.truth.order_id]
    assert len(about) > 50
    assert all(owner[letter.truth.order_id] == letter.who.email for letter in about)
    assert len({letter.truth.order_id for letter in about}) == len(about)


@pytest.mark.parametrize("intent", ["late", "where-is-my-order"])
def test_only_who_waits_too_long_says_that_it_is_late(intent: str) -> None:
    """A mail's intent is true of its order at that moment."""
    parcels = {parcel.order.order_id: parcel for parcel in orders(20)}
    for letter in (x for x in letters(20) if x.truth.intent == intent):
        parcel = parcels[letter.truth.order_id]
        promised = parcel.order.promised_by
        assert letter.at < parcel.arrives_at
        assert promised is not None
        assert (letter.at > promised and letter.at > parcel.ships_at) == (intent == "late")


def test_a_new_kind_of_question_begins_on_its_day() -> None:
    """Nobody asked it before."""
    scenario = Scenario(shocks=(Shock(day=5, kind=ShockKind.NEW_QUESTION, name="gift-wrap", factor=0.9),))
    days = [(letter.at - scenario.midnight(1)).days + 1 for letter in letters(8, scenario) if letter.truth.intent == "gift-wrap"]
    assert days
    assert min(days) == 5


def test_demand_is_drawn_for_itself() -> None:
    """What is wanted of a product on a day is the same whatever was asked before, and follows its rate."""
    scenario = Scenario()
    wanted = [market.demand(MUG, day, scenario=scenario, seed=SEED) for day in range(1, 201)]
    assert market.demand(MUG, 150, scenario=scenario, seed=SEED) == wanted[149]
    assert sum(wanted) / 200 == pytest.approx(2.1, rel=0.15)


def test_a_slow_supplier_is_slow_from_its_day_on() -> None:
    """An order placed before comes as it would have."""
    scenario = Scenario(shocks=(Shock(day=3, kind=ShockKind.SLOW_SUPPLIER, name="brandt", factor=2.0),))
    supplier = Supplier(supplier_id="brandt", name="Brandt", email="b@x.example", lead_time_days=10)

    def days(ordered: int, how: Scenario) -> float:
        line = PurchaseOrderLine(sku="A", title="A", units=1, unit_cost=Money.of(1))
        at = how.midnight(ordered) + timedelta(hours=9)
        order = PurchaseOrder(purchase_order_id="p", supplier_id="brandt", lines=(line,), ordered_at=at, expected_at=at)
        return (market.delivered_at(order, supplier, scenario=how, seed=SEED) - at) / timedelta(days=1)

    assert days(2, scenario) == days(2, Scenario())
    assert days(3, scenario) == pytest.approx(2 * days(3, Scenario()), abs=1.5)


def test_a_title_that_says_what_one_gets_is_clicked_more() -> None:
    """Over many days the same page earns more clicks under a better title."""

    def clicks(title: str) -> int:
        piece = ContentPiece(slug="mug", kind="product-guide", title=title, description="x", body="x", keyword="mug")
        return sum(market.read(piece, date(2030, 1, 1) + timedelta(days=n), seed=SEED).clicks for n in range(200))

    assert clicks("Moss mug: what size, and how to care for it") > 1.2 * clicks("Mug")
