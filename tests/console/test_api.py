"""The API: who may, what is read, what is decided, and how it says no."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from agents.auditor import Auditor
from console.api.app import create_api
from console.house import House
from console.proposing import MOST_OPEN
from domain.access import Scope
from domain.approvals import Approval, Decision, Verb, Via
from domain.event import new_event
from domain.judging import judge
from domain.runs import RunStarted
from tests.console.browser import ORIGIN, Browser
from tests.console.effects import RUN, past_effects
from tests.console.furnish import HOSTILE
from tests.console.program import API, Program, program
from workflows.deciding import Decider
from workflows.gateway import Gateway
from workflows.proposed import ProposedInput

ALL = tuple(Scope)


@pytest.fixture
async def robot(furnished: House) -> AsyncIterator[Program]:
    async with program(furnished, *ALL) as made:
        yield made


def operations(house: House) -> list[tuple[str, str, str]]:
    """(method, path, scope) of every route there is, as the OpenAPI document has them."""
    document = create_api(house).openapi()
    found = [(method.upper(), path, op) for path, ops in document["paths"].items() for method, op in ops.items()]
    return [(method, path, op["security"][0]["token"][0]) for method, path, op in found]


async def test_every_route_wants_a_token_with_its_scope(house: House, browser: Browser) -> None:
    """401 without one, with a bad one, and with the cookie of the operator; 403 with every scope but the right one."""
    routes = operations(house)
    assert len(routes) >= 20
    assert {scope for *_, scope in routes} == set(Scope)
    bearers = {s: await house.doorkeeper.keyring.issue(f"but {s}", [o for o in Scope if o is not s], 1) for s in Scope}
    for method, path, scope in routes:
        for headers in (ORIGIN, {**ORIGIN, "authorization": "Bearer stw_" + "x" * 43}, {**ORIGIN, "authorization": "Basic eDp5"}):
            answer = await browser.client.request(method, f"{API}{path}", headers=headers)
            assert (answer.status_code, answer.headers["www-authenticate"][:6]) == (401, "Bearer"), (method, path)
        answer = await browser.client.request(
            method, f"{API}{path}", headers={**ORIGIN, "authorization": f"Bearer {bearers[Scope(scope)]}"}
        )
        assert (answer.status_code, scope in answer.json()["hint"]) == (403, True), (method, path, answer.text)


async def test_no_other_site_is_let_in(robot: Program) -> None:
    """No answer allows another origin, not even one that is asked before."""
    for method in ("OPTIONS", "GET"):
        answer = await robot.client.request(
            method,
            f"{API}/inbox",
            headers={**robot.headers, "origin": "https://evil.example", "access-control-request-method": "GET"},
        )
        assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_the_state_is_paged_and_filtered(robot: Program) -> None:
    """By kind and key, newest change first, with the number of all."""
    page = await robot.get("/state/approval", where=["status=pending"], limit=2)
    rest = await robot.get("/state/approval", where=["status=pending"], limit=10, offset=2)
    assert (page["total"], len(page["items"]), len(rest["items"])) == (6, 2, 4)
    one = await robot.get("/state/ticket/mail/question-2@example.org")
    assert (one["version"], one["body"]["subject"]) == (2, HOSTILE)


async def test_events_are_filtered_and_paged_by_seq(robot: Program) -> None:
    """Each page begins before the last of the one before."""
    first = await robot.get("/events", type="approval.requested", limit=4)
    second = await robot.get("/events", type="approval.requested", limit=4, before=first["next_before"])
    assert {e["type"] for e in (*first["items"], *second["items"])} == {"approval.requested"}
    seqs = [e["seq"] for e in (*first["items"], *second["items"])]
    assert (len(seqs), seqs) == (8, sorted(set(seqs), reverse=True))
    assert (await robot.get("/events", type="experiment.started", limit=4))["next_before"] is None
    of_run = await robot.get("/events", run=first["items"][0]["correlation_id"])
    assert {e["type"] for e in of_run["items"]} >= {"approval.requested"}


async def test_memory_says_what_it_knows_and_why(robot: Program) -> None:
    """A fact leads to the event it comes from; what was never believed is not found."""
    found = await robot.get("/memory/facts", subject="product/STO-MUG-MOSS", predicate="price")
    (belief,) = (await robot.get("/memory/why", subject="product/STO-MUG-MOSS", predicate="price"))["items"]
    assert belief["fact"] == found["items"][0]
    assert (belief["because"]["event_id"], belief["because"]["type"]) == (belief["fact"]["source_event"], "product.listed")
    assert (await robot.get("/memory/search", q="stoneware mug"))["items"]
    assert (await robot.ask("GET", "/memory/why?subject=product/STO-MUG-MOSS&predicate=enemies")).status_code == 404


async def test_the_inbox_has_what_a_decision_needs(robot: Program) -> None:
    """In the order of worth, with the digest; hostile text is text."""
    inbox = await robot.get("/inbox")
    assert inbox["total"] == len(inbox["waiting"]) == 6
    assert inbox["waiting"][0]["standing"]["rank"] == 1
    full = await robot.get("/inbox/0000-question")
    assert {c["field"]: c["after"] for c in full["changes"]} == {"refunded": "64.00 EUR"}
    assert full["asked"]["digest"] == next(a["digest"] for a in inbox["waiting"] if a["approval_id"] == "0000-question")
    assert HOSTILE in (await robot.get("/inbox/0002-question"))["asked"]["summary"]


class Notes(Gateway):
    """Takes decisions and proposals as a run would, and remembers them."""

    def __init__(self) -> None:
        self.decisions: list[Decision] = []
        self.proposed: list[ProposedInput] = []

    async def decide(self, approval: Approval, decision: Decision, *, now: datetime) -> str:
        judge(approval, decision, now)
        self.decisions.append(decision)
        return f"recorded: {decision.verb}"

    async def propose(self, proposal_id: str, proposed: ProposedInput) -> str:
        self.proposed.append(proposed)
        return f"propose/{proposal_id}"


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
async def decider(furnished: House, notes: Notes) -> AsyncIterator[Program]:
    """A program whose decisions reach a gateway that takes notes."""
    async with program(noting(furnished, notes), *ALL) as made:
        yield made


@pytest.fixture
async def early(house: House, notes: Notes) -> AsyncIterator[Program]:
    """The same in a business where nothing has happened yet."""
    async with program(noting(house, notes), *ALL) as made:
        yield made


def noting(house: House, notes: Notes) -> House:
    kept = house.memory
    return replace(
        house,
        gateway=notes,
        decider=Decider(
            gateway=notes,
            auditor=Auditor(state=kept.state, policies=kept.policies),
            state=kept.state,
            log=kept.log,
            clock=house.clock,
        ),
    )


async def shown(robot: Program, approval_id: str) -> dict[str, Any]:
    """What a decision repeats of the question."""
    asked = (await robot.get(f"/inbox/{approval_id}"))["asked"]
    return {"decision_id": f"d-{approval_id}", "digest": asked["digest"]}


async def test_a_decision_is_the_operators_through_this_door(decider: Program, notes: Notes) -> None:
    """Whatever the program says of itself."""
    body = {**await shown(decider, "0000-question"), "verb": "approve", "reason": "fine", "hold_seconds": 10}
    answer = await decider.ask("POST", "/inbox/0000-question/decisions", body)
    assert (answer.status_code, answer.json()["said"]) == (200, "recorded: approve")
    (decision,) = notes.decisions
    assert (decision.by, decision.via, decision.hold_seconds) == ("operator", Via.API, 10)
    assert (await decider.ask("POST", "/inbox/0000-question/decisions", {**body, "via": "console"})).json()[
        "kind"
    ] == "InvalidFields"


async def test_an_edit_names_the_field_that_does_not_fit(decider: Program, notes: Notes) -> None:
    """A problem says what happened, to what, and what to do; a whole action that fits goes on."""
    body = {**await shown(decider, "0000-question"), "verb": "edit"}
    action = {"kind": "refund-order", "order_id": "10001", "amount": {"amount": "a lot", "currency": "EUR"}, "reason": "broken"}
    answer = await decider.ask("POST", "/inbox/0000-question/decisions", {**body, "action": action})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert list(answer.json()["problems"]) == ["amount.amount"]
    assert answer.json()["hint"]
    fits = {**action, "amount": {"amount": "40", "currency": "EUR"}}
    assert (await decider.ask("POST", "/inbox/0000-question/decisions", {**body, "action": fits})).status_code == 200
    assert notes.decisions[0].verb is Verb.EDIT


async def test_each_decision_of_a_batch_has_its_row(decider: Program, notes: Notes) -> None:
    """One is unknown, one saw something else: the third counts."""
    rows = [
        {"approval_id": "nothing", "decision_id": "a", "digest": "", "verb": "approve"},
        {"approval_id": "0001-question", "decision_id": "b", "digest": "old", "verb": "approve"},
        {"approval_id": "0003-question", **await shown(decider, "0003-question"), "verb": "reject", "reason": "too many"},
    ]
    answer = (await decider.ask("POST", "/inbox/decisions", {"decisions": rows})).json()["rows"]
    assert [(r["refused"] or {}).get("kind") for r in answer] == ["NotFound", "DecisionRefused", None]
    assert answer[2]["decided"]["said"] == "recorded: reject"
    assert [d.approval_id for d in notes.decisions] == ["0003-question"]


async def test_what_does_not_count_is_a_conflict_with_its_reason(decider: Program) -> None:
    """And a decision that nobody can take now may be sent again."""
    answer = await decider.ask("POST", "/inbox/0000-question/decisions", {"decision_id": "x", "digest": "old", "verb": "approve"})
    assert (answer.status_code, answer.json()["kind"]) == (409, "DecisionRefused")
    assert answer.json()["detail"] == "the proposal changed since it was shown"


async def test_a_proposal_carries_the_name_of_its_token(early: Program, notes: Notes) -> None:
    """A typed action goes in; what is none is refused field by field."""
    action = {"kind": "cancel-order", "order_id": "10002", "reason": "rang us"}
    answer = await early.ask("POST", "/proposals", {"action": action, "reason": "they rang", "proposal_id": "call-1"})
    assert (answer.status_code, answer.json()) == (202, {"run_id": "propose/call-1"})
    assert (notes.proposed[0].by, notes.proposed[0].action.kind) == ("robot", "cancel-order")
    wrong = await early.ask("POST", "/proposals", {"action": {**action, "colour": "red"}, "reason": "x"})
    assert list(wrong.json()["problems"]) == ["body.action.cancel-order.colour"]


async def test_no_more_proposals_are_taken_than_the_operator_can_look_at(early: Program, house: House) -> None:
    """Those that are open count."""
    open_ones = [RunStarted(run_id=f"propose/{n}", workflow="propose", at=house.clock()) for n in range(MOST_OPEN)]
    await house.memory.log.append([new_event(e, at=e.at, key=(e.run_id,)) for e in open_ones])
    action = {"kind": "cancel-order", "order_id": "10002", "reason": "rang us"}
    answer = await early.ask("POST", "/proposals", {"action": action, "reason": "they rang"})
    assert (answer.status_code, answer.json()["kind"]) == (409, "Refused")


async def test_the_switches_are_set_and_say_who_did_it(early: Program, house: House) -> None:
    """In the operator's name; the source is the program."""
    await early.ask("PUT", "/controls/modes/support/send-reply", {"mode": "suggest"})
    set_off = (await early.ask("PUT", "/controls/kill-switch", {"on": True, "reason": "odd mails"})).json()
    assert (set_off["kill_switch"], set_off["modes"]["support/send-reply"]) == (True, "suggest")
    (last,) = await house.memory.log.last(stream="controls/self", limit=1)
    assert (last.actor, last.source) == ("operator", "api/robot")
    assert (await early.ask("PUT", "/controls/modes/suport", {"mode": "off"})).status_code == 422
    assert (await early.get("/health"))["kill_switch"]


