"""The report as one HTML file: charts, a table beside each, nothing fetched from anywhere."""

from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from demo import charts
from demo.report import DemoReport
from domain.wording import counted


def render(report: DemoReport) -> str:
    """A complete HTML document. Everything that comes from the report is escaped."""
    pages = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined)
    pages.filters |= {"clock": _clock, "seconds": _seconds, "drawn": _drawn, "days": _days, "counted": counted}
    drawn = {
        "tickets": charts.tickets_by_intent(report),
        "cover": charts.stock_cover(report),
        "money": charts.money_by_supplier(report),
        "response": charts.response_times(report),
        "timeline": charts.timeline(report),
    }
    return pages.get_template("report.html").render(report=report, charts=drawn)


def _clock(moment: datetime) -> str:
    return f"{moment:%H:%M:%S}"


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} s"


def _drawn(picture: charts.Picture) -> Markup:
    return Markup(picture.svg)  # noqa: S704 - console.svg escapes each part


def _days(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f}"
