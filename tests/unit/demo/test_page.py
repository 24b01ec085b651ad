import io
import re
from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from console.svg import ticks
from demo import charts
from demo.page import render
from demo.report import DemoReport
from demo.tables import show
from tests.unit.demo.sample import HOSTILE, sample

CHARTS = [charts.tickets_by_intent, charts.money_by_supplier, charts.stock_cover, charts.response_times, charts.timeline]


def test_nothing_of_the_report_becomes_markup() -> None:
    """A mail's subject is text, in tables and in the tips of charts."""
    page = render(sample())
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page


def test_the_page_fetches_nothing() -> None:
    """No script, no style sheet, no image, no font from anywhere."""
    page = render(sample())
    assert not re.search(r"<(script|link|img|iframe)\b|@import|url\(", page)
    assert not re.search(r"(src|href)\s*=", page)


@pytest.mark.parametrize("chart", CHARTS)
def test_each_chart_is_well_formed_and_says_what_it_shows(chart: Callable[[DemoReport], charts.Picture]) -> None:
    """One picture with a title for those who cannot see it."""
    picture = chart(sample())
    root = ET.fromstring(picture.svg)
    assert root.findtext("title")
    assert picture.legend


@pytest.mark.parametrize("chart", CHARTS)
def test_each_chart_can_be_drawn_of_nothing(chart: Callable[[DemoReport], charts.Picture]) -> None:
    """A day on which nothing happened is a day too."""
    nothing = sample().model_copy(update={"tickets": (), "purchases": (), "effects": (), "stock": ()})
    assert ET.fromstring(chart(nothing).svg).tag == "svg"


def test_all_marks_lie_inside_the_picture() -> None:
    """Nothing is drawn beyond the right edge or above the top."""
    root = ET.fromstring(charts.timeline(sample()).svg)
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    for mark in root.iter("circle"):
        assert 0 < float(mark.attrib["cx"]) < width
        assert 0 < float(mark.attrib["cy"]) < height


@pytest.mark.parametrize(("top", "expected"), [(0.0, [0, 1]), (3.0, [0, 1, 2, 3]), (37.0, [0, 10, 20, 30, 40])])
def test_axes_have_round_numbers(top: float, expected: list[float]) -> None:
    """Steps of 1, 2 or 5 times a power of ten that cover the largest value."""
    assert ticks(top) == expected


def test_the_terminal_shows_every_part() -> None:
    """Hostile markup of rich is shown, not obeyed."""
    console = Console(width=160, record=True, file=io.StringIO())
    report = sample()
    show(report, console, files=("report.html",))
    text = console.export_text()
    assert "18 tickets" in text
    assert "0 lost, 0 doubled" in text
    assert "./steward inbox" in text
