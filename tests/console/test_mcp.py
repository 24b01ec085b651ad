"""The MCP server, asked by the SDK's own client: in memory and over HTTP."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import httpx2
import pytest
from mcp import Client
from mcp.client.client import ConnectMode
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, TextContent

from console.app import create_app
from console.callers import Caller
from console.house import House
from console.mcp_server import UNTRUSTED, create_mcp
from console.stdio import caller_of
from domain.access import Scope
from domain.approvals import Via
from settings import VERSION, Settings
from tests.console.furnish import HOSTILE
from tests.console.test_api import Notes, noting

READS = {"list_state", "get_state", "list_events", "get_run", "search_memory", "facts_about", "why_believed", "inbox", "question"}
CANCEL = {"kind": "cancel-order", "order_id": "10002", "reason": "rang us"}
CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "inbox", "arguments": {}}}


@asynccontextmanager
async def agent(house: House, *scopes: Scope) -> AsyncIterator[Client]:
    """In memory, as over standard input and output."""
    caller = Caller(house=house, name="agent", scopes=frozenset(scopes), via=Via.MCP)
    async with Client(create_mcp(lambda _ctx: caller, scopes=scopes)) as client:
        yield client


@asynccontextmanager
async def over_http(house: House, *scopes: Scope, mode: ConnectMode = "auto") -> AsyncIterator[Client]:
    """With a token, at the console's own address."""
    token = await house.doorkeeper.keyring.issue(f"agent {mode}", scopes, 1)
    app, headers = create_app(house), {"authorization": f"Bearer {token}"}
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app), headers=headers) as http,
        Client(streamable_http_client(f"{house.public_url}/mcp", http_client=http), mode=mode) as client,
    ):
        yield client


