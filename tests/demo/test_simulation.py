"""The simulation on servers of its own: two short days, once."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from demo.simulation.page import render
from demo.simulation.report import SimulationReport
from demo.simulation.run import Plan, simulate
from demo.simulation.scenario import Scenario

pytestmark = pytest.mark.timeout(300)
DAYS = 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("simulation")


@pytest.fixture(scope="module")
def report(folder: Path) -> SimulationReport:
    plan = Plan(days=DAYS, seed=3, scenario=Scenario(mails=3, orders=2), arms=(True, False))
    return simulate(folder, plan, console=Console(file=io.StringIO()))


def test_both_arms_live_through_the_same_days(report: SimulationReport) -> None:
    """The same mails and the same demand reach both; before the first night nothing differs."""
    learning, baseline = report.arms
    assert [day.tickets for day in learning.days] == [day.tickets for day in baseline.days]
    assert [day.wanted for day in learning.days] == [day.wanted for day in baseline.days]
    assert learning.days[0].right == baseline.days[0].right
    assert len(baseline.days) == DAYS


def test_the_operator_decides_and_customers_are_answered(report: SimulationReport) -> None:
    """Everything is asked at first, so that a ticket is a decision; what is answered was answered in virtual hours."""
    for arm in report.arms:
        assert sum(day.decisions for day in arm.days) >= sum(day.tickets for day in arm.days) / 2
        waited = [minutes for day in arm.days for minutes in day.response_minutes]
        assert waited
        assert all(0 <= minutes < DAYS * 24 * 60 for minutes in waited)


def test_nothing_goes_really_wrong(report: SimulationReport) -> None:
    """No wrong refund, no mail to somebody else, no order placed twice."""
    assert [arm.severe for arm in report.arms] == [(), ()]


def test_the_servers_and_their_files_are_gone(report: SimulationReport, folder: Path) -> None:
    """What stays are the ports and the log."""
    assert report.seconds > 0
    assert not (folder / "servers").exists()


def test_the_report_can_be_written(report: SimulationReport) -> None:
    """As a page and as JSON."""
    assert "without learning" in render(report)
    assert json.loads(json.dumps(report.as_json()))["days"] == DAYS
