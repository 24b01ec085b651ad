"""Reorder points and quantities: the promises to supplier, budget and shelf, on every input."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import poisson

from agents.skills.forecast import DemandForecast
from agents.skills.order_budget import OrderLimits, Outcome
from agents.skills.reorder import MICROS, Items, ReorderPlan, Terms, packs, per_day, plan_reorders, reorder_points

TERMS = Terms(service_level=0.95, holding_rate=0.25, order_cost=5 * MICROS, review_days=1)
RICH = OrderLimits(budget=10**15, minimum_order={})


@dataclass(frozen=True)
class Sku:
    """One SKU of a test, with the forecast given instead of made."""

    rate: float = 2.0
    spare: float = 10.0  # quantile less mean
    on_hand: int = 0
    reserved: int = 0
    on_order: int = 0
    moq: int = 1
    pack: int = 1
    cost: int = 2 * MICROS
    margin: int = 2 * MICROS
    lead_sd: float = 0.0
    supplier: str = "acme"


def plan(*skus: Sku, limits: OrderLimits = RICH, terms: Terms = TERMS) -> ReorderPlan:
    return plan_reorders(items(skus), told(skus), terms, limits)


def items(skus: tuple[Sku, ...] | list[Sku]) -> Items:
    def whole(name: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return np.array([getattr(s, name) for s in skus], np.int64)

    return Items(
        on_hand=whole("on_hand"),
        reserved=whole("reserved"),
        on_order=whole("on_order"),
        moq=whole("moq"),
        pack_size=whole("pack"),
        unit_cost=whole("cost"),
        unit_margin=whole("margin"),
        lead_days=np.full(len(skus), 7.0),
        lead_sd_days=np.array([s.lead_sd for s in skus]),
        supplier=tuple(s.supplier for s in skus),
    )


def told(skus: tuple[Sku, ...] | list[Sku], horizon: int = 8) -> DemandForecast:
    rate = np.array([s.rate for s in skus])
    n = len(skus)
    return DemandForecast(
        mean_daily=rate,
        horizon_mean=rate * horizon,
        horizon_quantile=rate * horizon + np.array([s.spare for s in skus]),
        horizon_days=np.full(n, horizon),
        method=("SBA",) * n,
        loss=np.ones(n),
        windows=np.full(n, 16),
        pattern=("intermittent",) * n,
    )


SKUS = st.lists(
    st.builds(
        Sku,
        rate=st.floats(0, 200),
        spare=st.floats(0, 500),
        on_hand=st.integers(-50, 500),
        reserved=st.integers(0, 100),
        on_order=st.integers(0, 300),
        moq=st.integers(1, 60),
        pack=st.integers(1, 24),
        cost=st.integers(0, 500 * MICROS),
        margin=st.integers(-5 * MICROS, 500 * MICROS),
        lead_sd=st.floats(0, 10),
        supplier=st.sampled_from(["acme", "bolt", "cog"]),
    ),
    min_size=1,
    max_size=12,
)
LIMITS = st.builds(
    OrderLimits,
    budget=st.integers(0, 20_000 * MICROS),
    minimum_order=st.dictionaries(st.sampled_from(["acme", "bolt"]), st.integers(0, 5_000 * MICROS)),
)


@given(skus=SKUS, limits=LIMITS)
@settings(deadline=None, max_examples=200)
def test_orders_are_what_suppliers_accept(skus: list[Sku], limits: OrderLimits) -> None:
    """Every ordered quantity is positive, whole packs, at least the minimum; each order reaches its supplier's minimum value."""
    found = plan(*skus, limits=limits)
    worth = dict.fromkeys(limits.minimum_order, 0)
    for line in found.ordered:
        sku = skus[line.index]
        assert line.units > 0
        assert line.units % sku.pack == 0
        assert line.units >= sku.moq
        worth[sku.supplier] = worth.get(sku.supplier, 0) + line.units * sku.cost
    assert all(value == 0 or value >= limits.minimum_order.get(s, 0) for s, value in worth.items())


