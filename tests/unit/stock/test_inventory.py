"""The single-item formulas: against brute force, and against the optima the textbook states for its own instances."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.optimize import minimize
from scipy.stats import norm

from agents.skills import eoq, inventory
from domain.errors import InvalidInput

EXACT = 1e-6
Given = dict[str, Any]

# What the textbook and the tests of its companion library state for the instances of these names.
EOQ = {"example_3_1": (304.0467800264368, 68.410525505948272), "problem_3_1": (1728.109844993551, 475230.2073732266)}
EOQ_BACKORDERS = {"example_3_8": (310.8125551589646, 0.043062200956938), "problem_3_2b": (83.235448128898042, 0.400299850074962)}
NEWSVENDOR = {
    "example_4_1": (56.603955927433887, 1.997605193176645),
    "problem_4_1": (922.7214038234755, 2718.196781782411),
    "example_4_4": (264.7668943741548, 4.466781004149578),
}
NEWSVENDOR_POISSON = {"problem_4_8a": (19, 786.0884409351115)}
MIN_MAX = {"example_4_7": (4, 10, 8.034111561471644), "problem_4_31": (2, 7, 223.5748295669688)}
POWER = {"example_4_8": (40.194616956474071, 74.290170109805786), "problem_4_32": (226.6137928222839, 324.3797868133974)}
R_Q_POISSON = {"example_5_8": (3, 5, 107.9235806331498), "problem_5_2": (6, 7, 28.241312842169155)}


@pytest.fixture
def instances(shared_data: Path) -> dict[str, Given]:
    read = json.loads((shared_data / "stockpyl" / "stockpyl_instances.json").read_text())
    return {i["name"]: i["data"] for i in read["instances"]}


@pytest.mark.parametrize("name", EOQ)
def test_eoq_is_the_textbooks(instances: dict[str, Given], name: str) -> None:
    """EOQ gives the stated quantity and cost."""
    quantity = float(eoq.eoq(**instances[name]))
    cost = eoq.eoq_cost(quantity=quantity, **instances[name])
    assert (quantity, cost) == pytest.approx(EOQ[name], abs=EXACT)


@pytest.mark.parametrize("name", EOQ_BACKORDERS)
def test_eoq_with_backorders_is_the_textbooks(instances: dict[str, Given], name: str) -> None:
    """EOQ with backorders gives the stated quantity and fraction backordered."""
    assert eoq.eoq_with_backorders(**instances[name]) == pytest.approx(EOQ_BACKORDERS[name], abs=EXACT)


@pytest.mark.parametrize("name", NEWSVENDOR)
def test_newsvendor_is_the_textbooks(instances: dict[str, Given], name: str) -> None:
    """Normal demand, with and without lead time: the stated base-stock level and cost."""
    best = inventory.newsvendor_normal(**instances[name])
    assert (best.level, best.cost) == pytest.approx(NEWSVENDOR[name], abs=EXACT)


@pytest.mark.parametrize("name", ["example_4_2", "problem_4_3b"])
def test_newsvendor_with_prices_maximises_profit(instances: dict[str, Given], name: str) -> None:
    """The explicit form is the quantity of which no neighbour earns more, and its profit is the integral's."""
    given = instances[name]
    best = inventory.newsvendor_profit(**given)
    profits = [_expected_profit(best.level + step, **given) for step in (-0.01, 0.0, 0.01)]
    assert profits[1] == max(profits)
    assert -best.cost == pytest.approx(profits[1], abs=EXACT)


@pytest.mark.parametrize("name", NEWSVENDOR_POISSON)
def test_poisson_newsvendor_is_the_textbooks(instances: dict[str, Given], name: str) -> None:
    """Poisson demand: the stated level and cost."""
    best = inventory.newsvendor_poisson(**instances[name])
    assert (best.level, best.cost) == pytest.approx(NEWSVENDOR_POISSON[name], abs=EXACT)


def test_discrete_newsvendor_is_the_textbooks(instances: dict[str, Given]) -> None:
    """Demand by a table of probabilities: level 5 at 1,225,000."""
    given = dict(instances["problem_4_7b"])
    table = given.pop("demand_pmf")
    pmf = np.array([table.get(str(d), 0.0) for d in range(9)])
    best = inventory.newsvendor_discrete(**given, pmf=pmf)
    assert (best.level, best.cost) == pytest.approx((5, 1_225_000), abs=EXACT)


