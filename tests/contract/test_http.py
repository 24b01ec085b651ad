"""What every HTTP connector does when its system misbehaves, against a real server on loopback."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from connectors.http import Http, Limits, Reply
from domain.errors import Permanent, Retryable, Unknown
from tests.contract import scripted_http as scripted
from tests.contract.http_trouble import TROUBLE
from tests.contract.scripted_http import Server, as_json, serving

SECRET = "sesame-open"
QUICK = Limits(connect_seconds=0.5, seconds=0.4, max_bytes=1_000, pages=3)


class Thing(BaseModel):
    number: int


@asynccontextmanager
async def calling(*script: scripted.Reply) -> AsyncIterator[tuple[Http, Server]]:
    async with serving(*script) as server:
        http = Http(
            server.url,
            name="the shop",
            auth=httpx.BasicAuth("me", SECRET),
            limits=QUICK,
            explain=lambda body: str(body["code"]),
        )
        try:
            yield http, server
        finally:
            await http.close()


@pytest.mark.parametrize(("reply", "reading", "writing"), TROUBLE)
async def test_each_trouble_has_one_meaning_for_reading_and_one_for_writing(
    reply: scripted.Reply, reading: type[Exception], writing: type[Exception]
) -> None:
    """What may have happened is Unknown, and never an invitation to send it again; no error tells a secret."""
    async with calling(reply) as (http, _):
        with pytest.raises(reading) as read:
            await http.get("/things", params={"token": SECRET})
        with pytest.raises(writing) as written:
            await http.send("POST", "/things", body={"secret": SECRET})
    assert SECRET not in f"{read.value!r} {read.value} {written.value!r} {written.value}"


async def test_a_system_that_is_away_was_not_told_anything() -> None:
    """No connection is Retryable even for what may not be repeated."""
    async with calling(as_json({})) as (_, server):
        port = server.url
    http = Http(port, name="the shop", limits=QUICK)
    with pytest.raises(Retryable):
        await http.send("POST", "/things", body={})
    await http.close()


@pytest.mark.parametrize(("method", "kind"), [("GET", Permanent), ("POST", Unknown)])
@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"number": "many"}', b"[" * 900], ids=["html", "lacks", "wrong", "deep"])
async def test_an_answer_of_another_shape_is_told_by_its_place_and_never_repeated(method: str, kind: type, body: bytes) -> None:
    """For an effect it says nothing about whether it happened."""
    async with calling(scripted.Reply(body=body)) as (http, _):
        reply = await http.send(method, "/things")
        with pytest.raises(kind) as told:
            reply.parse(Thing)
    assert "many" not in str(told.value)


async def test_a_good_answer_is_parsed_and_an_idempotency_key_makes_a_post_repeatable() -> None:
    """The same 500 is Retryable where the system knows the key."""
    async with calling(as_json({"number": 5}), as_json({}, status=500)) as (http, server):
        assert (await http.get("things")).parse(Thing).number == 5
        with pytest.raises(Retryable):
            await http.send("POST", "/things", body={}, headers={"Idempotency-Key": "k"}, repeatable=True)
        assert server.methods == ["GET", "POST"]
        assert "Basic" in server.heads[0]


async def test_the_server_says_how_long_to_wait_on_its_own_clock() -> None:
    """A date is measured against the server's Date: a clock here that is two hours off does no harm."""
    theirs = datetime.now(UTC) + timedelta(hours=2)
    headers = {"date": format_datetime(theirs), "retry_after": format_datetime(theirs + timedelta(seconds=90))}
    async with calling(as_json({}, status=429, **headers)) as (http, server):
        with pytest.raises(Retryable) as first:
            await http.get("/things")
        with pytest.raises(Retryable, match="left alone") as second:
            await http.get("/things")
        assert len(server.paths) == 1
    assert first.value.retry_after == timedelta(seconds=90)
    assert second.value.retry_after is not None
    assert second.value.retry_after <= timedelta(seconds=90)


async def test_the_last_call_that_is_allowed_is_the_last_one() -> None:
    """Remaining zero holds the next call until the reset; a short wait is waited out."""
    empty = as_json({"number": 1}, ratelimit_remaining="0", ratelimit_reset="1")
    async with calling(empty, as_json({"number": 2}, x_ratelimit_remaining="0", x_ratelimit_reset="600")) as (http, _):
        before = datetime.now(UTC)
        assert [(await http.get("/things")).parse(Thing).number for _ in range(2)] == [1, 2]
        assert datetime.now(UTC) - before >= timedelta(seconds=0.9)
        with pytest.raises(Retryable):
            await http.get("/things")


async def test_pages_are_followed_to_their_end_and_not_to_another_host() -> None:
    """A link elsewhere would take the credentials with it; a chain without end ends."""

    def following(reply: Reply) -> str | None:
        return reply.parse(dict[str, Any]).get("next")

    async with calling(as_json({"next": "/b"}), as_json({})) as (http, server):
        assert len([page async for page in http.pages("/a", params={"q": "1"}, following=following)]) == 2
        assert server.paths == ["/a?q=1", "/b"]
    for link, told in (("http://example.org/b", "another host"), ("/b", "more than 3 pages")):
        async with calling(as_json({"next": link})) as (http, _):
            with pytest.raises(Permanent, match=told):
                [page async for page in http.pages("/a", following=following)]


async def test_only_a_short_code_of_an_error_is_repeated() -> None:
    """Strangers write error bodies, and systems repeat in them what they were sent."""
    said = {"code": "rest_forbidden\n\x1b[31m", "message": f"{SECRET} is no password"}
    async with calling(as_json(said, status=403)) as (http, _):
        with pytest.raises(Permanent) as told:
            await http.get("/things")
    assert "answered 403 (rest_forbidden31m)" in str(told.value)
    assert SECRET not in str(told.value)
    assert "\x1b" not in str(told.value)
