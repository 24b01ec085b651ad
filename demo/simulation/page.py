"""The simulation's report as one HTML file: charts, tables beside them, nothing fetched from anywhere."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from demo.simulation.charts import chart
from demo.simulation.measures import MEASURES
from demo.simulation.report import SimulationReport

_HERE = Path(__file__).parent


def render(report: SimulationReport) -> str:
    """A complete HTML document. Everything that comes from the report is escaped."""
    folders = [_HERE / "templates", _HERE.parent / "templates"]
    pages = Environment(loader=FileSystemLoader(folders), autoescape=True, undefined=StrictUndefined)
    pages.filters["drawn"] = Markup
    pages.globals["percent"] = lambda share: "–" if share is None else f"{share:.0%}"
    return pages.get_template("simulation.html").render(
        report=report,
        charts=[(measure, chart(measure, report.weeks)) for measure in MEASURES],
        totals=total_rows(report),
        names=[measure.name for measure in MEASURES],
        weekly={name: [[w.label, *(m.text(w) for m in MEASURES)] for w in weeks] for name, weeks in report.weeks.items()},
    )


def total_rows(report: SimulationReport) -> list[list[str]]:
    """A row a measure: its name, a figure an arm, what it is."""
    return [[m.name, *(m.text(week) for week in report.totals.values()), m.told] for m in MEASURES]
