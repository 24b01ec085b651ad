"""Page metrics by day, however a system counts them. Pure."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from urllib.parse import unquote, urlsplit

from domain.entities import ContentMetrics

WINDOW = timedelta(days=90)
"""How far back a page is measured: figures are corrected for days after, and a later one replaces an earlier one."""


def slug_of(page: str) -> str:
    """The slug of a page's address or path; empty where it names no page."""
    try:
        return unquote(urlsplit(page).path).rstrip("/").rpartition("/")[2].removesuffix(".html")
    except ValueError:
        return ""


def joined(known: ContentMetrics | None, more: ContentMetrics) -> ContentMetrics:
    """Two figures of one page and day (one a search query, or an address, say) add up; time is weighted by clicks."""
    if known is None:
        return more
    clicks = known.clicks + more.clicks
    seconds = known.seconds_on_page * known.clicks + more.seconds_on_page * more.clicks
    return ContentMetrics(
        day=more.day,
        impressions=known.impressions + more.impressions,
        clicks=clicks,
        seconds_on_page=seconds / clicks if clicks else 0.0,
    )


def by_day(figures: Iterable[ContentMetrics]) -> list[ContentMetrics]:
    """One a day, in the order of days."""
    days: dict[date, ContentMetrics] = {}
    for one in figures:
        days[one.day] = joined(days.get(one.day), one)
    return [days[day] for day in sorted(days)]


def completed(first: Sequence[ContentMetrics], second: Sequence[ContentMetrics]) -> list[ContentMetrics]:
    """What two systems say of the same page: who knows of searches counts the clicks, who knows of visits the time.

    A visit is no click on a search result: where one of them knows of searches, a day without impressions has no clicks.
    """
    knows_searches = any(metrics.impressions for metrics in (*first, *second))
    one, other = {m.day: m for m in first}, {m.day: m for m in second}
    return [_completed(one.get(day), other.get(day), knows_searches) for day in sorted(one.keys() | other.keys())]


def _completed(one: ContentMetrics | None, other: ContentMetrics | None, knows_searches: bool) -> ContentMetrics:
    there = [metrics for metrics in (one, other) if metrics is not None]
    best = max(there, key=lambda metrics: metrics.impressions > 0)
    seconds = next((metrics.seconds_on_page for metrics in there if metrics.seconds_on_page), 0.0)
    clicks = best.clicks if best.impressions or not knows_searches else 0
    return ContentMetrics(day=best.day, impressions=best.impressions, clicks=clicks, seconds_on_page=seconds)
