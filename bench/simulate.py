"""``python -m bench.simulate [--days N] [--seed S] [--json]``: does learning spare the operator work, at no cost in correctness?

Sixty days of the demo shop on the real workflows in virtual time, with data the simulation makes. Bars, first whole week
against the last: decisions a day fall by 60 %, as many tickets are served rightly (two percentage points are noise at
about seventy tickets a week), and nothing goes really wrong.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from demo.simulation.report import WITH_LEARNING, SimulationReport
from demo.simulation.run import Plan, simulate
from demo.simulation.scenario import read_scenario

_FEWER = 0.60
_NOISE = 0.02
_WEEK = 7


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.simulate", description=__doc__)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    asked = parser.parse_args()
    if asked.days < 2 * _WEEK:
        parser.error("two weeks at least: the first is compared with the last")
    with tempfile.TemporaryDirectory() as folder:
        plan = Plan(days=asked.days, seed=asked.seed, scenario=read_scenario(None), arms=(True,))
        report = simulate(Path(folder), plan, console=Console(stderr=True))
    bars = judged(report)
    (_print_json if asked.json else _print_table)(report, bars)
    return int(not all(met for _, met in bars.values()))


def judged(report: SimulationReport) -> dict[str, tuple[str, bool]]:
    """What each bar came to, and whether it was met."""
    weeks = report.weeks[WITH_LEARNING]
    first, last = weeks[0], weeks[report.days // _WEEK - 1]
    fewer = report.fewer_decisions[WITH_LEARNING] or 0.0
    right, before = last.right or 0.0, first.right or 0.0
    severe = report.totals[WITH_LEARNING].severe
    return {
        "fewer decisions a day": (
            f"{first.decisions:.1f} to {last.decisions:.1f}, {fewer:.0%} fewer (bar {_FEWER:.0%})",
            fewer >= _FEWER,
        ),
        "served rightly": (f"{before:.1%} to {right:.1%}", right >= before - _NOISE),
        "severe misses": (f"{severe} (bar 0)", severe == 0),
    }


def _print_json(report: SimulationReport, bars: dict[str, tuple[str, bool]]) -> None:
    told = {name: {"figure": figure, "met": met} for name, (figure, met) in bars.items()}
    sys.stdout.write(json.dumps({"bars": told, "seconds": report.seconds, "weeks": report.as_json()["weeks"]}, indent=2) + "\n")


def _print_table(report: SimulationReport, bars: dict[str, tuple[str, bool]]) -> None:
    console = Console()
    weeks = Table(
        "week",
        "decisions a day",
        "unaided",
        "right",
        "fill rate",
        "interrupts",
        title=f"{report.days} days in {report.seconds:.0f} s",
    )
    for week in report.weeks[WITH_LEARNING]:
        shares = (f"{share:.0%}" if share is not None else "" for share in (week.unaided, week.right, week.fill))
        weeks.add_row(week.label, f"{week.decisions:.1f}", *shares, f"{week.interrupts:.1f}")
    console.print(weeks)
    told = Table("bar", "came to", "")
    for name, (figure, met) in bars.items():
        told.add_row(name, figure, "met" if met else "MISSED")
    console.print(told)


if __name__ == "__main__":
    raise SystemExit(main())
