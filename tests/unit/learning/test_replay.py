"""Shadow replay: who was right where only one of the two was."""

from hypothesis import given
from hypothesis import strategies as st

from learning.replay import Paired, paired, thresholds
from tests.unit.learning.test_candidate_thresholds import reviews

ANSWERS = st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from(["late", "damaged", "return"]))


def test_only_cases_where_one_of_the_two_was_right_count() -> None:
    """Both right and both wrong say nothing."""
    truth = {"a": "late", "b": "late", "c": "late", "d": "late"}
    old, new = {"a": "late", "b": "x", "c": "late", "d": "x"}, {"a": "late", "b": "late", "c": "x", "d": "y"}
    assert paired(old, new, truth) == Paired(wins=1, losses=1, golden_regressions=0, compared=4)


def test_a_loss_on_a_golden_case_is_a_regression() -> None:
    """However many wins there are."""
    truth = {"a": "late", "b": "late"}
    assert paired(truth, {"a": "x", "b": "late"}, truth, golden={"a"}).golden_regressions == 1


@given(ANSWERS, ANSWERS, ANSWERS)
def test_swapping_the_two_swaps_wins_and_losses(old: dict[str, str], new: dict[str, str], truth: dict[str, str]) -> None:
    """Whatever they answered."""
    one, other = paired(old, new, truth), paired(new, old, truth)
    assert (one.wins, one.losses) == (other.losses, other.wins)
    assert one.wins + one.losses <= one.compared <= len(truth)


def test_a_floor_is_right_where_it_asks_exactly_about_what_was_changed() -> None:
    """Lowering it wins where nothing was changed and loses where something was."""
    seen = [*reviews(9, sure=0.7), *reviews(2, sure=0.7, corrected=2, start=20)]
    lowered = thresholds(seen, incumbent=0.75, candidate=0.65, golden={"support/t-20"})
    assert lowered == Paired(wins=9, losses=2, golden_regressions=1, compared=11)
    assert thresholds(seen, incumbent=0.65, candidate=0.75).wins == 2
