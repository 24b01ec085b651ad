"""Page metrics from a CSV file, as search consoles and analytics tools export them."""

import asyncio
import csv
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

from pydantic import ValidationError

from connectors.files import file_errors
from connectors.page_metrics import joined, slug_of
from domain.entities import ContentMetrics
from domain.errors import InvalidInput
from domain.model import Value
from domain.problems import first_problem

_NAMES = {
    "slug": ("slug", "page", "url", "landing page", "top pages"),
    "day": ("day", "date"),
    "impressions": ("impressions",),
    "clicks": ("clicks",),
    "seconds_on_page": ("seconds_on_page", "average time on page", "avg. time on page"),
}
_OPTIONAL = {"seconds_on_page"}


class RejectedLine(Value):
    line: int
    why: str


class AnalyticsReport(Value):
    """What a file said: metrics by slug and day, and every line that could not be read."""

    pages: dict[str, tuple[ContentMetrics, ...]]
    rejected: tuple[RejectedLine, ...] = ()


class AnalyticsCsv:
    """Reads the file anew at every question, because it is replaced from outside. No file means no figures yet."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def measure(self, slug: str) -> list[ContentMetrics]:
        return list((await self.report()).pages.get(slug, ()))

    async def report(self) -> AnalyticsReport:
        """Raises InvalidInput where the file lacks a column, Retryable or Permanent where it cannot be read."""
        return await asyncio.to_thread(self._read)

    def _read(self) -> AnalyticsReport:
        with file_errors("could not read the page metrics"):
            if not self._path.exists():
                return AnalyticsReport(pages={})
            text = self._path.read_bytes().decode("utf-8-sig", errors="replace")
        return parsed(text)


def parsed(text: str) -> AnalyticsReport:
    """The report of a file's text. Columns may come in any order, separated by comma, semicolon or tab."""
    lines = text.splitlines()
    if not lines:
        return AnalyticsReport(pages={})
    rows = csv.DictReader(lines, delimiter=max(",;\t", key=lines[0].count))
    columns = _columns(rows.fieldnames or ())
    pages: dict[str, dict[date, ContentMetrics]] = {}
    rejected = []
    for row in rows:
        try:
            slug, metrics = _metrics({name: row.get(column) or "" for name, column in columns.items()})
        except (ValueError, OverflowError) as error:
            rejected.append(RejectedLine(line=rows.line_num, why=_reason(error)))
            continue
        days = pages.setdefault(slug, {})
        days[metrics.day] = joined(days.get(metrics.day), metrics)
    return AnalyticsReport(pages={s: tuple(d[k] for k in sorted(d)) for s, d in pages.items()}, rejected=tuple(rejected))


def _columns(header: Iterable[str]) -> Mapping[str, str]:
    given = {column.strip().lower(): column for column in header if column}
    found = {name: given[alias] for name, aliases in _NAMES.items() for alias in reversed(aliases) if alias in given}
    if missing := _NAMES.keys() - found.keys() - _OPTIONAL:
        raise InvalidInput(
            f"the page metrics lack the columns {', '.join(sorted(missing))}",
            hint="they need slug (or page), day, impressions and clicks; seconds_on_page is welcome",
        )
    return found


def _metrics(row: Mapping[str, str]) -> tuple[str, ContentMetrics]:
    slug = slug_of(row["slug"].strip())
    if not slug:
        raise ValueError("no page is named")
    seconds = row.get("seconds_on_page", "").strip() or "0"
    counts = {name: row[name].strip().replace(",", "") for name in ("impressions", "clicks")}
    metrics = ContentMetrics.model_validate({"day": row["day"].strip(), "seconds_on_page": seconds, **counts})
    if metrics.clicks > metrics.impressions:
        raise ValueError(f"{metrics.clicks} clicks on {metrics.impressions} impressions cannot be")
    return slug, metrics


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return ": ".join(first_problem(error))
    return str(error)
