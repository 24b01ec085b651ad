import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from demo.simulation.figures import ArmFigures, DayFigures
from demo.simulation.page import render, total_rows
from demo.simulation.report import WITH_LEARNING, WITHOUT_LEARNING, SimulationReport
from demo.simulation.scenario import Scenario, read_scenario
from domain.errors import InvalidInput

BEGAN = datetime(2026, 11, 22, 12, tzinfo=UTC)


def arm(*, learning: bool, decisions: tuple[int, ...]) -> ArmFigures:
    """Fourteen days; ``decisions`` a day in the first and in the second week."""
    days = tuple(
        DayFigures(
            day=n + 1,
            date=f"2030-01-{n + 7:02d}",
            tickets=10,
            right=9,
            unaided=4,
            decisions=decisions[n // 7],
            response_minutes=(5.0, 200.0, 7.0),
            wanted=20,
            sold=19,
            holding=Decimal("8.50"),
        )
        for n in range(14)
    )
    return ArmFigures(learning=learning, days=days, severe=("2030-01-09 <b>refund</b>",) if learning else ())


def report() -> SimulationReport:
    arms = (arm(learning=True, decisions=(20, 5)), arm(learning=False, decisions=(20, 20)))
    end = BEGAN + timedelta(seconds=100)
    scenario = Scenario().model_dump(mode="json")
    return SimulationReport(
        shop="A & B", currency="EUR", days=14, seed=7, scenario=scenario, started_at=BEGAN, finished_at=end, arms=arms
    )


def test_weeks_are_compared_arm_by_arm() -> None:
    """Decisions a day in the last whole week against the first."""
    assert report().fewer_decisions == {WITH_LEARNING: 0.75, WITHOUT_LEARNING: 0.0}
    assert [week.decisions for week in report().weeks[WITH_LEARNING]] == [20, 5]


def test_shares_and_medians_are_over_all_days() -> None:
    """Not means of daily means."""
    total = report().totals[WITHOUT_LEARNING]
    assert (total.unaided, total.right, total.fill) == (0.4, 0.9, 0.95)
    assert total.response == 7.0
    assert total.holding == Decimal("119.00")


def test_what_was_not_counted_is_no_figure() -> None:
    """A measure without cases is a dash, not a zero."""
    rows = {row[0]: row[1:3] for row in total_rows(report())}
    assert rows["click-through rate"] == ["–", "–"]
    assert rows["handled alone"] == ["40.0%", "40.0%"]


def test_the_page_is_whole_and_everything_in_it_is_escaped() -> None:
    """One file, with a chart a measure and the misses in words."""
    page = render(report())
    assert page.count("<svg") == len(total_rows(report()))
    assert "A &amp; B" in page
    assert "<b>refund</b>" not in page
    assert "http" not in page.replace("http://www.w3.org", "")


def test_the_json_holds_the_days_and_their_sums() -> None:
    """It can be written and read."""
    told = json.loads(json.dumps(report().as_json()))
    assert len(told["arms"][0]["days"]) == 14
    assert told["totals"][WITHOUT_LEARNING]["decisions"] == 20


def test_a_scenario_file_changes_what_it_names(tmp_path: Path) -> None:
    """The rest stays as it is usual."""
    path = tmp_path / "busy.yaml"
    path.write_text("mails: 30\nshocks: [{day: 3, kind: slow-supplier, name: brandt, factor: 2}]\n")
    found = read_scenario(path)
    assert (found.mails, found.orders, found.shocks[0].name) == (30, Scenario().orders, "brandt")


@pytest.mark.parametrize("text", ["mails: many\n", "posts: 3\n", "[1\n"])
def test_a_file_that_is_no_scenario_is_refused(tmp_path: Path, text: str) -> None:
    """It says where."""
    path = tmp_path / "wrong.yaml"
    path.write_text(text)
    with pytest.raises(InvalidInput, match=r"wrong\.yaml"):
        read_scenario(path)
