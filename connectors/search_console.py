"""Google Search Console: how often a page was shown in searches and clicked, by day.

Only final figures are asked for: Google counts for two to three days, and a day that it has not finished is simply not
there yet. Days are Pacific ones, Google's own. It keeps the top rows, not all, and drops rare queries; clicks and
impressions by page are not hurt by the latter.
Sources: Search Console API, searchAnalytics.query and sites.get; https://developers.google.com/webmaster-tools/v1/.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from connectors.http import Http
from connectors.kinds import Kind, Opened, Opening, Setting, web_address
from connectors.oauth import AccessTokens, BearerOf, RefreshToken, ServiceAccount
from connectors.page_metrics import WINDOW, by_day, slug_of
from domain.entities import ContentMetrics
from domain.errors import InvalidInput, Permanent

_SCOPE = "https://www.googleapis.com/auth/webmasters.readonly"
_GOOGLE = ZoneInfo("America/Los_Angeles")
_ROWS = 25_000  # the most a page of an answer may have
_PAGES = 20
_NOBODY = ("siteUnverifiedUser", "SITE_UNVERIFIED_USER")  # as its reference spells it, and its discovery document
_BUSY = frozenset({"quotaExceeded", "rateLimitExceeded", "userRateLimitExceeded", "dailyLimitExceeded"})


class _Row(BaseModel):
    keys: tuple[str, date]
    clicks: float
    impressions: float


class _Rows(BaseModel):
    rows: list[_Row] = []


class _Site(BaseModel):
    permissionLevel: str  # noqa: N815 - as Google calls it


class SearchConsole:
    """See ``ports.Analytics``. ``site`` is the property as Google names it."""

    def __init__(self, http: Http, *, site: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._http = http
        self._site = site
        self._clock = clock

    async def check(self) -> str:
        found = (await self._http.get(f"/webmasters/v3/sites/{quote(self._site, safe='')}")).parse(_Site)
        if found.permissionLevel in _NOBODY:
            raise Permanent(f"this account may not see {self._site}", hint="add it as a user of the property in Search Console")
        return f"{self._site} may be read"

    async def measure(self, slug: str) -> list[ContentMetrics]:
        found: list[ContentMetrics] = []
        for page in range(_PAGES):
            rows = await self._rows(slug, page * _ROWS)
            found += [_metrics(row) for row in rows if slug and slug_of(row.keys[0]) == slug]
            if len(rows) < _ROWS:
                break
        return by_day(found)

    async def _rows(self, slug: str, start: int) -> list[_Row]:
        today = self._clock().astimezone(_GOOGLE).date()
        about = {"dimension": "page", "operator": "contains", "expression": quote(slug)}
        body: dict[str, Any] = {
            "startDate": (today - WINDOW).isoformat(),
            "endDate": today.isoformat(),
            "dimensions": ["page", "date"],
            "dimensionFilterGroups": [{"filters": [about]}],
            "dataState": "final",
            "rowLimit": _ROWS,
            "startRow": start,
        }
        path = f"/webmasters/v3/sites/{quote(self._site, safe='')}/searchAnalytics/query"
        return (await self._http.send("POST", path, body=body, repeatable=True)).parse(_Rows).rows


def _metrics(row: _Row) -> ContentMetrics:
    return ContentMetrics(day=row.keys[1], impressions=round(row.impressions), clicks=round(row.clicks))


def _reason(body: Any) -> str:
    """Google's own code; a quota is a 403 with a reason."""
    return str(body["error"]["errors"][0]["reason"])


def _property(value: str) -> str:
    """``sc-domain:shop.example``, or an address that ends in a slash. Raises InvalidInput."""
    site = value.strip()
    if site.startswith("sc-domain:") and site.removeprefix("sc-domain:"):
        return site
    if urlsplit(site).scheme in ("http", "https") and urlsplit(site).hostname:
        return site if site.endswith("/") else f"{site}/"
    raise InvalidInput(f"{site[:60]!r} is no property", hint="such as sc-domain:shop.example or https://shop.example/")


def _open(opening: Opening) -> Opened:
    given = opening.settings
    tokens = AccessTokens(_grant(opening), name=opening.name)
    http = Http(given["api"], name=opening.name, auth=BearerOf(tokens), explain=_reason, busy=_BUSY)
    console = SearchConsole(http, site=given["site"])

    async def close() -> None:
        await http.close()
        await tokens.close()

    return Opened(check=console.check, analytics=console, close=close)


def _grant(opening: Opening) -> RefreshToken | ServiceAccount:
    given = opening.settings
    if key := opening.secret("service_account"):
        return ServiceAccount.read(key, scope=_SCOPE, token_url=given["token_url"])
    if not (given["client_id"] and opening.secret("refresh_token")):
        raise Permanent(f"{opening.name} has neither a service account nor a refresh token", hint="--secrets-from - gives one")
    return RefreshToken(
        token_url=given["token_url"],
        client_id=given["client_id"],
        client_secret=opening.secret("client_secret"),
        refresh_token=opening.secret("refresh_token"),
    )


KIND = Kind(
    name="search-console",
    title="Google Search Console: how often your pages are shown in searches and clicked",
    settings=(
        Setting(name="site", ask="The property, such as sc-domain:shop.example", check=_property),
        Setting(name="service_account", ask="The JSON key of a service account; empty for OAuth", default="", secret=True),
        Setting(name="client_id", ask="The OAuth client id; empty with a service account", default=""),
        Setting(name="client_secret", ask="The OAuth client secret", default="", secret=True),
        Setting(name="refresh_token", ask="The OAuth refresh token", default="", secret=True),
        Setting(name="api", ask="The API's address", default="https://searchconsole.googleapis.com", check=web_address),
        Setting(name="token_url", ask="Where tokens are made", default="https://oauth2.googleapis.com/token", check=web_address),
    ),
    open=_open,
    measures="impressions and clicks of your pages in Google's searches, by day, two to three days late",
)
