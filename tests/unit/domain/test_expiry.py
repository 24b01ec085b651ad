"""What silence means: never a yes to harm."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from domain.actions import (
    ACTION_TYPES,
    Action,
    ActionSpec,
    CancelOrder,
    Capability,
    OnExpiry,
    Reversibility,
    Risk,
    UnpublishContent,
)
from domain.approvals import default_on_expiry
from domain.decisions import Diff, Finding, GateDecision, GateOutcome, Proposal, Severity, Verdict, Why
from domain.policies import ApprovalPolicy

TAKE_DOWN = UnpublishContent(slug="mug-guide", reason="sold out")
CLEAN, SOLD_OUT = Verdict(), Why(reason="sold out")
YES: dict[str, OnExpiry] = {"unpublish-content": "approve", "cancel-order": "approve"}


def proposal(action: Action = TAKE_DOWN, *, verdict: Verdict = CLEAN, why: Why = SOLD_OUT) -> Proposal:
    return Proposal(
        run_id="content/mug-guide",
        workflow="content",
        step="take-down",
        action=action,
        diff=Diff(record=action.stream, record_version="1", before={}, after={}),
        verdict=verdict,
        gate=GateDecision(outcome=GateOutcome.ASK, reasons=("the mode is ask",)),
        why=why,
        policy_versions={},
        proposed_at=datetime(2026, 3, 1, tzinfo=UTC),
    )


def test_no_action_is_approved_by_silence_unless_the_operator_chose_so() -> None:
    """All types declare a no, and the policy comes without choices."""
    assert {kind.spec.on_expiry for kind in ACTION_TYPES.values()} == {"reject"}
    assert default_on_expiry(proposal(), ApprovalPolicy().on_expiry) == "reject"
    assert default_on_expiry(proposal(), ApprovalPolicy(on_expiry={"unpublish-content": "approve"}).on_expiry) == "approve"


@pytest.mark.parametrize("kind", [kind for kind, action in ACTION_TYPES.items() if action.spec.risk >= Risk.R2])
def test_a_policy_cannot_make_silence_a_yes_to_money_or_stock(kind: str) -> None:
    """Nor to a kind of action that is misspelt."""
    for wrong in (kind, f"{kind}s"):
        with pytest.raises(ValidationError, match=r"never approved by expiry|there is no action"):
            ApprovalPolicy(on_expiry={wrong: "approve"})


def test_a_type_of_action_cannot_declare_it_either() -> None:
    """The declaration itself fails, when the class is made."""
    with pytest.raises(ValidationError, match="an action of risk R2 is never approved by expiry"):
        ActionSpec(risk=Risk.R2, reversibility=Reversibility.REVERSIBLE, capability=Capability.SHOP, on_expiry="approve")


@pytest.mark.parametrize(
    "held",
    [
        proposal(CancelOrder(order_id="1", reason="asked")),
        proposal(verdict=Verdict(findings=(Finding(code="odd", severity=Severity.HOLD, text="odd"),))),
        proposal(why=Why(reason="sold out", force_ask="please look")),
    ],
    ids=["money", "held by the auditor", "the planner wants a look"],
)
def test_what_needs_a_look_is_never_approved_by_silence(held: Proposal) -> None:
    """Even where a choice was made for its kind; nor is what moved since it was shown."""
    assert default_on_expiry(held, YES) == "reject"
    assert default_on_expiry(proposal(), YES, anew="it moved since you saw it") == "reject"
