"""The way in: first start, log in, log out, and what is shown to nobody else."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from console.app import create_app
from console.house import House
from console.visit import enter
from tests.console.browser import ORIGIN, Browser
from tests.console.door import CODE, PASSWORD


async def test_the_first_start_asks_for_the_code(stranger: Browser) -> None:
    """A wrong one sets no password; the right one opens the console."""
    wrong = await stranger.client.post("/setup", data={"code": "X", "password": PASSWORD, "again": PASSWORD}, headers=ORIGIN)
    assert (wrong.status_code, "setup code" in wrong.text) == (422, True)
    await stranger.set_up()
    assert "Nothing needs you" in await stranger.page("/")


async def test_who_is_not_logged_in_is_sent_to_the_door(stranger: Browser, house: House) -> None:
    """Every page but the entry's own, and back to where it was meant to go."""
    paths = {route.path for route in routes_of(create_app(house)) if "GET" in (route.methods or ()) and "{" not in route.path}
    assert len(paths) > 20
    for path in paths - {"/login", "/setup", "/health"}:
        answer = await stranger.get(path)
        assert (answer.status_code, answer.headers.get("location", "")[:6]) == (303, "/login"), path
    answer = await stranger.get("/business/stock/A%231")
    assert answer.headers["location"] == "/login?next=/business/stock/A%25231"


def routes_of(app: FastAPI) -> list[APIRoute]:
    """Those of its routers, too: FastAPI keeps them apart."""
    routers = [getattr(route, "original_router", None) for route in app.routes]
    everything = [*app.routes, *(route for router in routers if router for route in router.routes)]
    return [route for route in everything if isinstance(route, APIRoute)]


def enters(dependant: Dependant) -> bool:
    return dependant.call is enter or any(enters(needed) for needed in dependant.dependencies)


async def test_every_route_wants_a_session_but_those_of_the_door(house: House) -> None:
    """With and without parameters, to look and to send."""
    routes = routes_of(create_app(house))
    open_to_all = {(method, route.path) for route in routes if not enters(route.dependant) for method in route.methods or ()}
    door = {(method, path) for method in ("GET", "POST") for path in ("/login", "/setup", "/link/{token}")}
    passkeys = {("POST", "/login/passkey"), ("POST", "/login/passkey/options")}
    assert open_to_all == door | passkeys | {("GET", "/health"), ("POST", "/hooks/{connection}")}  # a hook's own signature counts
    assert len(routes) > 60


async def test_a_wrong_password_is_refused(browser: Browser) -> None:
    """In words that say nothing else, and after a few of them, not looked at for a while."""
    browser.client.cookies.clear()
    answers = [await browser.client.post("/login", data={"password": "not it"}, headers=ORIGIN) for _ in range(10)]
    assert {answer.status_code for answer in answers} == {403}
    assert "this is not the password" in answers[0].text
    assert any("too many tries" in answer.text for answer in answers)


async def test_logging_out_ends_the_session(browser: Browser) -> None:
    """The cookie is worth nothing afterwards."""
    cookies = dict(browser.client.cookies)
    await browser.post("/logout")
    browser.client.cookies.update(cookies)
    assert (await browser.get("/")).status_code == 303


@pytest.mark.parametrize("headers", [{"origin": "https://evil.example"}, {}, {"origin": "null"}])
async def test_a_form_of_another_site_is_refused(browser: Browser, headers: dict[str, str]) -> None:
    """By its origin, before anything looks at its token."""
    answer = await browser.client.post("/logout", data={"csrf": await browser.token()}, headers=headers)
    assert answer.status_code == 403
    assert (await browser.get("/")).status_code == 200


async def test_a_form_without_the_token_is_refused(browser: Browser) -> None:
    """Even from this origin."""
    for token in ("", "x" * 43, "ü"):
        assert (await browser.post("/logout", token=token)).status_code == 403


async def test_another_name_for_this_machine_is_not_served(browser: Browser) -> None:
    """DNS rebinding: the name of another site that resolves to this machine."""
    assert (await browser.get("/", host="evil.example")).status_code == 421


async def test_a_link_to_log_in_leads_nowhere_else(browser: Browser) -> None:
    """What follows the log-in is a path of this console."""
    browser.client.cookies.clear()
    for following in ("//evil.example", "https://evil.example", "/\\evil.example", "/%0d%0aX: y\r\n"):
        answer = await browser.client.post("/login", data={"password": PASSWORD, "next": following}, headers=ORIGIN)
        assert answer.headers["location"] == "/"


async def test_a_typing_error_does_not_lose_the_way(browser: Browser) -> None:
    """The form that comes back leads to where the first one did, and nowhere else."""
    browser.client.cookies.clear()
    for asked, kept in (("/inbox/x", "/inbox/x"), ("https://evil.example", "/")):
        answer = await browser.client.post("/login", data={"password": "not it", "next": asked}, headers=ORIGIN)
        assert f'name="next" value="{kept}"' in answer.text


async def test_every_answer_carries_the_headers_that_protect_it(stranger: Browser) -> None:
    """Pages, refusals and files."""
    for path in ("/login", "/nowhere", "/static/steward.js"):
        headers = (await stranger.get(path)).headers
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


async def test_the_page_for_what_nobody_foresaw_carries_them_too(house: House) -> None:
    """Whatever fails, and wherever."""

    async def fails() -> None:
        raise ZeroDivisionError

    app = create_app(house)
    app.add_api_route("/fails", fails)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=house.public_url) as client:
        answer = await client.get("/fails")
    assert (answer.status_code, "this was not foreseen" in answer.text) == (500, True)
    assert (answer.headers["x-content-type-options"], answer.headers["cache-control"]) == ("nosniff", "no-store")
    assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_what_is_too_large_is_refused(stranger: Browser) -> None:
    """With a stated length and without one."""

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * 500_000

    stated = await stranger.client.post("/login", content=b"x" * 1_000_001, headers=ORIGIN)
    unstated = await stranger.client.post(
        "/login", content=endless(), headers={**ORIGIN, "content-type": "application/x-www-form-urlencoded"}
    )
    assert (stated.status_code, unstated.status_code) == (413, 413)


async def test_the_code_is_as_good_as_people_type_it(stranger: Browser) -> None:
    """Small letters and no hyphen."""
    fields = {"code": CODE.lower().replace("-", " "), "password": PASSWORD, "again": PASSWORD}
    assert (await stranger.client.post("/setup", data=fields, headers=ORIGIN)).status_code == 303
