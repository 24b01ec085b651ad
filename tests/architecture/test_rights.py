"""The roles' rights, as their constructors' types state them."""

import inspect
from collections.abc import Mapping
from typing import Any, get_args, get_type_hints

import pytest

from agents.auditor import Auditor
from agents.content_planner import ContentPlanner
from agents.executor import Executor
from agents.learner import Learner
from agents.stock_planner import StockPlanner
from agents.support_planner import SupportPlanner
from domain import ports

READS = {ports.State, ports.Facts, ports.Policies, ports.Recall, ports.ContextPacks}


def held(role: type) -> set[Any]:
    """The types of everything a role is given, looked at through containers."""
    constructor = vars(role)["__init__"]
    hints = get_type_hints(constructor)
    hints.pop("return", None)
    assert set(hints) == set(inspect.signature(constructor).parameters) - {"self"}
    return {part for hint in hints.values() for part in (get_args(hint) or (hint,))}


@pytest.mark.parametrize("planner", [SupportPlanner, StockPlanner, ContentPlanner])
def test_a_planner_reads_and_asks_models_and_nothing_else(planner: type) -> None:
    """A planner cannot hold an executor's port: it has no way to do what it proposes."""
    assert held(planner) <= READS | {ports.Model}


def test_an_executor_holds_connectors_and_nothing_else() -> None:
    """It cannot read the business, so it cannot widen what it was handed."""
    assert {t for t in held(Executor) if t is not Mapping} - {t for t in held(Executor) if "Capability" in str(t)} == {
        ports.Connector
    }


@pytest.mark.parametrize("role", [Auditor, Learner])
def test_an_auditor_and_a_learner_cannot_act(role: type) -> None:
    """They hold no connector, no ledger and no log: they say, others do."""
    assert held(role) <= READS | {ports.Model}
