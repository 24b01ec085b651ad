"""When the learner changes a shop's stock policy, when it leaves it alone, and what it tells."""

import numpy as np
import pytest

from agents.skills.demand_rates import FloatArray
from domain.errors import InvalidInput
from domain.policies import StockPolicy
from learning.stock_backtest import choose_policy, stock_candidates
from learning.stock_replay import ShopPast, replay
from learning.stock_simulation import StockCosts, Supply
from learning.stock_targets import Forecasting, targets

SKUS, DAYS = 60, 180
TEXTBOOK = StockPolicy(memory_days=3_650, pooling=0)
LEAN = TEXTBOOK.model_copy(update={"safety_factor": 0.05, "lot_factor": 0.1, "least_fill_rate": 0.995})


def past(units: FloatArray) -> ShopPast:
    n = len(units)
    ones, price = np.ones(n, np.int64), np.full(n, 2.0)
    return ShopPast(units, Supply(ones * 7, ones, ones), StockCosts(price * 0.25 / 365, price * 0.4, 5.0))


def steady(seed: int) -> FloatArray:
    rng = np.random.default_rng(seed)
    return rng.poisson(rng.uniform(1, 8, SKUS)[:, None], (SKUS, DAYS)).astype(float)


@pytest.mark.parametrize("seed", range(3))
def test_a_good_incumbent_stays(seed: int) -> None:
    """Where demand never changes the textbook is kept, whatever a candidate happened to save."""
    choice = choose_policy(past(steady(seed)), TEXTBOOK, stock_candidates(TEXTBOOK))
    assert not choice.changed
    assert choice.policy == TEXTBOOK


def test_a_bad_incumbent_goes() -> None:
    """Hardly any safety stock loses sales; the policy chosen instead serves as wanted and costs less."""
    choice = choose_policy(past(steady(1)), LEAN, stock_candidates(TEXTBOOK))
    assert choice.changed
    assert choice.incumbent_fill_rate < LEAN.least_fill_rate <= choice.fill_rate
    assert choice.cost < choice.incumbent_cost
    assert choice.saving.sum() > 0


def test_a_saving_on_one_sku_is_no_evidence() -> None:
    """One SKU that a single huge order would have paid for says nothing on the other fifty-nine."""
    units = steady(2)
    units[0, 150] = 5_000
    choice = choose_policy(past(units), TEXTBOOK, stock_candidates(TEXTBOOK))
    assert not choice.changed
    assert choice.sure < 0.9


def test_the_future_is_not_known() -> None:
    """What a policy sets for a day depends on no day from it on."""
    units, other = steady(3), steady(3)
    other[:, 150:] *= 10
    short = Forecasting.of(TEXTBOOK.model_copy(update={"memory_days": 45.0}))
    seen, altered = (targets(short, u, np.full(SKUS, 7), past(u).costs, first=60) for u in (units, other))
    np.testing.assert_array_equal(seen.base[:, :151], altered.base[:, :151])  # column 150 is what was known before day 150
    np.testing.assert_array_equal(seen.safety[:, :151], altered.safety[:, :151])
    assert (seen.base[:, 151] != altered.base[:, 151]).any()


def test_the_planners_own_forecast_is_replayed_too() -> None:
    """The default policy, whose method differs by SKU, is an incumbent like any other."""
    policies = [StockPolicy(), StockPolicy(safety_factor=2.0)]
    ledger = replay(past(steady(4)[:15, :120]), policies)
    assert ledger.holding[1].sum() > ledger.holding[0].sum()
    assert ledger.fill_rate[1] >= ledger.fill_rate[0] > 0.9


def test_the_explanation_names_both_sides() -> None:
    """What was, what would be, and how sure: in one sentence for the operator."""
    told = choose_policy(past(steady(1)), LEAN, stock_candidates(TEXTBOOK)).explanation
    assert all(words in told for words in ("in force would have cost", "99.5% is wanted", "economic quantity", "sure: change"))


def test_a_short_past_decides_nothing() -> None:
    """Two months are refused with the number of days that are needed."""
    with pytest.raises(InvalidInput, match="60 days"):
        choose_policy(past(steady(0)[:, :60]), TEXTBOOK, stock_candidates(TEXTBOOK))


def test_what_sold_nothing_before_the_replay_is_left_out() -> None:
    """A SKU that starts selling later costs nothing under any policy: its first sales could not be planned."""
    units = steady(5)
    units[0, :100] = 0
    ledger = replay(past(units), [TEXTBOOK, LEAN])
    assert (ledger.cost[:, 0] == 0).all()
    assert (ledger.cost[:, 1:] > 0).all()


def test_the_same_past_gives_the_same_choice() -> None:
    """No randomness: the choice can be repeated and checked."""
    first, second = (choose_policy(past(steady(1)), LEAN, stock_candidates(TEXTBOOK)) for _ in range(2))
    assert (first.policy, first.sure, first.explanation) == (second.policy, second.sure, second.explanation)
