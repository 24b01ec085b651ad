"""The console's pictures: well formed whatever they are given, with the same figures in their tables."""

from datetime import date, timedelta
from xml.etree import ElementTree as ET

import pytest

from console.charts import Band, Chart, bars, cover, evidence, line, spark
from console.svg import ticks

DAY = date(2026, 3, 1)
HOSTILE = "</title><script>alert(1)</script>"


def days(*values: float | None) -> list[tuple[date, float | None]]:
    return [(DAY + timedelta(days=n), value) for n, value in enumerate(values)]


def drawn(chart: Chart) -> ET.Element:
    """The picture, parsed: everything in it lies within its frame."""
    root = ET.fromstring(chart.svg)
    width, height = (float(part) for part in root.attrib["viewBox"].split()[2:])
    for dot in root.iter("circle"):
        assert 0 <= float(dot.attrib["cx"]) <= width
        assert 0 <= float(dot.attrib["cy"]) <= height
    return root


@pytest.mark.parametrize("values", [(), (None,), (0.0,), (3.0,), (1.0, None, 2.0), (0.0, 0.0), (None, 5.0, None), (0.001, 0.002)])
def test_a_line_is_drawn_of_whatever_there_is(values: tuple[float | None, ...]) -> None:
    """Nothing, one value, gaps, zeros: a dot for each value that is known, a row for each day."""
    chart = line("Share", days(*values), words=lambda v: f"{v:g}")
    assert len(list(drawn(chart).iter("circle"))) == sum(v is not None for v in values)
    assert len(chart.rows) == len(values)


def test_a_gap_breaks_the_line() -> None:
    """Two stretches are two lines, and the latest day stands first in the table."""
    chart = line("Share", days(1.0, 2.0, None, 3.0, 4.0), words=lambda v: f"{v:g}")
    assert sum(path.attrib["class"] == "l1" for path in drawn(chart).iter("path")) == 2
    assert chart.rows[0] == ("2026-03-05", "4")


def test_a_band_and_a_limit_are_drawn_and_named() -> None:
    """In the legend too; a value above the highest tick makes a higher one."""
    band = Band(low=[0.0, 1.0], high=[2.0, 9.0], words="likely")
    chart = line("Share", days(1.0, 2.0), words=lambda v: f"{v:g}", band=band, limit=(12.0, "limit"))
    assert [words for _, words in chart.legend] == ["likely", "limit"]
    assert any(one.attrib["class"] == "limit" for one in drawn(chart).iter("line"))
    assert chart.rows[0] == ("2026-03-02", "2", "1", "9")


def test_words_in_a_picture_are_text() -> None:
    """A title or a tip that closes its element opens no other one."""
    for svg in (bars(HOSTILE, [(DAY, 1.0)], words=lambda _: HOSTILE).svg, spark(HOSTILE, [1.0, None, 2.0])):
        assert {one.tag for one in ET.fromstring(svg).iter()} <= {"svg", "title", "rect", "line", "text", "path"}


def test_evidence_is_drawn_on_powers_of_ten() -> None:
    """Next to nothing is drawn at the lowest one; without a judgement the limits stand alone."""
    assert len(list(drawn(evidence("E", (), gain_limit=20, harm_limit=5)).iter("circle"))) == 0
    chart = evidence("E", ((4, 0.0, 1e9), (8, 30.0, 1e-12)), gain_limit=20, harm_limit=5)
    assert len(list(drawn(chart).iter("circle"))) == 4
    assert chart.rows == [(8, "30.00", "0.00"), (4, "0.00", "1000000000.00")]


def test_cover_shows_what_is_there_even_where_nothing_is() -> None:
    """Owed units are below none, and nothing asked for is a flat line."""
    for there in (-3.0, 0.0, 50.0):
        chart = cover("Cover", (15, 28), (0.0, 0.0), (0.0, 0.0), there=there)
        assert drawn(chart) is not None
        assert chart.rows == [("15 days", "0.0", "0.0"), ("28 days", "0.0", "0.0")]


@pytest.mark.parametrize(("top", "found"), [(0.9, [0, 0.5, 1]), (0.07, [0, 0.02, 0.04, 0.06, 0.08]), (137, [0, 50, 100, 150])])
def test_ticks_are_round_numbers(top: float, found: list[float]) -> None:
    """Fractions too, where they are wanted; counts have none."""
    assert ticks(top, whole=False) == found
    assert ticks(1.0) == [0.0, 1.0]