@pytest.mark.parametrize("name", MIN_MAX)
def test_min_max_is_the_textbooks(instances: dict[str, Given], name: str) -> None:
    """(s, S) under Poisson demand: the stated pair and cost."""
    given = dict(instances[name])
    pmf = inventory.poisson_pmf(given.pop("demand_mean"))
    best = inventory.s_s_discrete(**given, pmf=pmf)
    assert (best.s, best.big_s, best.cost) == pytest.approx(MIN_MAX[name], abs=EXACT)


@pytest.mark.parametrize("name", POWER)
def test_power_approximation_is_the_textbooks(instances: dict[str, Given], name: str) -> None:
    """(s, S) under normal demand by the power approximation: the stated pair."""
    assert inventory.s_s_power_approximation(**instances[name]) == pytest.approx(POWER[name], abs=EXACT)


@pytest.mark.parametrize("name", R_Q_POISSON)
def test_whole_unit_r_q_is_the_textbooks(instances: dict[str, Given], name: str) -> None:
    """(r, Q) under Poisson demand: the stated pair and cost."""
    best = inventory.r_q_poisson(**instances[name])
    assert (best.r, best.q, best.cost) == pytest.approx(R_Q_POISSON[name], abs=EXACT)


@pytest.mark.parametrize("name", ["example_5_1", "problem_5_1", "problem_5_3"])
def test_r_q_cannot_be_beaten(instances: dict[str, Given], name: str) -> None:
    """(r, Q) under normal demand costs no more than what a general minimiser finds on the cost function."""
    best = inventory.r_q_normal(**instances[name])

    def cost(x: NDArray[np.float64]) -> float:
        return inventory.r_q_cost(float(x[0]), float(x[1]), **instances[name])

    found = minimize(cost, np.array([best.r * 0.9, best.q * 1.1]), method="Nelder-Mead", tol=1e-12)
    assert best.cost == pytest.approx(inventory.r_q_cost(best.r, best.q, **instances[name]), abs=EXACT)
    assert best.cost == pytest.approx(float(found.fun), abs=EXACT)


def test_r_q_cost_is_the_textbooks() -> None:
    """Example 5.1: (126.8, 328.5) costs 78.0711625 a year."""
    given = {
        "holding_cost": 0.225,
        "stockout_cost": 7.5,
        "fixed_cost": 8,
        "demand_mean": 1300,
        "demand_sd": 150,
        "lead_time": 1 / 12,
    }
    assert inventory.r_q_cost(126.8, 328.5, **given) == pytest.approx(78.071162509282942, abs=EXACT)


def test_eoq_has_no_cheaper_neighbour() -> None:
    """A little more or less than EOQ costs more."""
    given = {"fixed_cost": 12.0, "holding_cost": 0.4, "demand_rate": 900.0}
    best = float(eoq.eoq(**given))
    costs = [eoq.eoq_cost(quantity=best + step, **given) for step in (-1, 0, 1)]
    assert costs[1] == min(costs)


def test_eoq_takes_arrays() -> None:
    """One call answers for all SKUs; what does not sell is not ordered."""
    quantity = eoq.eoq(fixed_cost=5.0, holding_cost=np.array([1.0, 2.0]), demand_rate=np.array([0.0, 1000.0]))
    assert quantity == pytest.approx([0.0, np.sqrt(5000.0)])


@pytest.mark.parametrize(("mean", "holding", "stockout"), [(0.2, 1.0, 9.0), (4.0, 2.0, 2.0), (37.0, 1.0, 19.0)])
def test_poisson_newsvendor_by_brute_force(mean: float, holding: float, stockout: float) -> None:
    """No level from 0 to 100 is cheaper."""
    best = inventory.newsvendor_poisson(holding_cost=holding, stockout_cost=stockout, demand_mean=mean)
    costs = _period_costs(np.arange(100), holding, stockout, inventory.poisson_pmf(mean))
    assert best.level == int(costs.argmin())
    assert best.cost == pytest.approx(float(costs.min()), abs=EXACT)


