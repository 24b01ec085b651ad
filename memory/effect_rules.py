"""What may become of an effect, and who is let through. No I/O; the ledger and its fake both go by it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from domain.decisions import Mode
from domain.effects import LIVE, Breaker, Effect, EffectStatus, Reservation
from domain.errors import InvalidInput, Outdated, Refused, Stale, Unknown
from domain.model import Moment
from domain.policies import BoundsPolicy, binding
from domain.runs import Controls

_NAMED = 5  # SKUs in a message
_NEXT = {
    EffectStatus.RESERVED: (EffectStatus.EXECUTING, EffectStatus.FAILED),
    EffectStatus.EXECUTING: (EffectStatus.COMMITTED, EffectStatus.FAILED, EffectStatus.UNKNOWN),
    EffectStatus.UNKNOWN: (EffectStatus.COMMITTED, EffectStatus.FAILED),
    EffectStatus.COMMITTED: (EffectStatus.COMPENSATED,),
}


def new_effect(reservation: Reservation, *, connector: str) -> Effect:
    fields = reservation.model_dump(include={"key", "run_id", "workflow", "step", "policy_versions", "approval_id", "compensates"})
    return Effect(
        **fields,
        connector=connector,
        action=reservation.action,
        diff=reservation.diff,
        status=EffectStatus.RESERVED,
        reserved_at=reservation.now,
        updated_at=reservation.now,
    )


def check_same_effect(known: Effect, reservation: Reservation) -> None:
    if known.action != reservation.action:
        raise InvalidInput(f"effect {known.key} is already another action: {known.action.summary()}", hint="derive another key")


def check_kill_switch(controls: Controls | None, *, step: str, compensates: str) -> None:
    """Undoing reduces harm, so a compensation whose step says so (``compensate…``) passes the kill switch.

    Any other step stops, even one that names an effect to compensate.
    """
    harmless = bool(compensates) and step.startswith("compensate")
    if controls is not None and controls.kill_switch and not harmless:
        raise Refused(f"the kill switch is on: {controls.kill_reason or 'no reason given'}", hint="`steward kill --off` ends it")


def check_mode(controls: Controls | None, effect: Effect, *, granted: bool) -> None:
    """The mode may have changed since the gate looked. Raises Refused.

    What was approved, what its class earned, and what is bypassed at this moment passes ``ask``.
    """
    controls, kind = controls or Controls(), effect.action.kind
    scope = f"{effect.workflow}/{kind}"
    spared = granted or controls.bypass_of(effect.workflow, kind, effect.reserved_at) is not None
    match controls.mode_of(effect.workflow, kind):
        case Mode.OFF | Mode.SUGGEST as mode:
            raise Refused(f"the mode of {scope} is {mode}", hint="`steward mode` changes it")
        case Mode.ASK if not (effect.approval_id or spared):
            raise Refused(f"{scope} is asked now, and nobody approved this", hint="the next run asks; `steward mode` changes it")
        case _:
            return


def check_policies(effect: Effect, now: Mapping[str, int]) -> None:
    """What was decided under the rules that bind the action has to be decided again where they moved. Raises Stale.

    How a mail is understood, or who may act alone, decides what is proposed and not whether what is shown is right.
    """
    shown = {name: version for name, version in effect.policy_versions.items() if name in binding(effect.action)}
    if moved := [f"policy {name} is now version {now.get(name, 0)}" for name in shown if shown[name] != now.get(name, 0)]:
        raise Stale(", ".join(moved), hint="it is decided anew")


def admitted(breaker: Breaker, policy: BoundsPolicy, now: Moment) -> Breaker:
    """The breaker after it let one call through. Raises Refused."""
    after = breaker.admits(now, timedelta(seconds=policy.breaker_seconds))
    if after is None:
        raise Refused(
            f"the breaker of {breaker.connector} for {breaker.action_kind} is {breaker.state} after {breaker.failures} failures",
            hint=f"one trial is let through {policy.breaker_seconds} s after it opened",
        )
    return after


def check_order(ordered: Sequence[str]) -> None:
    """``ordered`` are SKUs of a planned order that another order has, since it was planned or on its way. Raises Outdated."""
    if ordered:
        more = f" and {len(ordered) - _NAMED} more" if len(ordered) > _NAMED else ""
        raise Outdated(f"ordered meanwhile: {', '.join(ordered[:_NAMED])}{more}", hint="it is planned again")


def moved(effect: Effect, status: EffectStatus, *, now: Moment, **changes: object) -> Effect:
    """``effect`` in its next status. Raises InvalidInput for a move that is not one of an effect's life."""
    if status not in _NEXT.get(effect.status, ()):
        raise InvalidInput(f"effect {effect.key} is {effect.status} and cannot become {status}", hint="reconcile it first")
    return effect.model_copy(update={"status": status, "updated_at": now, **changes})


def check_can_begin(effect: Effect) -> None:
    """Only a reserved effect begins. One that began before may have happened: that is Unknown, never a second try."""
    match effect.status:
        case EffectStatus.EXECUTING | EffectStatus.UNKNOWN:
            raise Unknown(f"effect {effect.key} was begun before and its fate is not known", hint="look for its receipt")
        case EffectStatus.FAILED:
            raise Refused(f"effect {effect.key} failed: {effect.error}", hint="reserve it again before trying again")
        case _:
            return


def uses_bounds(effect: Effect) -> bool:
    """A compensation is never charged; any other effect is while it lives."""
    return effect.status in LIVE and not effect.compensates


def called_outside(before: EffectStatus) -> bool:
    """Whether an end from ``before`` tells something about the connector: a reservation given up does not."""
    return before is EffectStatus.EXECUTING
