"""A learned stock policy reaches the orders: the same numbers in the replay, in the forecast and in the plan."""

import numpy as np
import pytest

from agents.skills.lead_times import LeadTime, learned_lead_time
from agents.skills.order_budget import OrderLimits
from agents.skills.reorder import MICROS, Items, ReorderPlan, Terms, plan_reorders
from agents.skills.smoothed_demand import first_sale, smoothed_demand, smoothed_forecast
from domain.policies import StockPolicy
from learning.stock_replay import past_of
from learning.stock_targets import Forecasting, targets

SKUS, DAYS = 30, 200
UNITS = np.random.default_rng(7).negative_binomial(2, 0.3, (SKUS, DAYS)).astype(float)
LEARNED = StockPolicy(memory_days=45, pooling=0.5, safety_factor=2.0, lot_factor=1.5)


def shelf(on_hand: int = 0) -> Items:
    ones = np.ones(SKUS, np.int64)
    nothing, none = np.zeros(SKUS, np.int64), np.zeros(SKUS)
    costs, margins = ones * 2 * MICROS, ones * MICROS
    return Items(ones * on_hand, nothing, nothing, ones, ones, costs, margins, np.full(SKUS, 7.0), none, ("acme",) * SKUS)


def planned(policy: StockPolicy) -> ReorderPlan:
    told = smoothed_forecast(
        UNITS, horizon_days=np.full(SKUS, 8), service_level=0.95, memory_days=policy.memory_days, pooling=policy.pooling
    )
    terms = Terms(
        service_level=0.95,
        holding_rate=0.25,
        order_cost=5 * MICROS,
        review_days=1,
        safety_factor=policy.safety_factor,
        lot_factor=policy.lot_factor,
    )
    return plan_reorders(shelf(), told, terms, OrderLimits(budget=10**12, minimum_order={}))


def test_the_plan_does_what_was_replayed() -> None:
    """Reorder points and quantities of the planner are those of the replay's last evening, unit for unit."""
    past = past_of(UNITS, shelf(), LEARNED)
    known = targets(Forecasting.of(LEARNED), UNITS, past.supply.lead_days, past.costs, first=DAYS)
    point, level = known.at(DAYS, safety=np.array([[LEARNED.safety_factor]]), lots=np.array([[LEARNED.lot_factor]]))
    plan = planned(LEARNED)
    np.testing.assert_array_equal(plan.reorder_point, point[0])
    assert {s.index: s.units for s in plan.suggestions} == dict(enumerate(level[0]))


def test_a_larger_factor_orders_more() -> None:
    """Safety and lot factors raise the points and the quantities of the live plan, and its reasons say so."""
    plain, learned = planned(LEARNED.model_copy(update={"safety_factor": 1.0, "lot_factor": 1.0})), planned(LEARNED)
    assert (learned.reorder_point > plain.reorder_point).all()
    assert learned.spent > plain.spent
    assert "at 95% with 2 times the safety stock" in learned.suggestions[0].why


def test_a_long_memory_is_the_mean_of_the_history() -> None:
    """With a memory far longer than the history, and no pooling, mean and spread are the textbook's."""
    known = smoothed_demand(UNITS, np.zeros(SKUS, np.int64), memory_days=1e7, pooling=0)
    np.testing.assert_allclose(known.mean[:, -1], UNITS.mean(axis=1), rtol=1e-4)
    np.testing.assert_allclose(known.sd[:, -1], UNITS.std(axis=1), rtol=1e-4)


def test_pooling_draws_spreads_together() -> None:
    """SKUs that sell alike have spreads nearer to each other when pooled, around the same middle."""
    own, pooled = (smoothed_demand(UNITS, first_sale(UNITS), memory_days=45, pooling=p).sd[:, -1] for p in (0.0, 0.8))
    assert pooled.std() < 0.7 * own.std()
    assert pooled.mean() == pytest.approx(own.mean(), rel=0.1)


def test_what_never_sold_is_forecast_as_nothing() -> None:
    """No NaN and no demand for a row of zeros; after a single day there is nothing to be judged by."""
    units = UNITS.copy()
    units[0] = 0
    told = smoothed_forecast(units, horizon_days=np.full(SKUS, 8), service_level=0.95, memory_days=45, pooling=0.5)
    assert told.horizon_quantile[0] == 0
    assert told.method[0] == "no demand"
    newest = smoothed_forecast(units[:, :1], horizon_days=np.full(SKUS, 8), service_level=0.95, memory_days=45, pooling=0.5)
    assert np.isfinite(newest.horizon_quantile).all()
    assert (newest.windows == 0).all()


def test_the_forecast_is_judged_on_past_windows() -> None:
    """A year has the full number of windows; a quantile that was always kept would lose a twentieth of what is left over."""
    told = smoothed_forecast(UNITS, horizon_days=np.full(SKUS, 8), service_level=0.95, memory_days=90, pooling=0.5)
    assert (told.windows == 16).all()
    assert (told.loss > 0).all()
    assert (told.loss < told.horizon_mean).all()


@pytest.mark.parametrize(("seen", "days"), [([], 7.0), ([13.0] * 3, 10.0), ([13.0] * 27, 12.4)])
def test_deliveries_outweigh_what_is_stated(seen: list[float], days: float) -> None:
    """Three deliveries count as much as the supplier's word, many more than it."""
    assert learned_lead_time(seen, LeadTime(7, 1)).days == pytest.approx(days)


def test_a_wrong_word_widens_the_spread() -> None:
    """Deliveries that agree with each other but not with the supplier make it less sure; agreeing ones, surer."""
    assert learned_lead_time([13.0, 13.0], LeadTime(7, 1)).sd > 2
    assert learned_lead_time([7.0, 7.0, 7.0], LeadTime(7, 1)).sd < 1
