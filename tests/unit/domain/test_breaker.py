"""The breaker's life: closed, open, one trial, closed again."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.effects import Breaker, BreakerState
from tests.unit.domain.happenings import NOW

PAUSE = timedelta(seconds=300)
CLOSED = Breaker(connector="shop", action_kind="refund-order")


def opened() -> Breaker:
    breaker = CLOSED
    for _ in range(5):
        breaker = breaker.after(ok=False, now=NOW, threshold=5)
    return breaker


def test_it_opens_at_the_threshold() -> None:
    """And then lets nothing through."""
    assert opened().state is BreakerState.OPEN
    assert opened().admits(NOW + PAUSE - timedelta(seconds=1), PAUSE) is None


def test_it_lets_one_trial_through_after_the_pause() -> None:
    """A second call in the same moment waits for the first one's end."""
    trial = opened().admits(NOW + PAUSE, PAUSE)
    assert trial is not None
    assert trial.state is BreakerState.HALF_OPEN
    assert trial.admits(NOW + PAUSE, PAUSE) is None


def test_a_trial_that_fails_opens_it_again_and_one_that_succeeds_closes_it() -> None:
    """One call decides."""
    trial = opened().admits(NOW + PAUSE, PAUSE)
    assert trial is not None
    assert trial.after(ok=False, now=NOW, threshold=5).state is BreakerState.OPEN
    assert trial.after(ok=True, now=NOW, threshold=5) == CLOSED


@given(st.lists(st.booleans(), max_size=40))
def test_it_never_opens_without_enough_failures_in_a_row(calls: list[bool]) -> None:
    """A success in between starts the count anew."""
    breaker, in_a_row = CLOSED, 0
    for ok in calls:
        breaker = breaker.after(ok=ok, now=NOW, threshold=5)
        in_a_row = 0 if ok else in_a_row + 1
        assert (breaker.state is BreakerState.OPEN) == (in_a_row >= 5)
