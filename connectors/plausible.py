"""Plausible: visits of a page and the time on it, by day of the site's own time zone.

It knows nothing of searches: there are no impressions, and no click-through rate is made of visits.
Source: Stats API v2, https://plausible.io/docs/stats-api.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pydantic import BaseModel

from connectors.http import Http
from connectors.kinds import Kind, Opened, Opening, Setting, web_address
from connectors.page_metrics import WINDOW, by_day, slug_of
from domain.entities import ContentMetrics

_ROWS = 1_000
_PAGES = 50
_MARGIN = timedelta(days=1)  # the site's day may be ahead of ours


class _Row(BaseModel):
    dimensions: tuple[str, date]
    metrics: tuple[float, float | None]


class _Rows(BaseModel):
    results: list[_Row]


class Plausible:
    """See ``ports.Analytics``. ``site`` is the domain as it is registered."""

    def __init__(self, http: Http, *, site: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._http = http
        self._site = site
        self._clock = clock

    async def check(self) -> str:
        class Total(BaseModel):
            metrics: tuple[float]

        class Totals(BaseModel):
            results: list[Total]

        body = {"site_id": self._site, "metrics": ["visits"], "date_range": "7d"}
        found = (await self._http.send("POST", "/api/v2/query", body=body, repeatable=True)).parse(Totals).results
        return f"{self._site} had {sum(round(total.metrics[0]) for total in found):,} visits in the last 7 days"

    async def measure(self, slug: str) -> list[ContentMetrics]:
        found: list[ContentMetrics] = []
        for page in range(_PAGES):
            rows = await self._rows(slug, page * _ROWS) if slug else []
            found += [_metrics(row) for row in rows if slug_of(row.dimensions[0]) == slug]
            if len(rows) < _ROWS:
                break
        return by_day(found)

    async def _rows(self, slug: str, start: int) -> list[_Row]:
        today = self._clock().date()
        body: dict[str, Any] = {
            "site_id": self._site,
            "metrics": ["visits", "time_on_page"],
            "dimensions": ["event:page", "time:day"],
            "filters": [["contains", "event:page", [slug]]],
            "date_range": [(today - WINDOW).isoformat(), (today + _MARGIN).isoformat()],
            "order_by": [["time:day", "asc"], ["event:page", "asc"]],
            "pagination": {"limit": _ROWS, "offset": start},
        }
        return (await self._http.send("POST", "/api/v2/query", body=body, repeatable=True)).parse(_Rows).results


def _metrics(row: _Row) -> ContentMetrics:
    visits, seconds = row.metrics
    return ContentMetrics(day=row.dimensions[1], impressions=0, clicks=round(visits), seconds_on_page=max(seconds or 0.0, 0.0))


def _open(opening: Opening) -> Opened:
    headers = {"authorization": f"Bearer {opening.secret('api_key')}"}
    http = Http(opening.settings["url"], name=opening.name, headers=headers)
    plausible = Plausible(http, site=opening.settings["site"])
    return Opened(check=plausible.check, analytics=plausible, close=http.close)


KIND = Kind(
    name="plausible",
    title="Plausible: visits of your pages and the time on them",
    settings=(
        Setting(name="site", ask="The site's domain, as it is registered there"),
        Setting(name="api_key", ask="An API key for its statistics", secret=True),
        Setting(name="url", ask="Its address", default="https://plausible.io", check=web_address),
    ),
    open=_open,
    measures="visits of your pages and the time on them, by day",
)