async def told(client: Client, tool: str, **arguments: Any) -> Any:
    """The data of an answer."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, text_of(result)
    assert result.structured_content is not None
    return result.structured_content


def text_of(result: CallToolResult) -> str:
    return "".join(block.text for block in result.content if isinstance(block, TextContent))


async def test_an_agent_sees_the_tools_of_its_scopes(house: House) -> None:
    """To read is what there is without asking for more; those that only look say so."""
    async with agent(house, Scope.READ) as client:
        assert client.server_info is not None
        assert client.server_info.version == VERSION
        tools = (await client.list_tools()).tools
    assert {tool.name for tool in tools} == READS
    assert all(tool.annotations and tool.annotations.read_only_hint for tool in tools)
    async with agent(house, *Scope) as client:
        assert {t.name for t in (await client.list_tools()).tools} == READS | {"propose_action", "decide"}


async def test_what_strangers_wrote_is_marked_as_data(furnished: House) -> None:
    """Beside the text, in every answer that may have one, and it comes as it is."""
    async with agent(furnished, Scope.READ) as client:
        ticket = await told(client, "get_state", kind="ticket", key="mail/question-2@example.org")
        assert (ticket["notice"], ticket["data"]["body"]["subject"]) == (UNTRUSTED, HOSTILE)
        inbox = await told(client, "inbox", limit=3)
        assert (inbox["data"]["total"], len(inbox["data"]["waiting"])) == (6, 3)
        for tool, arguments in (
            ("list_state", {"kind": "approval", "where": ["status=pending"]}),
            ("list_events", {"event_type": "approval."}),
            ("get_run", {"run_id": "support/mail/past-1@example.org"}),
            ("search_memory", {"query": "stoneware mug"}),
            ("facts_about", {"subject": "product/STO-MUG-MOSS"}),
            ("why_believed", {"subject": "product/STO-MUG-MOSS", "predicate": "price"}),
            ("question", {"approval_id": "0000-question"}),
        ):
            answer = await told(client, tool, **arguments)
            assert answer["notice"] == UNTRUSTED, tool
            assert answer["data"], tool


async def test_an_agent_is_told_what_to_do_instead(house: House) -> None:
    """Errors are answers: what is not there, and arguments that do not fit."""
    async with agent(house, *Scope) as client:
        missing = await client.call_tool("get_state", {"kind": "order", "key": "1"})
        assert (missing.is_error, text_of(missing)) == (True, "there is no order 1 (list the kind order to see what there is)")
        wrong = await client.call_tool("propose_action", {"action": {**CANCEL, "kind": "burn-down"}, "reason": "x"})
        assert wrong.is_error
        assert "burn-down" in text_of(wrong)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_over_http_a_token_may_what_it_was_issued_for(house: House, mode: ConnectMode) -> None:
    """With today's protocol and the one before; proposals carry the token's name."""
    notes = Notes()
    async with over_http(noting(house, notes), Scope.READ, Scope.PROPOSE, mode=mode) as client:
        assert (await told(client, "inbox"))["data"]["total"] == 0
        proposed = await told(client, "propose_action", action=CANCEL, reason="they rang", proposal_id="call-1")
        assert proposed == {"run_id": "propose/call-1"}
        refused = await client.call_tool("decide", {"approval_id": "x", "decision_id": "y", "verb": "approve", "digest": "z"})
        assert (refused.is_error, "may not decide" in text_of(refused)) == (True, True)
    assert [p.by for p in notes.proposed] == [f"agent {mode}"]


async def test_deciding_goes_through_the_one_door(furnished: House) -> None:
    """As the operator, through this door, held for a few seconds; what was not shown does not count."""
    notes = Notes()
    async with over_http(noting(furnished, notes), *Scope) as client:
        shown = (await told(client, "question", approval_id="0000-question"))["data"]["asked"]
        said = {"approval_id": "0000-question", "decision_id": "one", "verb": "approve"}
        old = await client.call_tool("decide", {**said, "digest": "old"})
        assert "the proposal changed since it was shown" in text_of(old)
        await told(client, "decide", **said, digest=shown["digest"])
    (decision,) = notes.decisions
    assert (decision.by, decision.via, decision.hold_seconds) == ("operator", Via.MCP, 10)


async def test_without_a_good_token_nothing_is_served(house: House) -> None:
    """Nor with a cookie, from another site, or by another method."""
    token = await house.doorkeeper.keyring.issue("agent", [Scope.READ], 1)
    good, accepts = {"authorization": f"Bearer {token}"}, {"accept": "application/json, text/event-stream"}
    app = create_app(house)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=house.public_url, headers=accepts) as http,
    ):
        own = {"origin": house.public_url}
        asked = [
            await http.post("/mcp", json=CALL, headers=own),
            await http.post("/mcp", json=CALL, headers={**own, "cookie": "steward=x"}),
            await http.post("/mcp", json=CALL, headers={**own, "authorization": "Bearer stw_" + "x" * 43}),
            await http.post("/mcp", json=CALL, headers={**good, "origin": "https://evil.example"}),
            await http.get("/mcp", headers=good),
            await http.post("/mcp", content=json.dumps({**CALL, "x": "y" * 1_000_000}), headers=good),
        ]
        assert [a.status_code for a in asked] == [401, 401, 401, 403, 405, 413]
        assert (await http.post("/mcp", json=CALL, headers=good)).status_code == 200


async def test_a_token_that_is_revoked_decides_nothing_more(furnished: House) -> None:
    """Though the agent that was started with it still runs; it may still read."""
    token = await furnished.doorkeeper.keyring.issue("agent", [Scope.DECIDE], 1)
    notes, settings = Notes(), Settings.load({"STEWARD_TOKEN": token})
    caller = caller_of(noting(furnished, notes), settings, tuple(Scope))
    async with Client(create_mcp(lambda _ctx: caller)) as client:
        asked = (await told(client, "question", approval_id="0001-question"))["data"]["asked"]
        answer = {"approval_id": "0001-question", "decision_id": "d", "verb": "approve", "digest": asked["digest"]}
        await furnished.doorkeeper.keyring.revoke("agent")
        result = await client.call_tool("decide", answer)
        assert (result.is_error, "needs a token of the operator's" in text_of(result)) == (True, True)
        assert (await told(client, "inbox"))["data"]["total"] == 6
    assert notes.decisions == []
