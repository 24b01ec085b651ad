"""Assignment: repeatable, sticky while the share grows, even over units, and ramped by exposures."""

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from domain.actions import Risk
from domain.choice import unit_of
from domain.experiments import Arm
from learning.assignment import arm, ramp


@given(salt=st.text(), unit=st.text(), shares=st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_what_has_the_candidate_keeps_it_when_the_share_grows(salt: str, unit: str, shares: tuple[float, float]) -> None:
    """A unit's place is fixed; only the line moves."""
    low, high = sorted(shares)
    assert arm(salt, unit, low) is Arm.CONTROL or arm(salt, unit, high) is Arm.CANDIDATE
    assert 0 <= unit_of(salt, unit) < 1
    assert (arm(salt, unit, 0.0), arm(salt, unit, 1.0)) == (Arm.CONTROL, Arm.CANDIDATE)


def test_units_are_spread_evenly_and_each_experiment_anew() -> None:
    """A tenth of the units is in the first tenth, and another salt picks others."""
    first, second = ({u for u in range(20_000) if arm(salt, f"run/{u}", 0.1) is Arm.CANDIDATE} for salt in ("a", "b"))
    assert abs(len(first) - 2_000) < 4 * (20_000 * 0.09) ** 0.5
    assert abs(len(first & second) - 200) < 4 * 200**0.5


def test_the_hash_is_the_one_that_running_experiments_rely_on() -> None:
    """Another hash would move units between the arms of experiments under way."""
    hashed = sha256(b'["support@2","run/1"]').digest()[:8]
    assert unit_of("support@2", "run/1") == int.from_bytes(hashed) // 2**11 / 2**53


def test_the_share_grows_with_exposures_and_is_smaller_where_mistakes_cost_more() -> None:
    """Ten, twenty-five, fifty in a hundred for money and stock; never more than half before the verdict."""
    assert [ramp(n, Risk.R2) for n in (0, 29, 30, 89, 90, 10_000)] == [0.1, 0.1, 0.25, 0.25, 0.5, 0.5]
    for n in range(200):
        shares = [ramp(n, risk) for risk in Risk]
        assert shares == sorted(shares, reverse=True)
        assert ramp(n, Risk.R1) <= ramp(n + 1, Risk.R1) <= 0.5
