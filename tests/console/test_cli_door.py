"""The command line at the console's door: the same answers and errors as the straight way, recorded as its own."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from cli.through_console import ConsoleDoor, NoAnswer, through
from console.app import create_app
from console.house import House
from domain.approvals import Approval, Verb, Via
from domain.errors import DecisionRefused, InvalidFields, NotFound, Retryable, StewardError
from tests.console.test_api import Notes, noting
from workflows.deciding import DecisionRequest


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
async def door(furnished: House, notes: Notes) -> AsyncIterator[ConsoleDoor]:
    """With a token that is not good any more, and one that is."""
    token = await furnished.doorkeeper.keyring.issue_own(1)
    app = create_app(noting(furnished, notes))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=furnished.public_url) as client,
    ):
        yield ConsoleDoor(client=client, token=_gives("stw_" + "x" * 43), renew=_gives(token))


def _gives(token: str) -> Any:
    async def give() -> str:
        return token

    return give


async def wanted(house: House, verb: Verb = Verb.APPROVE, **given: Any) -> DecisionRequest:
    approval = await house.memory.state.get(Approval, "0000-question")
    assert approval is not None
    asked = {"decision_id": "one", "approval_id": "0000-question", "verb": verb, "digest": approval.proposal.digest}
    return DecisionRequest(**{**asked, "by": "operator", "via": Via.CLI, **given})


async def test_a_decision_of_the_command_line_is_its_own(door: ConsoleDoor, furnished: House, notes: Notes) -> None:
    """A token that is not good any more is renewed once; the door it came through is the command line."""
    decided = await door.decide(await wanted(furnished, reason="fine"))
    assert (decided.said, decided.verb) == ("recorded: approve", Verb.APPROVE)
    assert [(d.via, d.by, d.reason) for d in notes.decisions] == [(Via.CLI, "operator", "fine")]


async def test_what_does_not_count_is_said_as_it_is_said_directly(door: ConsoleDoor, furnished: House, notes: Notes) -> None:
    """Kind, message and hint."""
    edit = {"kind": "refund-order", "order_id": "10001", "amount": {"amount": "a lot", "currency": "EUR"}, "reason": "x"}
    requests: list[tuple[DecisionRequest, type[StewardError]]] = [
        (await wanted(furnished, approval_id="nothing"), NotFound),
        (await wanted(furnished, digest="old"), DecisionRefused),
        (await wanted(furnished, Verb.REJECT), DecisionRefused),
        (await wanted(furnished, Verb.EDIT, edited=edit), InvalidFields),
    ]
    for request, kind in requests:
        with pytest.raises(kind) as there:
            await door.decide(request)
        with pytest.raises(kind) as direct:
            await noting(furnished, notes).decider.decide(request)
        assert (there.value.message, there.value.hint) == (direct.value.message, direct.value.hint)


@pytest.mark.parametrize("answer", [httpx.Response(200, text="<html>"), httpx.Response(502, text="bad gateway"), None])
async def test_where_the_console_does_not_answer_the_straight_way_is_taken(furnished: House, answer: httpx.Response | None) -> None:
    """Refused connections, and what is no console at all. The decision's id makes it count once."""

    def handle(request: httpx.Request) -> httpx.Response:
        if answer is None:
            raise httpx.ConnectError("refused", request=request)
        return answer

    notes = Notes()
    async with httpx.AsyncClient(transport=httpx.MockTransport(handle), base_url="http://127.0.0.1:1") as client:
        silent = ConsoleDoor(client=client, token=_gives("stw_x"), renew=_gives("stw_y"))
        with pytest.raises(NoAnswer):
            await silent.decide(await wanted(furnished))
        decided = await through(silent, await wanted(furnished), otherwise=noting(furnished, notes).decider)
    assert (decided.said, notes.decisions[0].via) == ("recorded: approve", Via.CLI)


async def test_a_worker_that_is_away_is_said_and_not_gone_round(furnished: House) -> None:
    """The straight way would not find one either."""
    problem = {"kind": "Retryable", "detail": "no worker took the decision", "hint": "later"}
    transport = httpx.MockTransport(lambda _request: httpx.Response(503, json=problem))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:1") as client:
        door = ConsoleDoor(client=client, token=_gives("stw_x"), renew=_gives("stw_y"))
        with pytest.raises(Retryable, match="no worker took"):
            await through(door, await wanted(furnished), otherwise=furnished.decider)
