"""The effect ledger's words: an effect is one attempt to change the outside world, under one idempotency key."""

from datetime import timedelta
from enum import StrEnum

from pydantic import Field

from domain.actions import Action, Receipt
from domain.autonomy import class_of
from domain.decisions import Diff, Proposal
from domain.ids import derived_id
from domain.model import Moment, Name, Value


class EffectStatus(StrEnum):
    """reserved -> executing -> committed | failed | unknown; unknown -> committed | failed; committed -> compensated."""

    RESERVED = "reserved"
    EXECUTING = "executing"
    COMMITTED = "committed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    COMPENSATED = "compensated"


LIVE = (EffectStatus.RESERVED, EffectStatus.EXECUTING, EffectStatus.COMMITTED, EffectStatus.UNKNOWN)
"""The states in which an effect counts against its bounds."""
UNDER_WAY = (EffectStatus.RESERVED, EffectStatus.EXECUTING, EffectStatus.UNKNOWN)
"""The states in which an effect may have happened although nothing of it is in the log."""


class Reservation(Value):
    """A wish to have one effect. The same ``key`` always means the same effect."""

    key: Name
    run_id: Name
    workflow: Name
    step: Name
    action: Action
    diff: Diff
    policy_versions: dict[str, int] = Field(default_factory=dict)
    approval_id: str = ""
    compensates: str = ""  # the key of the effect this one undoes
    topic: str = ""  # of the case, as the proposal says it: part of the action's class
    now: Moment

    @property
    def class_key(self) -> str:
        return class_of(self.workflow, self.action, self.topic)


class Effect(Value):
    """A row of the ledger. ``connector`` is the name of the one it was reserved for: no other may do it or tell of it."""

    key: str
    connector: str
    run_id: str
    workflow: str
    step: str
    action: Action
    diff: Diff
    status: EffectStatus
    policy_versions: dict[str, int] = Field(default_factory=dict)
    approval_id: str = ""
    compensates: str = ""
    receipt: Receipt | None = None
    error: str = ""
    reserved_at: Moment
    updated_at: Moment

    def inverse(self) -> Action | None:
        return self.action.inverse(self.diff.before, self.receipt)


class BreakerState(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Breaker(Value):
    """Guards one connector and action kind: opens after consecutive failures, lets one trial through after a pause."""

    connector: Name
    action_kind: Name
    state: BreakerState = BreakerState.CLOSED
    failures: int = 0
    opened_at: Moment | None = None

    def admits(self, now: Moment, pause: timedelta) -> "Breaker | None":
        """The breaker after admitting one call at ``now``, or None where it does not admit one."""
        match self.state:
            case BreakerState.CLOSED:
                return self
            case BreakerState.OPEN if self.opened_at is not None and now >= self.opened_at + pause:
                return self.model_copy(update={"state": BreakerState.HALF_OPEN, "opened_at": now})
            case BreakerState.HALF_OPEN if self.opened_at is not None and now >= self.opened_at + pause:
                return self.model_copy(update={"opened_at": now})  # the trial was lost; another one may go
        return None

    def after(self, *, ok: bool, now: Moment, threshold: int) -> "Breaker":
        """The breaker after a call ended well or badly."""
        if ok:
            return self.model_copy(update={"state": BreakerState.CLOSED, "failures": 0, "opened_at": None})
        failures = self.failures + 1
        if self.state is BreakerState.HALF_OPEN or failures >= threshold:
            return self.model_copy(update={"state": BreakerState.OPEN, "failures": failures, "opened_at": now})
        return self.model_copy(update={"failures": failures})


def effect_key(run_id: str, step: str, action: Action) -> str:
    """The idempotency key: the run, the step within it, and exactly this action."""
    return str(derived_id("effect", run_id, step, action.digest()))


def reservation_of(proposal: Proposal, *, approval_id: str, now: Moment) -> Reservation:
    return Reservation(
        key=effect_key(proposal.run_id, proposal.step, proposal.action),
        run_id=proposal.run_id,
        workflow=proposal.workflow,
        step=proposal.step,
        action=proposal.action,
        diff=proposal.diff,
        policy_versions=proposal.policy_versions,
        approval_id=approval_id,
        topic=proposal.why.topic,
        now=now,
    )