@given(skus=SKUS, limits=LIMITS)
@settings(deadline=None, max_examples=200)
def test_the_budget_is_never_exceeded(skus: list[Sku], limits: OrderLimits) -> None:
    """All orders together cost what the plan says, and no more than the budget."""
    found = plan(*skus, limits=limits)
    assert found.spent == sum(s.units * skus[s.index].cost for s in found.suggestions) <= limits.budget


@given(skus=SKUS, limits=LIMITS)
@settings(deadline=None, max_examples=200)
def test_a_full_order_reaches_the_reorder_point(skus: list[Sku], limits: OrderLimits) -> None:
    """Position plus order is at least the reorder point, unless the line says that budget or supplier forbade it."""
    found = plan(*skus, limits=limits)
    position = items(skus).position
    for line in found.suggestions:
        if line.outcome is Outcome.FULL:
            assert position[line.index] + line.units >= found.reorder_point[line.index]
        else:
            assert "budget" in line.why or "minimum value" in line.why


@given(skus=SKUS)
@settings(deadline=None, max_examples=100)
def test_nothing_is_ordered_above_the_reorder_point(skus: list[Sku]) -> None:
    """What is above its reorder point is not in the plan; what is on order counts as there."""
    found = plan(*skus)
    position = items(skus).position
    assert all(position[s.index] <= found.reorder_point[s.index] for s in found.suggestions)


def test_on_order_counts() -> None:
    """The same need is not ordered twice."""
    assert plan(Sku(on_hand=5)).ordered
    assert not plan(Sku(on_hand=5, on_order=60)).suggestions


def test_reserved_units_are_gone() -> None:
    """Thirty on the shelf of which 29 are promised are one."""
    assert not plan(Sku(on_hand=30)).suggestions
    assert plan(Sku(on_hand=30, reserved=29)).ordered


def test_what_hardly_sells_is_not_stocked() -> None:
    """One sale in two years is not worth a place on the shelf, unless a customer waits for it."""
    dead = plan(Sku(rate=0.001, spare=0.2))
    assert not dead.suggestions
    assert dead.reorder_point[0] == 0
    assert plan(Sku(rate=0.001, spare=0.2, on_hand=0, reserved=2)).ordered[0].units == 2


def test_a_slow_item_is_still_replaced() -> None:
    """A reorder point of zero does not mean that an item that sells monthly is given up."""
    slow = plan(Sku(rate=0.03, spare=0.0))
    assert slow.reorder_point[0] == 1
    assert slow.ordered[0].units >= 1


def test_uneven_lead_times_raise_the_reorder_point() -> None:
    """Independent uncertainties add in squares: 10 for demand and z * 2 * 3 for the lead time."""
    point = reorder_points(told([Sku(lead_sd=3.0)]), np.array([3.0]), service_level=0.95)
    assert point[0] == np.ceil(16 + np.hypot(10, 1.6448536 * 6))


def test_money_goes_first_where_it_saves_most() -> None:
    """Of two lines that fit singly, the one about to run out with the better margin is ordered."""
    empty = Sku(rate=2, on_hand=0, margin=4 * MICROS)
    fuller = Sku(rate=2, on_hand=20, margin=1 * MICROS)
    found = plan(fuller, empty, limits=OrderLimits(budget=30 * MICROS, minimum_order={}))
    assert [s.index for s in found.ordered] == [1]
    assert found.suggestions[0].outcome is Outcome.DROPPED


def test_scarce_money_is_spread_before_anybody_gets_plenty() -> None:
    """With money for half, both lines reach their usual demand before one gets its full quantity."""
    found = plan(Sku(), Sku(), limits=OrderLimits(budget=70 * MICROS, minimum_order={}))
    assert [s.units for s in found.ordered] == [19, 16]
    assert all(s.outcome is Outcome.SHRUNK for s in found.ordered)


