"""The way in, from the command line: tokens, the password, and what `up` says of the console."""

import os
import pty
import sys
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters

import stack
from cli.context import System
from cli.entrance import Entrance, directions, entrance
from memory import in_memory
from memory.setup_code import setup_code
from models.embedding import HashingEmbedder
from settings import CHECKOUT, Settings
from tests.cli.steward import Steward


async def test_the_way_in_is_the_address_and_before_the_first_password_the_code(tmp_path: Path) -> None:
    """Where no console runs there is nothing to say."""
    endpoints = stack.Endpoints("", "", "", "", None, console_url="http://127.0.0.1:8470")
    kept = in_memory(embedder=HashingEmbedder())
    system = System(settings=Settings(home=tmp_path), endpoints=endpoints, memory=kept)
    code = setup_code(tmp_path)
    found = await entrance(system)
    assert directions(found) == [f"The console: {found.url}", f"Its setup code, for the first password: {code}"]
    await kept.credentials.set_password("a hash", replaces=None)
    assert directions(await entrance(system)) == ["The console: http://127.0.0.1:8470"]
    assert directions(Entrance(None, code)) == []


def test_a_token_is_shown_once_listed_and_revoked(shop: Steward) -> None:
    """The list says what it may do and has neither the token nor its hash."""
    issued = shop("token", "issue", "phone", "--scope", "read", "--scope", "propose", "--json").json
    (listed,) = (t for t in shop("token", "list", "--json").json if t["name"] == "phone")
    assert issued["token"].startswith("stw_")
    assert (listed["scopes"], listed["revoked_at"], set(listed) & {"token", "token_hash"}) == (["read", "propose"], None, set())
    again = shop("token", "issue", "phone", "--scope", "read")
    assert (again.code, again.err.splitlines()[0]) == (2, "there is a token phone already")
    assert "good until" in shop("token", "list").out
    assert shop("token", "revoke", "phone").out == "phone lets nobody in any more.\n"
    assert "revoked since" in shop("token", "list").out
    assert shop("token", "revoke", "phone").code == 2


def test_the_password_is_set_from_a_line_of_the_input(shop: Steward) -> None:
    """One that is too easy is refused; without a terminal nobody is asked."""
    refused = shop.process("console", "--set-password", "--stdin", given="password123\n")
    assert (refused.code, len(refused.err.splitlines())) == (2, 2)
    done = shop.process("console", "--set-password", "--stdin", "--json", given="tin roof sparrow\n")
    said = done.json
    assert set(said.pop("tokens_standing")) == {t["name"] for t in shop("token", "list", "--json").json if not t["revoked_at"]}
    assert said == {"password": "set", "sessions_closed": 0, "passkeys_removed": 0}
    assert "--stdin" in shop.process("console", "--set-password").err
    told = [e for e in shop("log", "tail", "-n", "9", "--json").json if e["type"] == "access.password-set"]
    assert told[0]["data"]["how"] == "terminal"


@pytest.mark.parametrize(("second", "says"), [("tin roof sparrow", "The password is set."), ("tin roof", "not the same")])
def test_the_password_is_asked_twice_at_a_terminal(shop: Steward, second: str, says: str) -> None:
    """It is not shown."""
    shown = at_a_terminal(shop, "console", "--set-password", answers={"New password: ": "tin roof sparrow", "Once more: ": second})
    assert says in shown
    assert "tin roof" not in shown


def at_a_terminal(steward: Steward, *words: str, answers: dict[str, str]) -> str:
    """All that a terminal shows of a command, while each question is answered once."""
    ours, theirs = pty.openpty()
    with steward.started(*words, terminal=theirs) as running:
        os.close(theirs)
        shown, waiting = "", dict(answers)
        while said := _said(ours):
            shown += said
            for question in [q for q in waiting if q in shown]:
                os.write(ours, waiting.pop(question).encode() + b"\n")
    os.close(ours)
    assert running.returncode is not None
    return shown


def _said(terminal: int) -> str:
    """Nothing when the command has ended: Linux says so with an error."""
    try:
        return os.read(terminal, 4_096).decode()
    except OSError:
        return ""


def test_a_decision_comes_with_the_token_of_this_machine(shop: Steward) -> None:
    """Made at its first use, in a file that only its owner can read; a file that is lost is replaced."""
    asked = shop("inbox", "--all", "--json").json["approvals"][0]["approval_id"]
    place = shop.home / "cli-token"
    for _ in range(2):
        assert shop("snooze", asked, "--for", "1h").code == 0
        assert (place.stat().st_mode & 0o777, place.read_text()[:4]) == (0o600, "stw_")
        place.unlink()
    used = [t for t in shop("token", "list", "--json").json if t["name"] == "cli"]
    assert [(t["revoked_at"] is None, t["used_at"] is not None) for t in used[-2:]] == [(False, True), (True, True)]
    events = shop("log", "tail", "--stream", f"approval/{asked}", "--json").json
    assert events[-1]["data"]["decision"]["via"] == "cli"


async def test_an_agent_is_served_over_its_streams(shop: Steward) -> None:
    """It may read and nothing else, where nothing else is said."""
    command = StdioServerParameters(
        command=sys.executable,
        args=["-P", "-m", "cli", "mcp"],
        env={**shop.settings.environ(), "PYTHONPATH": str(CHECKOUT)},
    )
    async with Client(command) as client:
        tools = {tool.name for tool in (await client.list_tools()).tools}
        inbox = await client.call_tool("inbox", {})
    assert ("get_state" in tools, tools & {"propose_action", "decide"}) == (True, set())
    assert inbox.structured_content is not None
    assert inbox.structured_content["data"]["total"] > 0
