"""Folding: the state of a stream depends on its events and on nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalogue import ENTITY_TYPES, EVENT_TYPES, KIND_OF, fold, load_entity, load_event, split_stream
from domain.entities import Stock, TicketStatus
from domain.errors import InvalidInput
from domain.event import EventData
from domain.events import (
    ListingGivenUp,
    MessageReceived,
    OrderShipped,
    ReorderPointSet,
    SaleRecorded,
    StockCounted,
    StockOrdered,
    TicketClosed,
)
from memory.folding import Folder, StreamState
from tests.unit.domain.happenings import HAPPENINGS, NOW, STOCK, STORIES, message


def states(story: list[EventData], start: dict[str, StreamState] | None = None) -> dict[str, StreamState]:
    folder = Folder(start or {})
    for data in story:
        folder.fold(data)
    return folder.states


@given(STORIES, st.integers(0, 25))
def test_a_story_told_in_two_halves_ends_in_the_same_state(story: list[EventData], cut: int) -> None:
    """The second half starts from stored JSON, as an append after a restart does."""
    assert states(story[cut:], states(story[:cut])) == states(story)


@given(STORIES)
def test_streams_do_not_touch_each_other(story: list[EventData]) -> None:
    """Folding only one stream's events gives that stream's state."""
    for stream, state in states(story).items():
        assert states([data for data in story if data.stream == stream])[stream] == state


@given(STORIES)
def test_every_state_can_be_read_back(story: list[EventData]) -> None:
    """What a fold leaves is a valid entity of the stream's kind."""
    for stream, state in states(story).items():
        assert state.body is not None
        kind, _ = split_stream(stream)
        assert load_entity(kind, state.body).model_dump(mode="json") == state.body


@given(HAPPENINGS)
def test_an_event_survives_its_own_json(data: EventData) -> None:
    """Loading what was stored gives an equal event."""
    assert load_event(data.type, data.model_dump(mode="json")) == data


@given(st.lists(STOCK, max_size=30))
def test_replenishment_is_woken_exactly_by_the_events_that_cross_the_reorder_point(story: list[EventData]) -> None:
    """A stock that stays under its reorder point wakes nobody again."""
    stocks: dict[str, Stock | None] = {}
    for data in story:
        before = stocks.get(data.stream)
        after = stocks[data.stream] = fold(before, data)
        was_below = before is not None and before.below_reorder_point
        crossed = after.below_reorder_point and not was_below and bool(after.supplier_id)
        by_a_plan = isinstance(
            data, ReorderPointSet | StockOrdered | ListingGivenUp
        )  # what it takes back stays back, and what is here is
        assert (data.wakes(before, after) is not None) == (crossed and not by_a_plan)


def test_a_sale_that_reaches_the_reorder_point_wakes_the_supplier() -> None:
    """At the reorder point counts as under it."""
    stock = fold(fold(None, StockCounted(sku="MUG", on_hand=10)), ReorderPointSet(sku="MUG", reorder_point=7, supplier_id="acme"))
    sale = SaleRecorded(sku="MUG", units=3, day=NOW.date())
    wake = sale.wakes(stock, fold(stock, sale))
    assert wake is not None
    assert wake.key == "acme"


def test_a_message_reopens_a_closed_ticket() -> None:
    """It counts how often that happened."""
    first = MessageReceived(ticket_id="t1", source="mail", message=message("m1", "hello"))
    closed = fold(fold(None, first), TicketClosed(ticket_id="t1", reason="answered"))
    again = fold(closed, MessageReceived(ticket_id="t1", source="mail", message=message("m2", "still broken")))
    assert (again.status, again.reopened, len(again.messages)) == (TicketStatus.OPEN, 1, 2)


def test_an_order_that_was_never_placed_cannot_ship() -> None:
    """An event on a stream that has not begun says so."""
    with pytest.raises(InvalidInput, match="order/1 does not exist yet"):
        fold(None, OrderShipped(order_id="1", at=NOW))


def test_every_event_type_folds_into_an_entity_of_the_catalogue() -> None:
    """Nothing can be appended that has no projection."""
    assert {event.entity for event in EVENT_TYPES.values()} <= set(KIND_OF)
    assert {entity: kind for kind, entity in ENTITY_TYPES.items()} == KIND_OF
