"""Every analytics keeps the same contract; and what only one of them has to know."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from connectors import search_console, umami
from connectors.kinds import Opened
from connectors.oauth import AccessTokens, RefreshToken
from connectors.page_metrics import completed
from domain.entities import ContentMetrics
from domain.errors import InvalidInput, Permanent, Retryable
from tests.contract.analytics_cases import (
    CASES,
    SEARCHED,
    TIMED,
    Double,
    Google,
    PlausibleDouble,
    UmamiDouble,
    google,
    on_plausible,
    on_umami,
    opened,
)
from tests.contract.every_analytics import DAYS, AnalyticsCase, EveryAnalytics
from tests.contract.http_trouble import TROUBLE
from tests.contract.scripted_http import Reply, as_json, serving

Connecting = Callable[[Any], AbstractAsyncContextManager[Opened]]
SYSTEMS: dict[str, tuple[type[Double], Connecting]] = {
    "search-console": (Google, google),
    "plausible": (PlausibleDouble, on_plausible),
    "umami": (UmamiDouble, on_umami),
}


@pytest.fixture(params=CASES)
async def case(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AnalyticsCase]:
    async with CASES[request.param](tmp_path) as made:
        yield made


class TestEveryAnalytics(EveryAnalytics):
    """Each case keeps the contract."""


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize(
    ("reply", "reading"), [pytest.param(*t.values[:2], id=t.id) for t in TROUBLE if t.id not in ("hangs", "drips", "huge")]
)
async def test_trouble_is_told_by_its_meaning_and_never_with_a_secret(system: str, reply: Reply, reading: type[Exception]) -> None:
    """Measuring changes nothing, so that whatever may be mended by waiting is tried again."""
    make, connecting = SYSTEMS[system]
    double = make()
    async with connecting(double) as connected:
        assert connected.analytics is not None
        assert len((await connected.check()).splitlines()) == 1
        double.trouble = reply
        with pytest.raises(reading) as told:
            await connected.analytics.measure("mugs")
    assert not any(secret in f"{told.value!r} {told.value}" for secret in ("once-for-all", "sesame", "the-key", "token-1"))


@pytest.mark.parametrize("body", [{}, [], {"rows": [{"keys": ["x"]}]}, {"results": [1]}, {"rows": [{"keys": ["/mugs", "soon"]}]}])
@pytest.mark.parametrize("system", ["plausible", "umami"])
async def test_an_answer_of_another_shape_is_no_figure(system: str, body: Any) -> None:
    make, connecting = SYSTEMS[system]
    double = make()
    async with connecting(double) as connected:
        assert connected.analytics is not None
        await connected.check()
        double.trouble = as_json(body)
        if (system, body) == ("umami", []):
            assert await connected.analytics.measure("mugs") == []
            return
        with pytest.raises(Permanent):
            await connected.analytics.measure("mugs")


class TestSearchConsole:
    async def test_a_quota_is_waited_for(self) -> None:
        """Google says it with the status of a missing right."""
        double = Google()
        async with google(double) as connected:
            await connected.check()
            double.trouble = as_json({"error": {"code": 403, "errors": [{"reason": "quotaExceeded"}]}}, status=403)
            with pytest.raises(Retryable, match="quotaExceeded"):
                await connected.analytics.measure("mugs")  # type: ignore[union-attr]
            double.trouble = as_json({"error": {"code": 403, "errors": [{"reason": "forbidden"}]}}, status=403)
            with pytest.raises(Permanent, match="forbidden"):
                await connected.analytics.measure("mugs")  # type: ignore[union-attr]

    @pytest.mark.parametrize("level", ["siteUnverifiedUser", "SITE_UNVERIFIED_USER"])
    async def test_who_may_not_see_the_site_is_told(self, level: str) -> None:
        """In both of Google's spellings."""
        double = Google()
        double.level = level
        async with google(double) as connected:
            with pytest.raises(Permanent, match="may not see"):
                await connected.check()

    async def test_answers_of_many_rows_are_read_to_the_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Rows of one day add up, whatever page they are on."""
        double = Google(figures={(f"/{n}/mugs", DAYS[0]): (10, 1, 0.0) for n in range(7)})
        monkeypatch.setattr(search_console, "_ROWS", 3)
        async with google(double) as connected:
            (day,) = await connected.analytics.measure("mugs")  # type: ignore[union-attr]
        assert (day.impressions, day.clicks) == (70, 7)
        assert [a.body["startRow"] for a in double.asked if a.method == "POST" and a.path != "/token"] == [0, 3, 6]

    async def test_a_corrected_day_replaces_what_was_known(self) -> None:
        """The system is asked for the whole window each time."""
        double = Google()
        async with google(double) as connected:
            assert await connected.analytics.measure("mugs") == SEARCHED  # type: ignore[union-attr]
            double.figures["/guides/mugs", DAYS[0]] = (130, 4, 0.0)
            (first, _) = await connected.analytics.measure("mugs")  # type: ignore[union-attr]
        assert (first.impressions, first.clicks) == (130, 4)

    async def test_its_days_are_pacific_ones(self) -> None:
        """In the European morning it is still yesterday there."""
        asked: list[Any] = []

        class Http:
            async def send(self, _method: str, _path: str, *, body: Any, repeatable: bool) -> Any:
                asked.append(body)
                raise Retryable("enough")

        morning = datetime(2026, 3, 20, 6, tzinfo=UTC)
        with pytest.raises(Retryable):
            await search_console.SearchConsole(Http(), site="sc-domain:x", clock=lambda: morning).measure("mugs")  # type: ignore[arg-type]
        assert (asked[0]["startDate"], asked[0]["endDate"]) == ("2025-12-19", "2026-03-19")

    async def test_a_token_that_is_refused_is_renewed_once(self) -> None:
        """And then it is the credentials that are wrong."""
        double = Google()
        async with google(double) as connected:
            await connected.check()
            double.tokens = ["another"]  # the old one was withdrawn
            assert "may be read" in await connected.check()
            assert len(double.signed_in) == 2
            double.trouble = as_json({"error": "invalid_grant"}, status=400)
            double.tokens = []
            with pytest.raises(Permanent):
                await connected.check()

    async def test_a_service_account_signs_for_itself(self) -> None:
        """With its own key, for the address that makes tokens, and only to read."""
        private, public = key_pair()
        file = json.dumps({"type": "service_account", "client_email": "bot@mill.example", "private_key": private})
        double = Google()
        async with google(double, service_account=file) as connected:
            await connected.check()
            form = double.signed_in[0]
        claims = jwt.decode(form["assertion"], public, algorithms=["RS256"], options={"verify_aud": False})
        assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
        assert (claims["iss"], claims["scope"].rpartition("/")[2]) == ("bot@mill.example", "webmasters.readonly")
        assert claims["aud"].endswith("/token")
        assert claims["exp"] - claims["iat"] == 3_600

    @pytest.mark.parametrize("text", ["x", "{}", '{"client_email": "a", "private_key": "sesame"}'])
    async def test_a_key_that_is_none_is_said_to_be_none(self, text: str) -> None:
        with pytest.raises(Permanent, match="key") as told:
            async with google(Google(), service_account=text) as connected:
                await connected.check()
        assert "sesame" not in str(told.value)

    def test_a_property_is_named_as_google_does(self) -> None:
        with pytest.raises(InvalidInput, match="no property"):
            opened(search_console.KIND, {"site": "mill.example"})
        with pytest.raises(Permanent, match="neither"):
            opened(search_console.KIND, {"site": "sc-domain:mill.example"})
        with pytest.raises(Permanent, match="unprotected"):
            opened(search_console.KIND, {"site": "sc-domain:a.b", "token_url": "http://a.b/t", "client_id": "x"}, refresh_token="y")


async def test_a_token_is_used_until_shortly_before_it_ends_by_all_at_once() -> None:
    now = datetime(2026, 3, 20, tzinfo=UTC)
    async with serving(as_json({"access_token": "one", "expires_in": 600}), as_json({"access_token": "two"})) as server:
        grant = RefreshToken(token_url=f"{server.url}/t", client_id="me", client_secret="sesame", refresh_token="once-for-all")
        tokens = AccessTokens(grant, name="counter", clock=lambda: now)
        assert [await tokens.current(), await tokens.instead_of("an older one")] == ["one", "one"]
        now += timedelta(minutes=7)
        assert await tokens.current() == "one"
        now += timedelta(minutes=2)
        assert await tokens.current() == "two"
        await tokens.close()
    assert server.requests[0] == {
        "grant_type": "refresh_token",
        "client_id": "me",
        "client_secret": "sesame",
        "refresh_token": "once-for-all",
    }
    assert "once-for-all" not in repr(grant)


async def test_umami_signs_in_again_when_its_token_is_refused() -> None:
    double = UmamiDouble()
    async with on_umami(double) as connected:
        await connected.check()
        double.tokens = []
        await connected.check()
        assert double.signed_in == [{"username": "me", "password": "sesame"}] * 2
    with pytest.raises(Permanent, match="neither"):
        opened(umami.KIND, {"website": "w-1"})


async def test_umami_says_why_it_cannot_be_read() -> None:
    """A user who has a second factor gets no token; of a website that is not there it answers null."""
    double = UmamiDouble()
    async with on_umami(double, cloud=True) as connected:
        double.trouble = as_json(None)
        with pytest.raises(Permanent, match="no website"):
            await connected.check()
    double = UmamiDouble(trouble=as_json({"partialToken": "x", "requiresTwoFactor": True}))
    async with on_umami(double) as connected:
        with pytest.raises(Permanent, match="second factor"):
            await connected.check()


def test_who_knows_of_searches_counts_the_clicks_and_who_knows_of_visits_the_time() -> None:
    """In whatever order; a visit on a day that the other one has not counted yet is no click."""
    later = ContentMetrics(day=DAYS[1] + timedelta(days=1), impressions=0, clicks=9, seconds_on_page=9)
    whole = [one.model_copy(update={"seconds_on_page": two.seconds_on_page}) for one, two in zip(SEARCHED, TIMED, strict=True)]
    for first, second in ((SEARCHED, [*TIMED, later]), ([*TIMED, later], SEARCHED)):
        assert completed(first, second) == [*whole, later.model_copy(update={"clicks": 0})]
    assert completed([], TIMED) == TIMED


@cache
def key_pair() -> tuple[str, bytes]:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return private, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
