"""Doubles of the analytics systems on loopback: as much of each API as is asked, with the figures of a few pages."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from connectors import plausible, search_console, umami
from connectors.analytics_csv import AnalyticsCsv
from connectors.fakes import InMemoryAnalytics
from connectors.kinds import Kind, Opened, Opening
from domain.entities import ContentMetrics
from memory.fakes.shelves import InMemoryAttempts
from tests.contract.every_analytics import DAYS, AnalyticsCase
from tests.contract.recorded.contracts import contract
from tests.contract.scripted_http import Call, Reply, as_json, serving

BERLIN = ZoneInfo("Europe/Berlin")
HOST = "https://mill.example"
Figures = dict[tuple[str, date], tuple[int, int, float]]
"""Impressions, clicks or visits, and seconds, by path and day."""

COUNTED: Figures = {
    ("/guides/mugs", DAYS[0]): (100, 3, 40.0),
    ("/guides/mugs/", DAYS[1]): (50, 1, 20.0),
    ("/guides/mugs?ref=mail", DAYS[1]): (20, 1, 40.0),
    ("/guides/red-mugs", DAYS[0]): (900, 90, 5.0),
    ("/smugs", DAYS[0]): (7, 7, 7.0),
}
SEARCHED = [ContentMetrics(day=DAYS[0], impressions=100, clicks=3), ContentMetrics(day=DAYS[1], impressions=70, clicks=2)]
VISITED = [ContentMetrics(day=DAYS[0], impressions=0, clicks=3), ContentMetrics(day=DAYS[1], impressions=0, clicks=2)]
TIMED = [one.model_copy(update={"seconds_on_page": s}) for one, s in zip(VISITED, (40.0, 30.0), strict=True)]


@dataclass
class Double(ABC):
    """``tokens`` are those that are taken; each sign-in makes one more. ``trouble`` is answered in place of anything else.
    ``system`` is what is recorded of it.
    """

    system: ClassVar[str]
    figures: Figures = field(default_factory=lambda: dict(COUNTED))
    tokens: list[str] = field(default_factory=list)
    signed_in: list[dict[str, str]] = field(default_factory=list)
    asked: list[Call] = field(default_factory=list)
    trouble: Reply | None = None

    def answer(self, asked: Call) -> Reply:
        self.asked.append(asked)
        return self.trouble or contract(self.system).checked(asked, self.reply(asked))

    @abstractmethod
    def reply(self, asked: Call) -> Reply:
        """What the system says where nothing is wrong."""

    def takes(self, asked: Call) -> bool:
        return asked.headers.get("authorization", "").removeprefix("Bearer ") in self.tokens

    def sign_in(self, asked: Call) -> str:
        self.signed_in.append(asked.body)
        self.tokens = [f"token-{len(self.signed_in)}"]
        return self.tokens[0]


class Google(Double):
    """The sign-in and Search Console."""

    system = "search-console"
    page_size = 25_000
    level = "siteFullUser"

    def reply(self, asked: Call) -> Reply:
        if asked.path == "/token":
            return as_json({"access_token": self.sign_in(asked), "token_type": "Bearer", "expires_in": 3600})
        if not self.takes(asked):
            return google_error(401, "authError")
        if not asked.path.startswith("/webmasters/v3/sites/sc-domain%3Amill.example"):
            return google_error(404, "notFound")
        if asked.method == "GET":
            return as_json({"siteUrl": "sc-domain:mill.example", "permissionLevel": self.level})
        return as_json({"rows": self._rows(asked.body), "responseAggregationType": "byPage"})

    def _rows(self, body: Any) -> list[Any]:
        assert (body["dimensions"], body["dataState"]) == (["page", "date"], "final")
        (wanted,) = body["dimensionFilterGroups"][0]["filters"]
        rows = [
            {
                "keys": [HOST + path, day.isoformat()],
                "clicks": float(clicks),
                "impressions": float(shown),
                "ctr": 0.1,
                "position": 4.2,
            }
            for (path, day), (shown, clicks, _) in self.figures.items()
            if wanted["expression"].lower() in path.lower() and body["startDate"] <= day.isoformat() <= body["endDate"]
        ]
        rows.sort(key=lambda row: -row["clicks"])  # type: ignore[operator]
        return rows[body["startRow"] : body["startRow"] + min(body["rowLimit"], self.page_size)]


class PlausibleDouble(Double):
    system = "plausible"

    def reply(self, asked: Call) -> Reply:
        if not self.takes(asked):
            return as_json({"error": "Invalid API key"}, status=401)
        body = asked.body
        assert (asked.path, body["site_id"]) == ("/api/v2/query", "mill.example")
        if "dimensions" not in body:
            return as_json({"results": [{"metrics": [7], "dimensions": []}], "meta": {}, "query": {}})
        (_, _, (wanted,)) = body["filters"][0]
        rows = [
            {"dimensions": [path, day.isoformat()], "metrics": [visits, seconds]}
            for (path, day), (_, visits, seconds) in self.figures.items()
            if wanted in path and body["date_range"][0] <= day.isoformat() <= body["date_range"][1]
        ]
        start, limit = body["pagination"]["offset"], body["pagination"]["limit"]
        return as_json({"results": rows[start : start + limit], "meta": {}, "query": {}})


@dataclass
class UmamiDouble(Double):
    """``word`` is how this version calls an address: an unknown type is refused, an unknown filter ignored, as they do."""

    system = "umami"
    word: str = "path"

    def reply(self, asked: Call) -> Reply:
        if asked.path.endswith("/auth/login"):
            return as_json({"token": self.sign_in(asked), "user": _UMAMI_USER})
        if not (self.takes(asked) or asked.headers.get("x-umami-api-key") in self.tokens):
            return umami_error(401, "unauthorized")
        query = asked.query
        if asked.path.endswith("/metrics"):
            if query["type"] != self.word:
                return umami_error(400, "bad-request")
            found = sorted({path for path, _ in self.figures if query["search"] in path})
            return as_json([{"x": path, "y": 1} for path in (*found, None)])
        if asked.path.endswith("/pageviews"):
            return as_json(self._series(query))
        return as_json({**_UMAMI_SITE, "id": "w-1", "domain": "mill.example", "name": "Mill"})

    def _series(self, query: dict[str, str]) -> dict[str, Any]:
        assert (query["unit"], query["timezone"]) == ("day", "Europe/Berlin")
        within = [
            (day, visits)
            for (path, day), (_, visits, _) in self.figures.items()
            if query.get(self.word, path) == path and int(query["startAt"]) <= _at_noon(day) <= int(query["endAt"])
        ]
        points = [{"x": self._midnight(day), "y": visits} for day, visits in within]
        return {"pageviews": [{**point, "y": 999} for point in points], "sessions": points}

    def _midnight(self, day: date) -> str:
        """One version gives the moment, in UTC; the other one the day in the zone that was asked for."""
        if self.word == "url":
            return f"{day} 00:00:00"
        return datetime(day.year, day.month, day.day, tzinfo=BERLIN).astimezone(UTC).isoformat().replace("+00:00", "Z")


_UMAMI_USER: dict[str, Any] = {"createdAt": None, "id": "u-1", "isAdmin": False, "role": "user", "teams": [], "username": "me"}
_UMAMI_SITE = {
    **dict.fromkeys(("createdAt", "createdBy", "deletedAt", "resetAt", "shareId", "teamId", "updatedAt", "userId")),
    "recorderEnabled": False,
    "replayConfig": None,
}


def google_error(status: int, reason: str) -> Reply:
    return as_json({"error": {"code": status, "message": "no", "errors": [{"reason": reason}]}}, status=status)


def umami_error(status: int, code: str) -> Reply:
    return as_json({"error": {"code": code, "message": "no", "status": status}}, status=status)


def _at_noon(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp() * 1_000)


def opened(kind: Kind, settings: dict[str, str], **secrets: str) -> Opened:
    """As the operator would connect it."""
    wanted = {s.name: secrets.get(s.name, s.default or "") for s in kind.settings if s.secret}
    return kind.open(
        Opening(
            name="counter",
            settings=kind.checked(settings),
            secrets={name: SecretStr(value) for name, value in wanted.items()},
            folder=Path("unused"),
            attempts=InMemoryAttempts(),
        )
    )


@asynccontextmanager
async def google(double: Google, **secrets: str) -> AsyncIterator[Opened]:
    async with serving(answer=double.answer) as server:
        given = {"site": "sc-domain:mill.example", "api": server.url, "token_url": f"{server.url}/token", "client_id": "me"}
        connected = opened(search_console.KIND, given, **(secrets or {"refresh_token": "once-for-all", "client_secret": "sesame"}))
        yield connected
        await connected.close()


@asynccontextmanager
async def on_plausible(double: PlausibleDouble) -> AsyncIterator[Opened]:
    double.tokens = ["the-key"]
    async with serving(answer=double.answer) as server:
        connected = opened(plausible.KIND, {"site": "mill.example", "url": server.url}, api_key="the-key")
        yield connected
        await connected.close()


@asynccontextmanager
async def on_umami(double: UmamiDouble, *, cloud: bool = False) -> AsyncIterator[Opened]:
    async with serving(answer=double.answer) as server:
        given, secrets = {"website": "w-1", "url": server.url, "user": "me"}, {"password": "sesame"}
        if cloud:
            double.tokens, secrets = ["the-key"], {"api_key": "the-key"}
        connected = opened(umami.KIND, given, **secrets)
        yield connected
        await connected.close()


def _case(connecting: Callable[[], Any], mugs: list[ContentMetrics]) -> Callable[[Path], Any]:
    @asynccontextmanager
    async def case(_home: Path) -> AsyncIterator[AnalyticsCase]:
        async with connecting() as connected:
            assert connected.analytics is not None
            yield AnalyticsCase(connected.analytics, mugs)

    return case


@asynccontextmanager
async def _csv(home: Path) -> AsyncIterator[AnalyticsCase]:
    rows = [f"{HOST}{path},{day},{shown},{clicks},{seconds}" for (path, day), (shown, clicks, seconds) in COUNTED.items()]
    (home / "metrics.csv").write_text("\n".join(("page,day,impressions,clicks,seconds_on_page", *rows)))
    mugs = [a.model_copy(update={"seconds_on_page": b.seconds_on_page}) for a, b in zip(SEARCHED, TIMED, strict=True)]
    yield AnalyticsCase(AnalyticsCsv(home / "metrics.csv"), mugs)


@asynccontextmanager
async def _fake(_home: Path) -> AsyncIterator[AnalyticsCase]:
    yield AnalyticsCase(InMemoryAnalytics({"mugs": tuple(SEARCHED)}), SEARCHED)


CASES: dict[str, Callable[[Path], Any]] = {
    "csv": _csv,
    "fake": _fake,
    "search-console": _case(lambda: google(Google()), SEARCHED),
    "plausible": _case(lambda: on_plausible(PlausibleDouble()), TIMED),
    "umami": _case(lambda: on_umami(UmamiDouble()), VISITED),
    "umami-2": _case(lambda: on_umami(UmamiDouble(word="url")), VISITED),
    "umami-cloud": _case(lambda: on_umami(UmamiDouble(), cloud=True), VISITED),
}
"""Every analytics, by name: a context manager that gives the case to try it with."""
