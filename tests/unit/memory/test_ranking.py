"""Fusing rankings."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.passage import Passage
from memory.ranking import decay, fuse
from memory.vectors import nearest_of
from tests.unit.domain.happenings import NOW

IDS = [f"p{n}" for n in range(8)]
PASSAGES = {i: Passage(passage_id=i, text=i, at=NOW) for i in IDS}
RANKINGS = st.lists(st.sampled_from(IDS), unique=True)


@given(RANKINGS, RANKINGS)
def test_the_order_of_the_signals_does_not_matter(text: list[str], vector: list[str]) -> None:
    """The same ranks give the same result, to the last tie."""
    one = fuse({"text": text, "vector": vector}, PASSAGES, now=NOW, limit=8)
    other = fuse({"vector": vector, "text": text}, PASSAGES, now=NOW, limit=8)
    assert [(r.passage, r.score) for r in one] == [(r.passage, r.score) for r in other]


@given(RANKINGS)
def test_one_signal_alone_keeps_its_order(text: list[str]) -> None:
    """Fusion invents no preferences."""
    assert [r.passage.passage_id for r in fuse({"text": text}, PASSAGES, now=NOW, limit=8)] == text


def test_what_two_signals_agree_on_comes_before_what_one_prefers() -> None:
    """Second in both beats first in one."""
    found = fuse({"text": ["p1", "p2"], "vector": ["p3", "p2"]}, PASSAGES, now=NOW, limit=1)
    assert found[0].passage.passage_id == "p2"
    assert found[0].ranks == {"text": 2, "vector": 2}


def test_age_halves_a_score_in_half_a_year() -> None:
    """The future counts as new."""
    assert decay(timedelta(days=180)) == 0.5
    assert decay(timedelta(days=-3)) == 1.0


def test_neighbours_that_are_as_far_as_the_last_one_found_are_left_out() -> None:
    """Which of many equals were found is chance."""
    found = [(0.1, "near"), *((0.4, f"equal{n}") for n in range(199))]
    assert nearest_of(found, 50) == ["near"]
    assert len(nearest_of(found[:-1], 50)) == 50