async def test_a_run_is_told_and_its_undoing_is_shown_first(robot: Program) -> None:
    """Without the digest of the preview nothing is undone."""
    story = await robot.get("/runs/support/mail/past-1@example.org")
    assert (story["run"]["status"], story["steps"][-1]["text"]) == ("done", "done: answered")
    preview = await robot.get("/runs/support/mail/past-1@example.org/rollback")
    assert (preview["undo"], preview["stays"]) == ([], [])
    answer = await robot.ask("POST", "/runs/support/mail/past-1@example.org/rollback", {"digest": "other"})
    assert (answer.status_code, answer.json()["kind"]) == (422, "InvalidInput")
    assert (await robot.ask("POST", "/runs/support/mail/past-1@example.org/cancel")).status_code == 422


async def test_all_that_was_ever_done_under_an_id_is_previewed_where_it_is_asked_for(furnished: House, robot: Program) -> None:
    """Its digest is another one: who saw less does not undo more."""
    place, now = f"/runs/{RUN}", furnished.clock()
    await past_effects(furnished.memory, now=now)
    begun = RunStarted(run_id=RUN, workflow="support", at=now)
    await furnished.memory.log.append([new_event(begun, at=now, key=("again",))])
    last, whole = await robot.get(f"{place}/rollback"), await robot.get(f"{place}/rollback", everything=True)
    assert last["undo"] == []
    assert "reinstate" in whole["undo"][0]["undo"]
    asked = {"digest": last["digest"], "everything": True}
    assert (await robot.ask("POST", f"{place}/rollback", asked)).status_code == 422


async def test_bad_requests_are_problems_too(early: Program) -> None:
    """Unknown places, kinds, fields, methods; what is not JSON; what is too large, with and without a stated length."""

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * 500_000

    asked = [
        await early.ask("GET", "/nowhere"),
        await early.ask("GET", "/state/dragon"),
        await early.ask("GET", "/state/order?where=colour%3Dred"),
        await early.ask("DELETE", "/inbox"),
        await early.ask("POST", "/proposals", content=b"{", params={}),
        await early.ask("POST", "/proposals", content=endless()),
    ]
    assert [a.status_code for a in asked] == [404, 422, 422, 405, 422, 413]
    assert {a.headers["content-type"] for a in asked} == {"application/problem+json"}
    assert all(a.json()["hint"] for a in asked)
