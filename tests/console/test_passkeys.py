"""Passkeys as a browser sends them: adding one, coming in, proving, removing, and everything that is none of these."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import pytest

from console.app import create_app
from console.ceremony import LONGEST_ANSWER
from console.house import House
from domain.runs import Controls
from tests.console.browser import ORIGIN, Browser
from tests.console.door import PASSWORD
from tests.unit.console.authenticator import UP, Authenticator

NAMED = "http://localhost:8400"
SCRIPT = {"origin": NAMED, "accept": "application/json"}
ACCESS, LOGIN, PROVE = "/controls/access/passkeys", "/login/passkey", "/prove/passkey"


class NamedBrowser(Browser):
    """Under a name for which there can be passkeys. ``key`` is its authenticator."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        super().__init__(client)
        self.key = Authenticator(origin=NAMED)

    async def send(self, path: str, fields: Mapping[str, Any], **headers: str) -> httpx.Response:
        return await self.client.post(path, data=fields, headers={"origin": NAMED, **headers})

    async def asked(self, path: str, **fields: str) -> dict[str, Any]:
        """The options that the page's script asks for."""
        answer = await self.client.post(f"{path}/options", data={"csrf": await self.token(), **fields}, headers=SCRIPT)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def add(self, name: str = "phone") -> httpx.Response:
        made = json.dumps(self.key.create(await self.asked(ACCESS, name=name)))
        return await self.send(ACCESS, {"csrf": await self.token(), "name": name, "credential": made})

    async def log_out(self) -> None:
        await self.send("/logout", {"csrf": await self.token()})

    async def log_in(self, following: str = "/") -> httpx.Response:
        said = json.dumps(self.key.get(await self.asked(LOGIN)))
        return await self.send(LOGIN, {"credential": said, "next": following})


@pytest.fixture
async def named(house: House) -> AsyncIterator[NamedBrowser]:
    """Logged in with the password."""
    app = create_app(house)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=NAMED, headers={"origin": NAMED}) as client,
    ):
        await house.doorkeeper.set_up(code="AAAA-BBBB", password=PASSWORD, client="127.0.0.1")
        await client.post("/login", data={"password": PASSWORD})
        yield NamedBrowser(client)


async def test_a_passkey_is_added_listed_and_opens_the_console(named: NamedBrowser) -> None:
    """Under the name for which it was made; its name is shown as text."""
    added = await named.add("<b>phone</b>")
    assert (added.status_code, added.headers["location"]) == (303, "/controls/access")
    page = await named.page("/controls/access")
    assert "opens localhost from now on" in page
    assert "&lt;b&gt;phone&lt;/b&gt;</th><td>localhost</td><td>on one device only</td>" in page
    await named.log_out()
    assert "Use a passkey" in await named.page("/login")
    entered = await named.log_in("/inbox")
    assert (entered.status_code, entered.headers["location"]) == (303, "/inbox")
    assert (await named.get("/inbox")).status_code == 200


async def test_a_refused_passkey_leaves_the_password(named: NamedBrowser) -> None:
    """The same page as after a wrong password, with the way that was meant."""
    await named.add()
    await named.log_out()
    named.key.flags = UP
    refused = await named.log_in("/inbox")
    assert (refused.status_code, "this passkey is not accepted" in refused.text) == (403, True)
    assert refused.text.count('name="next" value="/inbox"') == 2
    assert "steward" not in named.client.cookies
    assert (await named.get("/inbox")).status_code == 303


async def test_a_passkey_is_a_proof(named: NamedBrowser, house: House) -> None:
    """It is offered where the password is asked once more, and then that is not asked any more."""
    await named.add()
    await named.send("/controls/kill", {"csrf": await named.token(), "on": "yes"})
    await named.forget_the_password(house)
    page = await named.page("/controls")
    assert ("data-proves" in page, "/static/passkey.js" in page, "kill-password" in page) == (True, True, True)
    said = json.dumps(named.key.get(await named.asked(PROVE)))
    proved = await named.client.post(PROVE, data={"csrf": await named.token(), "credential": said}, headers=SCRIPT)
    assert (proved.status_code, proved.text) == (204, "")
    assert "data-proves" not in await named.page("/controls")
    await named.send("/controls/kill", {"csrf": await named.token(), "on": "no"})
    controls = await house.memory.state.get(Controls, "self")
    assert controls is not None
    assert not controls.kill_switch


async def test_adding_and_removing_want_a_proof(named: NamedBrowser, house: House) -> None:
    """The password will do."""
    await named.add()
    await named.forget_the_password(house)
    for path in (f"{ACCESS}/options", ACCESS, f"{ACCESS}/remove"):
        fields = {"csrf": await named.token(), "name": "phone", "credential": "{}"}
        assert (await named.send(path, fields)).status_code == 403, path
    fields = {"csrf": await named.token(), "name": "phone", "password": PASSWORD}
    assert (await named.send(f"{ACCESS}/remove", fields)).status_code == 303
    assert "opens nothing any more" in await named.page("/controls/access")
    assert "Use a passkey" not in await named.page("/controls/access")
    await named.log_out()
    assert "Use a passkey" not in await named.page("/login")


