"""The hash chain without a database: any change anywhere is found, and named."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import memory
from domain.event import Event
from memory.chain import START, as_stored, first_problem
from models.embedding import HashingEmbedder
from tests.unit.domain.happenings import NOW, sale
from tests.unit.domain.test_values import PLAIN


async def chain(length: int = 5) -> list[Event]:
    kept = memory.in_memory(embedder=HashingEmbedder(), clock=lambda: NOW)
    return await kept.log.append([sale(n) for n in range(length)])


async def test_a_chain_as_it_was_written_has_no_problem() -> None:
    """The last good head is its end."""
    events = await chain()
    head, problem = first_problem(events, START)
    assert (head.seq, head.hash, problem) == (5, events[-1].hash, "")


CHANGES: list[Callable[[Event], dict[str, Any]]] = [
    lambda e: {"at": e.at + timedelta(microseconds=1)},
    lambda e: {"recorded_at": e.recorded_at - timedelta(microseconds=1)},
    lambda e: {"data": {**e.data, "units": 99}},
    lambda e: {"pre": None if e.pre else {}},
    lambda e: {"post": {**e.post, "on_hand": 0}},
    lambda e: {"actor": "mallory"},
    lambda e: {"flags": {"beta": "on"}},
    lambda e: {"policy_versions": {"gate": 9}},
    lambda e: {"stream_version": e.stream_version + 1},
    lambda e: {"hash": "0" * 64},
]


@pytest.mark.parametrize("change", CHANGES)
async def test_a_change_of_any_column_is_found(change: Callable[[Event], dict[str, Any]]) -> None:
    """The problem names the event that was changed."""
    events = await chain()
    events[2] = events[2].model_copy(update=change(events[2]))
    _, problem = first_problem(events, START)
    assert "event 3" in problem


@given(st.sets(st.integers(0, 4), min_size=1, max_size=4))
async def test_events_that_are_taken_out_are_missed(gone: set[int]) -> None:
    """Unless they were the last ones: that is what the head is for."""
    events = await chain()
    left = [event for n, event in enumerate(events) if n not in gone]
    head, problem = first_problem(left, START)
    only_the_tail = gone == set(range(5 - len(gone), 5))
    assert bool(problem) != only_the_tail
    assert head.seq == min(gone)


@given(PLAIN)
def test_numbers_are_respelled_once(value: Any) -> None:
    """What Postgres gives back hashes like what was written."""
    assert as_stored(as_stored(value)) == as_stored(value) == value
