"""What arrived and is not in the connected shop's figure yet: counted once, whatever the shop says meanwhile."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from pydantic import ValidationError

from connectors.shop_reading import ToldItem, item_events
from domain.actions import AdjustStock, Receipt
from domain.catalogue import fold, load_event
from domain.deliveries import not_on_sale, waiting_to_be_listed
from domain.entities import Stock
from domain.event import EventData
from domain.events import ListingGivenUp, StockCounted, StockOrdered, StockReceived
from domain.ids import digest
from domain.money import Money

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
UNITS = st.integers(1, 60)


@dataclass(frozen=True)
class Read:
    """The connected shop was read, and says how many it has."""

    on_hand: int

    def events(self, stock: Stock | None) -> list[EventData]:
        """What a reading leaves in the stock's log, which may be nothing."""
        item = ToldItem(sku="MUG", title="Moss mug", price=Money.of(29), as_of=NOW, on_hand=self.on_hand)
        return [new.data for new in item_events(item, None, stock) if isinstance(new.data, StockCounted)]


def told(stock: Stock | None, *story: EventData | Read) -> Stock:
    for step in story:
        for data in step.events(stock) if isinstance(step, Read) else [step]:
            stock = fold(stock, data)
    assert stock is not None
    return stock


def polled(on_hand: int) -> Read:
    return Read(on_hand)


def catalogue(on_hand: int) -> StockCounted:
    """What a file said before a shop was connected."""
    return StockCounted(sku="MUG", on_hand=on_hand)


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
    def tell_the_shop_and_read_it_before_that_is_recorded(self, pick: int) -> None:
        """Of deliveries of one size nothing but the record tells one from another, so of those it is the newest."""
        name = list(self.waits)[pick % len(self.waits)]
        name = [other for other, units in self.waits.items() if units == self.waits[name]][-1]
        recorded = put_on_sale(self.shop, self.waits[name], name)
        self.shop += self.waits.pop(name)
        self.stock = told(self.stock, polled(self.shop), recorded)

    @precondition(lambda self: self.waits)
    @rule(pick=st.integers(0, 99))
    def tell_the_shop_by_hand(self, pick: int) -> None:
        """The newest of its size is taken for it."""
        units = list(self.waits.values())[pick % len(self.waits)]
        del self.waits[[name for name, waits in self.waits.items() if waits == units][-1]]
        self.shop += units
        self.stock = told(self.stock, polled(self.shop))

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
    """The figure rises by about what came; a quarter of it may be sold between two looks, and goods are not counted twice."""
    rise = units - min(sold, units // 4)
    stock = told(None, polled(18), came(units), polled(18 + rise))
    assert (stock.here, stock.unlisted) == (18 + rise, ())


def test_what_came_back_is_no_hand_that_told_the_shop() -> None:
    """A returned mug or two are not the thirty that came."""
    stock = told(None, polled(18), came(30), polled(20))
    assert (stock.on_hand, stock.not_on_sale) == (20, 30)


@pytest.mark.parametrize(("units", "rise"), [(2, 1), (3, 2), (4, 2), (10, 7), (48, 35)])
def test_less_than_three_quarters_are_no_hand_that_told_the_shop(units: int, rise: int) -> None:
    """A return raises the figure too; one more is a hand."""
    stock = told(None, polled(18), came(units))
    assert told(stock, polled(18 + rise)).not_on_sale == units
    assert told(stock, polled(18 + rise + 1)).not_on_sale == 0


def test_one_rise_explains_one_delivery() -> None:
    """The older one; the other waits on."""
    stock = told(None, polled(18), came(30, "po-1"), came(20, "po-2"), polled(47))
    assert waiting_to_be_listed([stock]) == ("po-2",)


@pytest.mark.parametrize(("rise", "waits"), [(24, "po-1"), (30, "po-2")])
def test_a_rise_by_exactly_one_delivery_is_that_one(rise: int, waits: str) -> None:
    """The shop may be read before the record of having told it; the older delivery is not lost over that."""
    stock = told(None, polled(18), came(30, "po-1"), came(24, "po-2"), polled(18 + rise))
    assert waiting_to_be_listed([stock]) == (waits,)


def test_two_lines_of_one_order_are_one_delivery() -> None:
    """They are told together, and are explained together."""
    stock = told(None, polled(18), came(40, "po-1"), came(25, "po-2"), came(15, "po-2"), polled(58))
    assert waiting_to_be_listed([stock]) == ("po-1",)


def test_the_first_word_of_a_shop_says_nothing_of_a_hand() -> None:
    """Nobody knew what it had before."""
    stock = told(None, came(30), polled(18))
    assert (stock.on_hand, stock.not_on_sale) == (18, 30)


@pytest.mark.parametrize(("sold", "waits"), [(0, 0), (2, 0), (15, 30)])
def test_a_shop_that_agrees_with_the_catalogue_has_spoken_all_the_same(sold: int, waits: int) -> None:
    """So that the next reading is no first word: 30 put there by hand are seen, however many are sold meanwhile."""
    stock = told(None, catalogue(18), polled(18), came(30), polled(48 - sold))
    assert (stock.on_hand, stock.not_on_sale) == (48 - sold, waits)


def test_what_is_given_up_is_not_lost_where_no_shop_counts_the_article() -> None:
    """Then it is here by Steward's own count, and no other will come: be it that the shop never counted it, or no longer does."""
    given_up = ListingGivenUp(sku="MUG", purchase_order_id="po-1", why="rejected")
    uncounted = ListingGivenUp(sku="MUG", purchase_order_id="po-1", why="not counted", counted=False)
    never, agreed = told(None, catalogue(18), came(30), given_up), told(None, catalogue(18), polled(18), came(30), given_up)
    no_longer, counted = told(None, polled(18), came(30), uncounted), told(None, polled(18), came(30), given_up)
    assert [stock.on_hand for stock in (never, no_longer, agreed, counted)] == [48, 48, 18, 18]
    assert not any(stock.unlisted for stock in (never, no_longer, agreed, counted))


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
    given_up = {"sku": "MUG", "purchase_order_id": "po-1", "why": "rejected"}
    assert load_event("stock.listing-given-up", given_up).model_dump(mode="json") == given_up
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
