"""Page metrics are read from whatever order and separator an export has, and every bad line is reported."""

from datetime import date
from pathlib import Path

import pytest

from connectors.analytics_csv import AnalyticsCsv, parsed
from connectors.fakes import InMemoryAnalytics
from domain.entities import ContentMetrics
from domain.errors import InvalidInput
from domain.ports import Analytics

GOOD = "Clicks;Date;Page;Impressions;Average time on page\n3;2026-03-01;https://mill.example/guides/mugs/;100;41.5\n"
MUGS = ContentMetrics(day=date(2026, 3, 1), impressions=100, clicks=3, seconds_on_page=41.5)


@pytest.mark.parametrize("real", [True, False])
async def test_contract(tmp_path: Path, real: bool) -> None:
    """A page that is known has metrics by day, another has none."""
    (tmp_path / "metrics.csv").write_text("\ufeff" + GOOD)
    analytics: Analytics = AnalyticsCsv(tmp_path / "metrics.csv") if real else InMemoryAnalytics({"mugs": (MUGS,)})
    assert await analytics.measure("mugs") == [MUGS]
    assert await analytics.measure("cups") == []


async def test_no_file(tmp_path: Path) -> None:
    """Before there is a file there are no figures."""
    assert await AnalyticsCsv(tmp_path / "none.csv").measure("mugs") == []


@pytest.mark.parametrize(
    "line",
    [
        "mugs,2026-03-01,x,1,0",
        "mugs,yesterday,10,1,0",
        "mugs,2026-03-01,1,10,0",
        ",2026-03-01,1,1,0",
        "mugs",
        "mugs,2026-03-01,9,-1,0",
    ],
)
def test_bad_lines(line: str) -> None:
    """A line that makes no sense is rejected with its number, and the others count."""
    report = parsed(f"slug,day,impressions,clicks,seconds_on_page\n{line}\nmugs,2026-03-01,100,3,41.5\n")
    assert report.pages == {"mugs": (MUGS,)}
    assert [rejected.line for rejected in report.rejected] == [2]


def test_lines_of_one_day_add_up() -> None:
    """Several lines of a page and day, one a query, are summed, and the time is weighted by clicks."""
    report = parsed('slug,day,impressions,clicks,seconds_on_page\nmugs,2026-03-01,"1,000",1,10\nmugs,2026-03-01,20,3,50\n')
    assert report.pages["mugs"] == (ContentMetrics(day=date(2026, 3, 1), impressions=1020, clicks=4, seconds_on_page=40),)


def test_missing_columns() -> None:
    """A file without the needed columns says which ones are missing."""
    with pytest.raises(InvalidInput, match="clicks, impressions"):
        parsed("slug,day\nmugs,2026-03-01\n")