@pytest.mark.parametrize(("mean", "stockout", "fixed"), [(2.0, 6.0, 10.0), (5.0, 9.0, 64.0), (0.5, 20.0, 3.0)])
def test_min_max_by_brute_force(mean: float, stockout: float, fixed: float) -> None:
    """No (s, S) with -10 <= s < S <= 40 has a cheaper stationary distribution."""
    pmf = inventory.poisson_pmf(mean)
    best = inventory.s_s_discrete(holding_cost=1.0, stockout_cost=stockout, fixed_cost=fixed, pmf=pmf)
    cheapest = min(_min_max_cost(s, big, stockout, fixed, pmf) for s in range(-10, 20) for big in range(max(s + 1, 1), 41))
    assert best.cost == pytest.approx(cheapest, abs=EXACT)


def test_whole_unit_r_q_by_brute_force() -> None:
    """No (r, Q) with -5 <= r <= 30 and Q <= 40 is cheaper."""
    given = {"holding_cost": 3.0, "stockout_cost": 20.0, "fixed_cost": 25.0}
    pmf = inventory.poisson_pmf(6.0)
    rates = dict(zip(range(-5, 80), _period_costs(np.arange(-5, 80), 3.0, 20.0, pmf), strict=True))
    cheapest = min((25.0 * 4 + sum(rates[y] for y in range(r + 1, r + q + 1))) / q for r in range(-5, 31) for q in range(1, 41))
    best = inventory.r_q_poisson(**given, demand_mean=4.0, lead_time=1.5)
    assert best.cost == pytest.approx(cheapest, abs=EXACT)


def test_service_level_is_the_critical_ratio() -> None:
    """One short costs 19 times one too many: stock for 95%."""
    assert inventory.critical_ratio(holding_cost=1, stockout_cost=19) == pytest.approx(0.95)


@pytest.mark.parametrize("wrong", [{"holding_cost": 0}, {"holding_cost": float("nan")}, {"demand_rate": -1}, {"fixed_cost": -1}])
def test_impossible_costs_are_refused(wrong: Given) -> None:
    """Zero, negative and missing costs are errors, not answers."""
    with pytest.raises(InvalidInput):
        eoq.eoq(**{"fixed_cost": 1, "holding_cost": 1, "demand_rate": 1, **wrong})


def test_an_item_nobody_buys_has_no_min_max() -> None:
    """(s, S) of demand that is always zero is refused."""
    with pytest.raises(InvalidInput, match="never above zero"):
        inventory.s_s_discrete(holding_cost=1, stockout_cost=2, fixed_cost=3, pmf=np.array([1.0]))


def _expected_profit(
    level: float, *, revenue: float, purchase_cost: float, salvage_value: float, demand_mean: float, demand_sd: float
) -> float:
    def density(d: float) -> float:
        return float((revenue * min(d, level) + salvage_value * max(level - d, 0)) * norm.pdf(d, demand_mean, demand_sd))

    edges = (demand_mean - 9 * demand_sd, demand_mean + 9 * demand_sd)
    return float(quad(density, *edges, points=[level], epsabs=1e-11)[0]) - purchase_cost * level


def _period_costs(levels: NDArray[np.int64], holding: float, stockout: float, pmf: NDArray[np.float64]) -> NDArray[np.float64]:
    demand = np.arange(len(pmf))
    left = levels[:, None] - demand
    costs: NDArray[np.float64] = (holding * left.clip(0) + stockout * (-left).clip(0)) @ pmf
    return costs


def _min_max_cost(s: int, big_s: int, stockout: float, fixed: float, pmf: NDArray[np.float64]) -> float:
    """Long-run cost from the stationary distribution of the position after ordering, s + 1 .. S."""
    size = big_s - s
    moves = np.zeros((size, size))  # row, column: units under S
    for i in range(size):
        for d, p in enumerate(pmf):
            moves[i, i + d if i + d < size else 0] += p
    balance = np.vstack([moves.T - np.eye(size), np.ones(size)])
    share = np.linalg.lstsq(balance, np.r_[np.zeros(size), 1.0], rcond=None)[0]
    ordering = [1 - pmf[: size - i].sum() for i in range(size)]
    return float(share @ _period_costs(big_s - np.arange(size), 1.0, stockout, pmf) + fixed * (share @ ordering))
