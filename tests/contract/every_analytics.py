"""The contract of analytics, over every adapter and the fake: what was counted of ``mugs``, and nothing of what is not there."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from domain.entities import ContentMetrics
from domain.ports import Analytics


@dataclass(frozen=True)
class AnalyticsCase:
    """``mugs`` are the figures of that page on two days; the system has those of other pages too, and none of ``cups``."""

    analytics: Analytics
    mugs: list[ContentMetrics]


_TODAY = datetime.now(UTC).date()
DAYS = (_TODAY - timedelta(days=10), _TODAY - timedelta(days=9))


class EveryAnalytics:
    """Whoever subclasses it gives the fixture ``case``."""

    async def test_a_page_has_its_figures_by_day(self, case: AnalyticsCase) -> None:
        """In the order of days, only its own, and the same ones when asked again."""
        assert tuple(m.day for m in case.mugs) == DAYS
        assert await case.analytics.measure("mugs") == case.mugs
        assert await case.analytics.measure("mugs") == case.mugs

    async def test_a_page_that_nobody_counted_has_none(self, case: AnalyticsCase) -> None:
        """Nor one whose name is part of another's, nor one that is no name."""
        for slug in ("cups", "mug", "ugs", "guides/mugs", "", ".*", "%", '"', "mugs?x=1", "ü"):
            assert await case.analytics.measure(slug) == [], slug
