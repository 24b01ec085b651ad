"""The demand forecast: what it must never do, and what it must get right."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from agents.skills.demand_rates import FloatArray, IntArray, croston, exponential_smoothing, moving_average, sba, tsb
from agents.skills.forecast import NO_DEMAND, DemandForecast, demand_pattern, forecast_demand, pinball
from agents.skills.lead_time_demand import gamma_quantile
from domain.errors import InvalidInput

FIRST_DAY = np.zeros(1, np.int64)


def forecast(history: FloatArray, *, horizon: int = 7, level: float = 0.95, start: IntArray | None = None) -> DemandForecast:
    return forecast_demand(history, horizon_days=np.full(len(history), horizon), service_level=level, start=start)


def poisson_shop(rate: float, *, skus: int = 60, days: int = 365, seed: int = 1) -> FloatArray:
    return np.random.default_rng(seed).poisson(rate, (skus, days)).astype(float)


@given(
    history=npst.arrays(float, st.tuples(st.integers(1, 6), st.integers(1, 120)), elements=st.integers(-5, 5_000).map(float)),
    horizon=st.integers(1, 60),
)
@settings(deadline=None, max_examples=60)
def test_every_figure_is_finite_and_not_negative(history: FloatArray, horizon: int) -> None:
    """Whatever the history, there is no NaN, no infinity, nothing below zero, and a quantile is not under its mean."""
    f = forecast(history, horizon=horizon)
    for figure in (f.mean_daily, f.horizon_mean, f.horizon_quantile, f.loss):
        assert np.isfinite(figure).all()
        assert (figure >= 0).all()
    assert (f.horizon_quantile >= f.horizon_mean).all()


def test_nothing_sold_means_nothing_forecast() -> None:
    """A SKU that never sold needs no stock, also next to one that sells well."""
    history = np.stack([np.zeros(200), np.full(200, 9.0)])
    f = forecast(history)
    assert (f.mean_daily[0], f.horizon_quantile[0], f.method[0]) == (0.0, 0.0, NO_DEMAND)


def test_steady_demand_is_its_own_forecast() -> None:
    """Nine a day for a year is nine a day, and a week of it is 63 at any service level."""
    f = forecast(np.full((1, 365), 9.0), horizon=7)
    assert f.mean_daily[0] == pytest.approx(9.0)
    assert f.horizon_quantile[0] == pytest.approx(63.0, abs=1.0)


def test_returns_are_not_negative_sales() -> None:
    """A negative day counts as a day without a sale."""
    history = poisson_shop(2.0, skus=3)
    returned = history.copy()
    returned[:, 100] = -500.0
    history[:, 100] = 0.0
    assert forecast(returned).horizon_quantile == pytest.approx(forecast(history).horizon_quantile)


@pytest.mark.parametrize("rate", [0.05, 0.3, 2.0, 20.0])
def test_quantile_covers_poisson_demand(rate: float) -> None:
    """On demand whose law is known, the 95% level covers 95% of fresh windows, give or take three points."""
    history, future = poisson_shop(rate, skus=400), poisson_shop(rate, skus=400, days=7, seed=2)
    stock = np.ceil(forecast(history).horizon_quantile)
    covered = float((future.sum(axis=1) <= stock).mean())
    assert 0.92 <= covered <= 1.0
    assert stock.mean() <= 7 * rate + 3 * np.sqrt(7 * rate) + 1


def test_dead_item_fades() -> None:
    """What sold well until half a year ago and never since is expected to sell next to nothing."""
    history = poisson_shop(3.0, skus=20)
    history[0, 180:] = 0.0
    assert forecast(history).horizon_mean[0] < 0.05 * forecast(history).horizon_mean[1:].mean()


def test_new_item_leans_on_the_shop() -> None:
    """One sale of 50 on its only day is no rate of 50 a day."""
    history = np.vstack([poisson_shop(2.0, skus=30), np.zeros((1, 365))])
    history[-1, -1] = 50.0
    f = forecast(history)
    assert f.mean_daily[-1] < 10.0
    assert f.pattern[-1] == "new"


def test_known_first_day_is_used() -> None:
    """An item listed for 20 days whose first sale was yesterday is slower than one listed yesterday."""
    history = np.zeros((1, 60))
    history[0, -1] = 5.0
    listed = forecast(history, start=np.array([40]))
    assert listed.mean_daily[0] < forecast(history).mean_daily[0]


def test_week_profile_shortens_a_window_without_busy_days() -> None:
    """A shop that sells on two days of the week needs less for three quiet days than for three busy ones."""
    week = np.array([0.0, 0.0, 0.0, 0.0, 0.0, 30.0, 30.0])
    ends_before_quiet, ends_before_busy = np.tile(week, 40)[None], np.tile(week, 40)[None, :-2]
    quiet, busy = forecast(ends_before_quiet, horizon=3), forecast(ends_before_busy, horizon=3)
    assert quiet.horizon_quantile[0] < 5.0
    assert 50.0 < busy.horizon_quantile[0] < 75.0


def test_chosen_method_loses_least_where_history_is_long() -> None:
    """After a change of level the back-test prefers methods that follow it: the forecast is near the new level."""
    rng = np.random.default_rng(4)
    history = np.concatenate([rng.poisson(20.0, (5, 250)), rng.poisson(4.0, (5, 115))], axis=1).astype(float)
    assert forecast(history).mean_daily == pytest.approx(np.full(5, 4.0), rel=0.35)


def test_short_history_is_not_judged() -> None:
    """Without enough days for a back-test there is a forecast, zero windows, and no invented error."""
    f = forecast(poisson_shop(2.0, skus=2, days=20))
    assert (f.windows == 0).all()
    assert (f.loss == 0).all()
    assert (f.mean_daily > 0).all()


def test_many_skus_are_one_piece_of_work() -> None:
    """Ten times as many take at most twice ten times as long: nothing is done for each pair of them."""

    def seconds(skus: int) -> float:
        history, horizons = poisson_shop(0.4, skus=skus, days=373), np.tile([4, 8, 15, 8], skus // 4)
        began = time.process_time()
        forecast_demand(history, horizon_days=horizons, service_level=0.95)
        return time.process_time() - began

    few, many = (min(seconds(skus) for _ in range(2)) for skus in (200, 2_000))
    assert many < 20 * few


def test_croston_and_sba_on_the_papers_pattern() -> None:
    """A sale of 6 every third day is 2 a day by Croston, 5% less by SBA, and about 2 by TSB."""
    history = np.tile([0.0, 0.0, 6.0], 200)[None]
    assert croston(history, FIRST_DAY)[0, -1] == pytest.approx(2.0)
    assert sba(history, FIRST_DAY)[0, -1] == pytest.approx(1.9)
    assert tsb(history, FIRST_DAY)[0, -1] == pytest.approx(2.0, rel=0.1)


def test_rates_know_nothing_of_the_day_itself() -> None:
    """Column t of every method is the same whatever happens on day t and later."""
    history = poisson_shop(1.0, skus=3, days=90)
    changed = history.copy()
    changed[:, 60:] += 100.0
    start = np.zeros(3, np.int64)
    for path in (croston, sba, tsb, exponential_smoothing, lambda h, s: moving_average(h, s, window=28)):
        assert path(history, start)[:, :61] == pytest.approx(path(changed, start)[:, :61])


def test_patterns_are_named_as_in_the_literature() -> None:
    """Daily sales are smooth, sales now and then intermittent, of uneven size lumpy or erratic."""
    now_and_then, uneven = np.tile([0.0, 0.0, 0.0, 4.0], 30), np.tile([1.0, 1.0, 1.0, 30.0], 30)
    history = np.stack([np.full(120, 5.0), now_and_then, uneven, np.where(now_and_then > 0, uneven + np.arange(120) % 64, 0.0)])
    assert demand_pattern(history, np.zeros(4, np.int64))[:3] == ("smooth", "intermittent", "erratic")


def test_gamma_quantile_of_unit_spread_is_the_exponential() -> None:
    """Mean 1 and variance 1 is the exponential law: its 95% quantile is -ln 0.05."""
    assert gamma_quantile(np.array([1.0]), np.array([1.0]), 0.95)[0] == pytest.approx(-np.log(0.05))


def test_pinball_charges_shortage_by_the_service_level() -> None:
    """At 95%, ten short cost 9.5 and ten too many 0.5."""
    assert pinball(np.array([10.0, 0.0]), np.array([0.0, 10.0]), 0.95) == pytest.approx([9.5, 0.5])


@pytest.mark.parametrize("level", [0.0, 0.3, 1.0, float("nan")])
def test_impossible_service_levels_are_refused(level: float) -> None:
    """A service level lies between one half and one."""
    with pytest.raises(InvalidInput, match="service level"):
        forecast(np.ones((1, 10)), level=level)


def test_a_horizon_is_a_day_at_least() -> None:
    """Horizons of zero days, or not one a SKU, are refused."""
    with pytest.raises(InvalidInput, match="horizon"):
        forecast_demand(np.ones((2, 10)), horizon_days=np.array([3, 0]), service_level=0.9)