def test_an_order_is_raised_to_the_suppliers_minimum() -> None:
    """A few packs more, and the line says why."""
    found = plan(Sku(rate=0.2, spare=1), limits=OrderLimits(budget=10**12, minimum_order={"acme": 50 * MICROS}))
    assert found.spent >= 50 * MICROS
    assert "raised to reach the supplier's minimum" in found.ordered[0].why


def test_an_order_that_cannot_reach_the_minimum_is_held() -> None:
    """Two years' stock is not bought to please a supplier; the line is held, and its money serves others."""
    limits = OrderLimits(budget=60 * MICROS, minimum_order={"acme": 1_000 * MICROS})
    found = plan(Sku(), Sku(supplier="bolt"), limits=limits)
    assert [s.outcome for s in found.suggestions] == [Outcome.HELD, Outcome.SHRUNK]
    assert "held" in found.suggestions[0].why


def test_a_line_explains_itself() -> None:
    """Rate, stock, times, need, what is ordered beyond it and why, quantity, pattern and method stand in one line."""
    line = plan(Sku(rate=2.3, on_hand=9, pack=12)).ordered[0].why
    assert line.startswith("sells 2.3/day, 9 left + 0 coming, lead 7 d + review 1 d, needs 29 at 95% + 136 so that ")
    assert "the next order is 59 d later -> 13 packs of 12" in line
    assert line.endswith("packs of 12; intermittent (SBA)")
    assert "\n" not in line


@pytest.mark.parametrize(
    ("units", "pack", "said"), [(0, 6, "nothing now"), (1, 1, "1 unit"), (6, 6, "1 pack of 6"), (24, 12, "2 packs of 12")]
)
def test_quantities_are_told_in_packs(units: int, pack: int, said: str) -> None:
    """Packs where there are packs, units where there are none."""
    assert packs(units, pack) == said


@pytest.mark.parametrize(("rate", "said"), [(0.0, "nothing"), (0.04, "0.04/day"), (2.34, "2.3/day"), (137.0, "137/day")])
def test_rates_are_told_in_short(rate: float, said: str) -> None:
    """Two figures that mean something."""
    assert per_day(rate) == said


@pytest.mark.parametrize("rate", [0.5, 2.0, 8.0])
def test_the_policy_is_near_the_optimum(rate: float) -> None:
    """On Poisson demand, r and Q of the plan cost at most a fifth more than the best of all (r, Q) at the same penalty."""
    unit, holding, lead = 20.0, 20.0 * 0.25 / 365, 8.0
    costs = _costs(rate, lead, holding, penalty=holding * 0.95 / 0.05)
    level = int(poisson.ppf(0.95, rate * lead))
    found = plan(Sku(rate=rate, spare=level - rate * lead, cost=int(unit * MICROS)))
    r, q = int(found.reorder_point[0]), found.suggestions[0].units - int(found.reorder_point[0])
    assert costs[r, q - 1] <= 1.2 * costs.min()
    assert 0 < costs.argmin() % costs.shape[1] < costs.shape[1] - 1  # the best Q is not one at the edge


def _costs(rate: float, lead: float, holding: float, *, penalty: float) -> NDArray[np.float64]:
    """Of a day, by r from 0 and Q from 1: the position is equally often at each of r + 1 to r + Q, and what it covers is the
    demand of the lead time."""
    r, q, demand = np.arange(120), np.arange(1, 1_200), np.arange(300)
    left = np.arange(1, r[-1] + q[-1] + 2)[:, None] - demand
    at = (holding * left.clip(0) + penalty * (-left).clip(0)) @ poisson.pmf(demand, rate * lead)
    summed = np.concatenate([[0.0], at.cumsum()])
    costs: NDArray[np.float64] = 5.0 * rate / q + (summed[r[:, None] + q] - summed[r[:, None]]) / q
    return costs
