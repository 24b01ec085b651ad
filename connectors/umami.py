"""Umami: visits of a page by day, in the time zone that is set.

It knows nothing of searches, and what it calls time is that of whole visits: there are neither impressions nor times.
Version 3 filters by ``path``, version 2 by ``url``; a server would ignore the other one's word and count the whole site,
so that it is asked first which of them it knows.
Sources: https://umami.is/docs/api (website statistics, authentication) and its changelog of 2025-10-07.
"""

from collections.abc import AsyncGenerator, Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import httpx
from pydantic import BaseModel

from connectors.http import Http
from connectors.kinds import Kind, Opened, Opening, Setting, web_address
from connectors.page_metrics import WINDOW, by_day, slug_of
from domain.entities import ContentMetrics
from domain.errors import InvalidInput, Permanent

_MOST = "500"  # addresses of one search
_WORDS = ("path", "url")


class _Website(BaseModel):
    domain: str | None = None
    name: str = ""


class _Point(BaseModel):
    x: str
    y: int


class _Ranked(BaseModel):
    """A value of a dimension; null counts what has none."""

    x: str | None


class _Series(BaseModel):
    sessions: list[_Point]


class _Login(BaseModel):
    """Who has a second factor gets no token yet."""

    token: str = ""
    requiresTwoFactor: bool = False  # noqa: N815 - as Umami calls it


class SignedIn(httpx.Auth):
    """Signs in with a user and a password where there is no token yet, and once more where it is refused."""

    def __init__(self, http: Http, *, user: str, password: str) -> None:
        self._http = http
        self._form = {"username": user, "password": password}
        self._token = ""

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        fresh = not self._token
        if fresh:
            await self._sign_in()
        request.headers["authorization"] = f"Bearer {self._token}"
        response = yield request
        if response.status_code == httpx.codes.UNAUTHORIZED and not fresh:
            await self._sign_in()
            request.headers["authorization"] = f"Bearer {self._token}"
            yield request

    async def _sign_in(self) -> None:
        found = (await self._http.send("POST", "/auth/login", body=self._form, repeatable=True)).parse(_Login)
        if not found.token:
            why = "asks for a second factor" if found.requiresTwoFactor else "gave no token"
            raise Permanent(f"{self._http.name} {why}", hint="give it a user of its own with a password alone")
        self._token = found.token


class Umami:
    """See ``ports.Analytics``. ``website`` is its id there."""

    def __init__(
        self, http: Http, *, website: str, timezone: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._http = http
        self._path = f"/websites/{website}"
        self._zone = ZoneInfo(timezone)
        self._clock = clock

    async def check(self) -> str:
        found = (await self._http.get(self._path)).parse(_Website | None)  # type: ignore[arg-type]  # a union is no type to mypy
        if found is None:
            raise Permanent(f"{self._http.name} has no website of this id", hint="it stands in the website's settings")
        return f"{found.domain or found.name or 'a website'} may be read"

    async def measure(self, slug: str) -> list[ContentMetrics]:
        if not slug:
            return []
        word, paths = await self._addresses(slug)
        return by_day([metrics for path in paths for metrics in await self._visits(word, path)])

    async def _addresses(self, slug: str) -> tuple[str, list[str]]:
        """The word for addresses that this version knows, and the page's own."""
        for word in _WORDS:
            try:
                asked = {**self._span(), "type": word, "search": slug, "limit": _MOST}
                found = (await self._http.get(f"{self._path}/metrics", params=asked)).parse(list[_Ranked])
            except Permanent:
                if word == _WORDS[-1]:
                    raise
                continue
            return word, [one.x for one in found if one.x is not None and slug_of(one.x) == slug]
        raise AssertionError("the last word raises or returns")

    async def _visits(self, word: str, path: str) -> list[ContentMetrics]:
        asked = {**self._span(), "unit": "day", "timezone": self._zone.key, word: path}
        found = (await self._http.get(f"{self._path}/pageviews", params=asked)).parse(_Series).sessions
        return [ContentMetrics(day=self._day(point.x), impressions=0, clicks=point.y) for point in found if point.y]

    def _span(self) -> dict[str, str]:
        """From midnight on, so that the first day is whole."""
        now = self._clock().astimezone(self._zone)
        start = datetime.combine(now.date() - WINDOW, datetime.min.time(), tzinfo=self._zone)
        return {"startAt": str(_milliseconds(start)), "endAt": str(_milliseconds(now + timedelta(minutes=1)))}

    def _day(self, moment: str) -> date:
        """``2026-03-01 00:00:00`` is a day as it stands; with a zone it is the moment at which the day began here."""
        try:
            found = datetime.fromisoformat(moment)
        except ValueError:
            raise Permanent(f"{self._http.name} gave a day that is none", hint="it may have been updated") from None
        return found.date() if found.tzinfo is None else found.astimezone(self._zone).date()


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000)


def _timezone(value: str) -> str:
    try:
        return ZoneInfo(value.strip()).key
    except (ZoneInfoNotFoundError, ValueError):
        raise InvalidInput(f"{value.strip()[:40]!r} is no time zone", hint="such as Europe/Berlin") from None


def _open(opening: Opening) -> Opened:
    given = opening.settings
    if key := opening.secret("api_key"):
        http = Http(given["url"], name=opening.name, headers={"x-umami-api-key": key})
        entrance = None
    else:
        if not (given["user"] and opening.secret("password")):
            raise Permanent(f"{opening.name} has neither an API key nor a user with a password", hint="--secrets-from - gives one")
        base = f"{given['url'].rstrip('/')}/api"
        entrance = Http(base, name=opening.name)
        http = Http(base, name=opening.name, auth=SignedIn(entrance, user=given["user"], password=opening.secret("password")))
    umami = Umami(http, website=given["website"], timezone=given["timezone"])

    async def close() -> None:
        await http.close()
        if entrance is not None:
            await entrance.close()

    return Opened(check=umami.check, analytics=umami, close=close)


def _website(value: str) -> str:
    website = value.strip()
    if not website or not all(c.isalnum() or c == "-" for c in website):
        raise InvalidInput(f"{website[:40]!r} is no id of a website", hint="it stands in the website's settings")
    return website


KIND = Kind(
    name="umami",
    title="Umami: visits of your pages",
    settings=(
        Setting(name="website", ask="The website's id", check=_website),
        Setting(name="url", ask="Its address", default="https://api.umami.is/v1", check=web_address),
        Setting(name="api_key", ask="An API key, for Umami's cloud; empty for your own server", default="", secret=True),
        Setting(name="user", ask="The user, on your own server", default=""),
        Setting(name="password", ask="The user's password", default="", secret=True),
        Setting(name="timezone", ask="The time zone of your days", default="Europe/Berlin", check=_timezone),
    ),
    open=_open,
    measures="visits of your pages, by day",
)
