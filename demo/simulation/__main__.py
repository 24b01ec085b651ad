"""``python -m demo.simulation``: what ``./steward simulate`` runs."""

import argparse
import json
import logging
import os
import sys
from pathlib import Path

import structlog
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from demo.simulation.page import render, total_rows
from demo.simulation.report import SimulationReport
from demo.simulation.run import Plan, simulate
from demo.simulation.scenario import read_scenario
from domain.errors import StewardError
from domain.wording import counted
from settings import Settings

_INTERRUPTED = 130


def main() -> int:
    """Returns the exit code: 0 when the days were lived through, whatever they came to."""
    given = _arguments().parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    console = Console(stderr=given.json, highlight=False)
    try:
        scenario = read_scenario(given.scenario)
        folder = Settings.load().home / "simulation"
        arms = (False,) if given.no_learning else (True, False)
        report = simulate(folder, Plan(days=given.days, seed=given.seed, scenario=scenario, arms=arms), console=console)
    except StewardError as error:
        console.print(f"[red]{escape(error.message)}[/red]\n  {escape(error.hint)}")
        return 1
    except KeyboardInterrupt:
        console.print("stopped before the end; nothing is left running")
        return _INTERRUPTED
    _write(report, folder)
    if given.json:
        sys.stdout.write(json.dumps(report.as_json(), indent=2) + "\n")
    else:
        _show(report, console, folder)
    return 0


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="steward simulate", description="Many days of the demo shop in virtual time.")
    parser.add_argument("--days", type=_days, default=30, help="how many days (30)")
    parser.add_argument("--seed", type=int, default=7, help="the same seed makes the same customers, sales and suppliers (7)")
    parser.add_argument("--no-learning", action="store_true", help="only the days without learning")
    parser.add_argument("--scenario", type=Path, metavar="FILE", help="a YAML file with rates, the operator's habits and shocks")
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    return parser


def _days(text: str) -> int:
    days = int(text)
    if not 1 <= days <= 366:
        raise argparse.ArgumentTypeError("between 1 and 366")
    return days


def _write(report: SimulationReport, folder: Path) -> None:
    (folder / "report.json").write_text(json.dumps(report.as_json(), indent=2) + "\n", encoding="utf-8")
    (folder / "report.html").write_text(render(report), encoding="utf-8")


def _show(report: SimulationReport, console: Console, folder: Path) -> None:
    table = Table(title=f"{counted(report.days, 'day')} at {report.shop}, in {report.seconds:.0f} s", title_justify="left")
    for head in ("", *report.totals):
        table.add_column(head, justify="left" if not head else "right")
    for name, *figures, _ in total_rows(report):
        table.add_row(name, *figures)
    console.print(table)
    for name, saved in report.fewer_decisions.items():
        if saved is not None:
            console.print(f"{name}: {-saved:+.0%} decisions a day from the first whole week to the last")
    console.print(f"report: {folder / 'report.html'}", soft_wrap=True)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # the Temporal SDK's runtime can crash while the interpreter tears down, after all work is done
