"""What the roles decide about an action on its way out: diff, verdict, gate decision, proposal."""

from enum import StrEnum
from typing import Any

from pydantic import Field

from domain.actions import Action
from domain.ids import digest
from domain.model import Moment, Name, Value


class Mode(StrEnum):
    OFF = "off"  # nothing is even proposed
    SUGGEST = "suggest"  # proposed and recorded, never done
    ASK = "ask"  # always asked
    AUTO = "auto"  # the gate's other rules decide


class Bypass(Value):
    """Until ``until`` the mode ask counts as auto in ``scope``, a workflow or ``workflow/action-kind``. Nothing else is spared."""

    scope: Name
    until: Moment
    reason: str
    by: Name
    opened_at: Moment

    def __str__(self) -> str:
        return f"what the mode asks of {self.scope} is bypassed until {self.until:%Y-%m-%d %H:%M} UTC by {self.by}: {self.reason}"


class Diff(Value):
    """The outside record before and after an action, as its own system shows it. ``record_version`` names the before."""

    record: Name
    record_version: str
    before: dict[str, Any]
    after: dict[str, Any]

    def changes(self) -> tuple[tuple[str, Any, Any], ...]:
        """(field, before, after) of every top-level field that differs."""
        keys = dict.fromkeys((*self.before, *self.after))
        return tuple((k, self.before.get(k), self.after.get(k)) for k in keys if self.before.get(k) != self.after.get(k))


class Severity(StrEnum):
    NOTE = "note"
    HOLD = "hold"  # a human has to look
    BLOCK = "block"  # must not happen as it is


class Finding(Value):
    """One thing the auditor saw. ``code`` is stable, ``text`` is for people."""

    code: Name
    severity: Severity
    text: str


class Verdict(Value):
    findings: tuple[Finding, ...] = ()

    @property
    def severity(self) -> Severity:
        order = [Severity.NOTE, Severity.HOLD, Severity.BLOCK]
        return max((f.severity for f in self.findings), key=order.index, default=Severity.NOTE)

    @property
    def passed(self) -> bool:
        return self.severity is Severity.NOTE


class GateOutcome(StrEnum):
    ALLOW = "allow"
    ASK = "ask"
    SUGGEST = "suggest"
    REFUSE = "refuse"


class GateDecision(Value):
    """``bypass`` is the one without which it would have been asked."""

    outcome: GateOutcome
    reasons: tuple[str, ...]
    bypass: Bypass | None = None


class Why(Value):
    """Where an action comes from: shown to the operator, recorded with the effect."""

    reason: str
    confidence: float = Field(default=1.0, ge=0, le=1)
    engine: str = "rules"
    facts: dict[str, str] = Field(default_factory=dict)
    context_pack: str = ""  # hash of the pack the decision was made from
    topic: str = ""  # what kind of case it is: an intent, a supplier
    force_ask: str = ""  # a planner's own wish to have a human look, and why


class Planned(Value):
    """What a planner hands on: an action and where it comes from. It has no right to do it."""

    step: Name  # unique within the run; part of the idempotency key
    action: Action
    why: Why


class Proposal(Value):
    """An action as it was shown: what is approved is exactly this, by ``digest``."""

    run_id: Name
    workflow: Name
    step: Name
    action: Action
    diff: Diff
    verdict: Verdict
    gate: GateDecision
    why: Why
    policy_versions: dict[str, int]
    flags: dict[str, str] = Field(default_factory=dict)  # the variant of every flag that the decision used
    proposed_at: Moment

    @property
    def digest(self) -> str:
        """Binds the action, the before-state's version and the policies in force."""
        return digest([self.action, self.diff.record, self.diff.record_version, self.policy_versions])
