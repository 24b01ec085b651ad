"""The economic order quantity: against brute force, and against what the textbook states for its own instances."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.skills.eoq import eoq
from domain.errors import InvalidInput

EXACT = 1e-6
Given = dict[str, Any]

# What the textbook and the tests of its companion library state for the instances of these names.
EOQ = {"example_3_1": 304.0467800264368, "problem_3_1": 1728.109844993551}


@pytest.fixture
def instances(shared_data: Path) -> dict[str, Given]:
    read = json.loads((shared_data / "stockpyl" / "stockpyl_instances.json").read_text())
    return {i["name"]: i["data"] for i in read["instances"]}


@pytest.mark.parametrize("name", EOQ)
def test_eoq_is_the_textbooks(instances: dict[str, Given], name: str) -> None:
    """It gives the stated quantity."""
    assert float(eoq(**instances[name])) == pytest.approx(EOQ[name], abs=EXACT)


def test_eoq_has_no_cheaper_neighbour() -> None:
    """A little more or less than it costs more to order and hold."""
    fixed, holding, demand = 12.0, 0.4, 900.0
    best = float(eoq(fixed_cost=fixed, holding_cost=holding, demand_rate=demand))
    costs = [fixed * demand / quantity + holding * quantity / 2 for quantity in (best - 1, best, best + 1)]
    assert costs[1] == min(costs)


def test_eoq_takes_arrays() -> None:
    """One call answers for all SKUs; what does not sell is not ordered."""
    quantity = eoq(fixed_cost=5.0, holding_cost=np.array([1.0, 2.0]), demand_rate=np.array([0.0, 1000.0]))
    assert quantity == pytest.approx([0.0, np.sqrt(5000.0)])


@pytest.mark.parametrize("wrong", [{"holding_cost": 0}, {"holding_cost": float("nan")}, {"demand_rate": -1}, {"fixed_cost": -1}])
def test_impossible_costs_are_refused(wrong: Given) -> None:
    """Zero, negative and missing costs are errors, not answers."""
    with pytest.raises(InvalidInput):
        eoq(**{"fixed_cost": 1, "holding_cost": 1, "demand_rate": 1, **wrong})