async def test_a_removed_passkey_closes_the_other_sessions(named: NamedBrowser, house: House) -> None:
    """It may have opened them."""
    await named.add()
    other = await house.doorkeeper.log_in(password=PASSWORD, client="127.0.0.1")
    await named.send(f"{ACCESS}/remove", {"csrf": await named.token(), "name": "phone"})
    assert await house.doorkeeper.session_of(other.cookie) is None


async def test_under_an_address_of_numbers_it_is_said_where_there_are_passkeys(
    named: NamedBrowser, browser_by_number: Browser
) -> None:
    """Nothing is offered there, and nothing taken."""
    await named.add()
    await browser_by_number.client.post("/login", data={"password": PASSWORD}, headers=ORIGIN)
    page = await browser_by_number.page("/controls/access")
    assert '<a href="http://localhost:8400/controls/access">' in page
    assert ("passkey.js" in page, "Add a passkey" in page, ">phone</th><td>localhost</td>" in page) == (False, False, True)
    assert "Use a passkey" not in (await browser_by_number.client.get("/login")).text
    for path in (f"{ACCESS}/options", ACCESS, PROVE, f"{PROVE}/options", LOGIN, f"{LOGIN}/options"):
        answer = await browser_by_number.post(path, {"name": "desk", "credential": "{}"})
        assert (answer.status_code, "under this address" in answer.text) in ((422, True), (403, True)), path


@pytest.fixture
async def browser_by_number(house: House) -> AsyncIterator[Browser]:
    app = create_app(house)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=house.public_url) as client:
        yield Browser(client)


POISON = (
    "",
    "{",
    "null",
    "[]",
    "[" * 20_000,
    "\x00",
    "x" * (LONGEST_ANSWER + 1),
    "9" * 5_000,
    '{"id": {}, "rawId": [], "response": 1}',
)


@pytest.mark.parametrize("path", [ACCESS, PROVE, LOGIN])
async def test_what_is_no_answer_is_refused(named: NamedBrowser, house: House, path: str) -> None:
    """With 4xx and in words, and nothing is recorded but that somebody has to wait."""
    head = await house.memory.log.head()
    for text in POISON:
        answer = await named.send(path, {"csrf": await named.token(), "name": "phone", "credential": text})
        assert answer.status_code in (403, 422, 429), (text[:20], answer.status_code)
        assert "not foreseen" not in answer.text
    assert {event.type for event in await house.memory.log.read(after=head.seq)} <= {"access.login-refused"}


async def test_a_file_in_place_of_an_answer_is_refused(named: NamedBrowser) -> None:
    """It is no text."""
    for path in (ACCESS, PROVE, LOGIN):
        data = {"csrf": await named.token(), "name": "phone"}
        answer = await named.client.post(path, data=data, files={"credential": b"{}"})
        assert 400 <= answer.status_code < 500, path


@pytest.mark.parametrize("path", [ACCESS, f"{ACCESS}/options", f"{ACCESS}/remove", PROVE, f"{PROVE}/options"])
async def test_the_script_needs_session_and_token_as_every_form_does(named: NamedBrowser, path: str) -> None:
    """And says in JSON what it lacks."""
    await named.add()
    for token in ("", "x" * 43):
        answer = await named.client.post(path, data={"csrf": token, "name": "phone", "credential": "{}"}, headers=SCRIPT)
        assert (answer.status_code, "too old" in answer.json()["message"]) == (403, True)
    await named.log_out()
    answer = await named.client.post(path, data={"name": "phone"}, headers=SCRIPT)
    assert (answer.status_code, answer.json()["message"]) == (401, "you are not logged in any more")


@pytest.mark.parametrize("path", [LOGIN, f"{LOGIN}/options", PROVE, ACCESS])
async def test_another_site_is_not_listened_to(named: NamedBrowser, path: str) -> None:
    """Nor is another name of this machine."""
    await named.add()
    for headers, status in (({"origin": "https://evil.example"}, 403), ({"host": "evil.example"}, 421)):
        answer = await named.client.post(path, data={"csrf": await named.token()}, headers=headers)
        assert answer.status_code == status


async def test_an_answer_from_another_port_of_this_machine_is_refused(named: NamedBrowser) -> None:
    """Whatever else runs on localhost has the same name for passkeys; its origin is what tells it apart."""
    await named.add()
    await named.log_out()
    named.key.origin = "http://localhost:9999"
    assert (await named.log_in()).status_code == 403


async def test_the_trail_tells_of_passkeys(named: NamedBrowser) -> None:
    """Under the heading of access."""
    await named.add("phone <i>")
    await named.log_out()
    await named.log_in()
    page = await named.page("/audit?topic=access")
    assert "passkey phone &lt;i&gt; added for localhost" in page
    assert "logged in with a passkey" in page


async def test_programs_have_no_passkeys(named: NamedBrowser) -> None:
    """They are for the browser: the API does not know them."""
    described = (await named.client.get("/api/v1/openapi.json")).json()
    assert len(described["paths"]) > 10
    assert "passkey" not in str(described)
