"""Calls of other programs' tools: as dangerous as the operator said, and the worst there is where nobody said anything."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from domain import gate
from domain.actions import ACTION, CallTool, Receipt
from domain.approvals import default_on_expiry
from domain.decisions import Diff, GateDecision, GateOutcome, Mode, Proposal, Verdict, Why
from domain.policies import GatePolicy, binding
from domain.risk import Reversibility, Risk
from domain.tools import InverseTool, ToolTerms, ToolUse

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
WHY = Why(reason="test")
BACK = InverseTool(tool="close", digest="1" * 64, arguments={"id": "result.id", "title": "arguments.title", "how": "=gently"})


def call(**terms: Any) -> CallTool:
    return CallTool(connection="crm", tool="open", arguments={"title": "x"}, terms=ToolTerms(digest="0" * 64, **terms))


def decided(action: CallTool, mode: Mode = Mode.AUTO) -> GateDecision:
    return gate.decide(
        action=action, mode=mode, verdict=Verdict(), why=WHY, policy=GatePolicy(), breaker_open=False, bound_exceeded=""
    )


def receipt(**result: Any) -> Receipt:
    return Receipt(reference="r", at=NOW, detail={"text": "", "result": result, "cut": False})


@pytest.mark.parametrize(
    ("action", "outcome"),
    [
        (call().on(None), GateOutcome.ASK),
        (call(), GateOutcome.ASK),
        (call(risk=Risk.R2), GateOutcome.ASK),
        (call(risk=Risk.R1), GateOutcome.ALLOW),
        (call(risk=Risk.R2, reversibility="compensable", inverse=BACK), GateOutcome.ALLOW),
    ],
)
def test_the_gate_goes_by_the_risk_of_this_call(action: CallTool, outcome: GateOutcome) -> None:
    """Not by that of its type: R3 by default, and what cannot be undone is asked from R2 on."""
    assert decided(action).outcome is outcome


def test_silence_is_never_a_yes_to_a_tool_of_money() -> None:
    """Whatever the policy of approvals says of its kind."""
    shown: dict[str, Any] = {
        "run_id": "r",
        "workflow": "propose",
        "step": "s",
        "verdict": Verdict(),
        "why": WHY,
        "proposed_at": NOW,
    }
    shown |= {"diff": Diff(record="r", record_version="1", before={}, after={}), "gate": decided(call()), "policy_versions": {}}
    answers = [default_on_expiry(Proposal(action=a, **shown), {"call-tool": "approve"}) for a in (call(), call(risk=Risk.R1))]
    assert answers == ["reject", "approve"]


def test_what_takes_a_call_back_is_filled_from_the_call_and_its_answer() -> None:
    """On the words that the operator read when mapping it; it cannot be taken back itself."""
    action = call(risk=Risk.R1, reversibility="compensable", inverse=BACK)
    inverse = action.inverse({}, receipt(id="T-1"))
    assert isinstance(inverse, CallTool)
    assert (inverse.tool, inverse.arguments) == ("close", {"id": "T-1", "title": "x", "how": "gently"})
    assert inverse.terms is not None
    assert (inverse.terms.digest, inverse.risk, inverse.reversibility) == ("1" * 64, Risk.R1, Reversibility.IRREVERSIBLE)


def test_without_an_answer_that_says_what_to_take_back_nothing_is() -> None:
    action = call(reversibility="compensable", inverse=BACK)
    assert [action.inverse({}, r) for r in (None, receipt(other=1))] == [None, None]


@pytest.mark.parametrize(
    "change",
    [
        {"arguments": {"x": "y" * 100_001}},
        {"arguments": {"x": float("nan")}},
        {"arguments": {"x": "a\x00b"}},
        {"arguments": {"x": "\ud800"}},
        {"tool": "../etc"},
        {"tool": "two words"},
    ],
    ids=str,
)
def test_what_no_tool_can_be_called_with_is_no_action(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ACTION.validate_python({"kind": "call-tool", "connection": "crm", "tool": "open", **change})


def test_a_call_is_recorded_with_its_answer_and_counted() -> None:
    """The answer of a call that the operator vouched for is empty."""
    (event,) = call().events(receipt(id="T-1"))
    (vouched,) = call().events(Receipt(reference="confirmed-by-operator", at=NOW))
    use = vouched.fold(event.fold(None))
    assert isinstance(use, ToolUse)
    assert (use.called, use.recent, event.stream) == (2, ("r", "confirmed-by-operator"), "tool/crm/open")


def test_a_question_about_a_tool_is_stale_when_the_mapping_moves() -> None:
    assert "tools" in binding(call())
