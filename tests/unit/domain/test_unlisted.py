"""What arrived and is not in the connected shop's figure yet: counted once, whatever the shop says meanwhile."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from pydantic import ValidationError

from domain.actions import AdjustStock, Receipt
from domain.catalogue import fold, load_event
from domain.deliveries import not_on_sale, waiting_to_be_listed
from domain.entities import Stock
from domain.event import EventData
from domain.events import ListingGivenUp, StockCounted, StockOrdered, StockReceived
from domain.ids import digest

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
UNITS = st.integers(1, 60)


def told(stock: Stock | None, *story: EventData) -> Stock:
    for data in story:
        stock = fold(stock, data)
    assert stock is not None
    return stock


def polled(on_hand: int) -> StockCounted:
    return StockCounted(sku="MUG", on_hand=on_hand, as_of=NOW)


def came(units: int, order: str = "po-1") -> StockReceived:
    return StockReceived(sku="MUG", units=units, purchase_order_id=order, on_sale=False)


def put_on_sale(there: int, units: int, order: str = "po-1") -> StockCounted:
    """What a committed action leaves in the log."""
    action = AdjustStock(sku="MUG", units_before=there, units_after=there + units, reason="came", purchase_order_id=order)
    (counted,) = action.events(Receipt(reference="1", at=NOW))
    assert isinstance(counted, StockCounted)
    return counted


class Shelf(RuleBasedStateMachine):
    """A shop that sells and counts by itself, and the deliveries it is told of, one way or the other."""

    def __init__(self) -> None:
        super().__init__()
        self.stock = told(None, polled(50))
        self.shop, self.orders = 50, 0
        self.waits: dict[str, int] = {}

    @rule(units=UNITS)
    def arrive(self, units: int) -> None:
        self.orders += 1
        name = f"po-{self.orders}"
        self.stock = told(self.stock, StockOrdered(sku="MUG", units=units, purchase_order_id=name))
        before = self.stock.position
        self.stock = told(self.stock, came(units, name))
        self.waits[name] = units
        assert self.stock.position == before

    @rule(sold=st.integers(0, 20))
    def sell_and_be_read(self, sold: int) -> None:
        self.shop = max(self.shop - sold, 0)
        self.stock = told(self.stock, polled(self.shop))

    @precondition(lambda self: self.waits)
    @rule(pick=st.integers(0, 99), sold=st.integers(0, 5))
    def tell_the_shop(self, pick: int, sold: int) -> None:
        """It may have sold some since it was last read."""
        name = sorted(self.waits)[pick % len(self.waits)]
        self.shop = max(self.shop - sold, 0)
        self.stock = told(self.stock, put_on_sale(self.shop, self.waits[name], name))
        self.shop += self.waits.pop(name)

    @precondition(lambda self: self.waits)
    @rule(pick=st.integers(0, 99))
    def say_no(self, pick: int) -> None:
        name = sorted(self.waits)[pick % len(self.waits)]
        self.stock = told(self.stock, ListingGivenUp(sku="MUG", purchase_order_id=name, why="rejected"))
        del self.waits[name]

    @invariant()
    def every_unit_counts_once(self) -> None:
        """The shop's figure as it was last read, and exactly what it was not told of."""
        assert self.stock.on_hand == self.shop
        assert Counter({u.purchase_order_id: u.units for u in self.stock.unlisted}) == Counter(self.waits)
        assert self.stock.position == self.shop + sum(self.waits.values())


TestShelf = Shelf.TestCase


@given(there=st.integers(0, 100), units=UNITS)
def test_telling_the_shop_moves_no_position(there: int, units: int) -> None:
    """The goods were here before, and waking replenishment for them would be an order too many."""
    before = told(None, polled(there), came(units))
    after = told(before, put_on_sale(there, units))
    assert (after.position, after.on_hand, after.unlisted) == (before.position, there + units, ())


@given(units=UNITS, sold=st.integers(0, 29))
def test_a_hand_that_told_the_shop_is_recognised(units: int, sold: int) -> None:
    """The figure rises by about what came; half of it may be sold between two looks, and goods are not counted twice."""
    rise = units - min(sold, units // 2)
    stock = told(None, polled(18), came(units), polled(18 + rise))
    assert (stock.here, stock.unlisted) == (18 + rise, ())


def test_what_came_back_is_no_hand_that_told_the_shop() -> None:
    """A returned mug or two are not the thirty that came."""
    stock = told(None, polled(18), came(30), polled(20))
    assert (stock.on_hand, stock.not_on_sale) == (20, 30)


def test_one_rise_explains_one_delivery() -> None:
    """The older one; the other waits on."""
    stock = told(None, polled(18), came(30, "po-1"), came(20, "po-2"), polled(48))
    assert waiting_to_be_listed([stock]) == ("po-2",)


def test_the_first_word_of_a_shop_says_nothing_of_a_hand() -> None:
    """Nobody knew what it had before."""
    stock = told(None, came(30), polled(18))
    assert (stock.on_hand, stock.not_on_sale) == (18, 30)


def test_what_is_given_up_is_not_lost_where_no_shop_counts_the_article() -> None:
    """Then it is here by Steward's own count, and no other will come."""
    given_up = ListingGivenUp(sku="MUG", purchase_order_id="po-1", why="rejected")
    uncounted = told(None, StockCounted(sku="MUG", on_hand=18), came(30), given_up)
    counted = told(None, polled(18), came(30), given_up)
    assert (uncounted.on_hand, counted.on_hand, uncounted.unlisted, counted.unlisted) == (48, 18, (), ())


def test_undoing_is_a_late_no() -> None:
    """What the shop has is all that counts again, and nothing waits to be told once more."""
    action = AdjustStock(sku="MUG", units_before=18, units_after=48, reason="came", purchase_order_id="po-1")
    (undone,) = action.inverse({}).events(Receipt(reference="2", at=NOW + timedelta(hours=1)))
    stock = told(None, polled(18), came(30), put_on_sale(18, 30), undone)
    assert (stock.on_hand, stock.unlisted) == (18, ())


def test_events_and_actions_of_before_mean_what_they_meant() -> None:
    """Their JSON is the same, byte for byte, and so are their digests."""
    old = {"sku": "MUG", "units": 30, "purchase_order_id": "po-1"}
    received = load_event("stock.received", old)
    assert received.model_dump(mode="json") == old
    assert told(None, polled(18), received).on_hand == 48
    action = {"kind": "adjust-stock", "sku": "MUG", "units_before": 1, "units_after": 2, "reason": "counted"}
    assert digest(AdjustStock.model_validate(action)) == digest(action)
    assert "unlisted" not in Stock(sku="MUG").model_dump(mode="json")


def test_what_waits_came_with_an_order() -> None:
    """Nobody could ever tell the shop of anything else."""
    with pytest.raises(ValidationError, match="came with a purchase order"):
        StockReceived(sku="MUG", units=1, on_sale=False)


def test_it_is_said_in_words() -> None:
    """And nothing is, where nothing waits."""
    stock = told(None, polled(40), came(12))
    assert not_on_sale(stock) == "40 on sale, 12 here and not yet in the shop"
    assert not not_on_sale(Stock(sku="MUG", on_hand=40))
