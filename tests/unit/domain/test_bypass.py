"""Bypasses: what they spare, what they do not, and how they end."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from domain import gate
from domain.actions import Action, CancelOrder, RefundOrder
from domain.bypasses import BypassClosed, BypassOpened
from domain.decisions import Bypass, Finding, GateDecision, GateOutcome, Mode, Severity, Verdict, Why
from domain.gate import Licence
from domain.money import Money
from domain.policies import GatePolicy
from domain.runs import Controls
from tests.unit.domain.happenings import NOW

HOUR = timedelta(hours=1)
CANCEL = CancelOrder(order_id="1001", reason="asked")


def opened(scope: str = "support", **given: Any) -> BypassOpened:
    return BypassOpened(**{"scope": scope, "until": NOW + HOUR, "reason": "rush", "by": "operator", "at": NOW, **given})


def controls(*events: BypassOpened | BypassClosed) -> Controls:
    state = Controls()
    for data in events:
        state = data.fold(state)
    return state


def decided(action: Action = CANCEL, mode: Mode = Mode.ASK, **given: Any) -> GateDecision:
    bypass: Bypass | None = controls(opened()).bypass_of("support", action.kind, NOW)
    usual: dict[str, Any] = {"verdict": Verdict(), "why": Why(reason="asked"), "policy": GatePolicy(), "bypass": bypass}
    return gate.decide(action=action, mode=mode, **{**usual, "breaker_open": False, "bound_exceeded": "", **given})


@pytest.mark.parametrize("licence", [Licence.NONE, Licence.SAMPLED])
def test_what_the_mode_asks_goes_ahead_and_says_why(licence: Licence) -> None:
    """The reasons name the bypass: scope, end, person and reason."""
    went = decided(licence=licence)
    assert (went.outcome, went.bypass) == (GateOutcome.ALLOW, controls(opened()).bypasses[0])
    assert all(word in went.reasons[1] for word in ("support", "2026-03-01 10:00", "operator", "rush"))


@pytest.mark.parametrize(
    "rule",
    [
        {"verdict": Verdict(findings=(Finding(code="x", severity=Severity.HOLD, text="look"),))},
        {"breaker_open": True},
        {"bound_exceeded": "no more today"},
        {"why": Why(reason="asked", confidence=0.1)},
        {"why": Why(reason="asked", force_ask="please look")},
        {"policy": GatePolicy(always_ask=("cancel-order",))},
        {"action": RefundOrder(order_id="1001", amount=Money.of(900), reason="late")},
    ],
)
def test_every_other_rule_still_asks(rule: dict[str, Any]) -> None:
    """And the mode is not among its reasons."""
    asked = decided(**rule)
    assert (asked.outcome, asked.bypass) == (GateOutcome.ASK, None)
    assert "the mode is ask" not in asked.reasons


@pytest.mark.parametrize(("mode", "outcome"), [(Mode.OFF, GateOutcome.REFUSE), (Mode.SUGGEST, GateOutcome.SUGGEST)])
def test_what_is_off_or_suggested_stays_so(mode: Mode, outcome: GateOutcome) -> None:
    """A bypass spares a question, nothing else."""
    assert decided(mode=mode).outcome is outcome


def test_nothing_is_said_where_nothing_was_bypassed() -> None:
    """In auto mode, or where the class has earned it, the bypass made no difference."""
    assert decided(mode=Mode.AUTO).bypass is decided(licence=Licence.EARNED).bypass is None


def test_a_bypass_ends_by_itself_or_by_hand_and_counts_in_its_scope_only() -> None:
    """The moment of its end is outside it."""
    state = controls(opened("support/cancel-order"))
    assert state.bypass_of("support", "cancel-order", NOW + HOUR - timedelta(seconds=1))
    assert state.bypass_of("support", "cancel-order", NOW + HOUR) is None
    assert state.bypass_of("support", "send-reply", NOW) is None
    assert controls(opened(), BypassClosed(scope="support", by="operator")).bypasses == ()


def test_one_of_the_same_scope_replaces_it_and_old_ones_are_forgotten() -> None:
    """Two hours later the first is over, and the second is the one there is."""
    later = NOW + 2 * HOUR
    state = controls(opened(), opened("content"), opened("content", at=later, until=later + HOUR))
    assert [(b.scope, b.until) for b in state.bypasses] == [("content", later + HOUR)]


@pytest.mark.parametrize("wrong", [{"until": NOW}, {"until": NOW + timedelta(hours=25)}, {"reason": ""}])
def test_a_bypass_has_an_end_within_a_day_and_a_reason(wrong: dict[str, Any]) -> None:
    """No event without them can be made."""
    with pytest.raises(ValidationError):
        opened(**wrong)
