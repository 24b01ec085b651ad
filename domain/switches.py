"""The operator's switches, as every door offers them: what modes there are, what they mean, and what a change has to be."""

from collections.abc import Sequence
from datetime import timedelta

from domain.actions import ACTION_TYPES
from domain.autonomy import PROPOSE
from domain.bypasses import LONGEST, BypassOpened
from domain.decisions import Bypass, Mode
from domain.deliveries import RESTOCK
from domain.errors import InvalidInput
from domain.event import Event
from domain.model import Moment
from domain.runs import Controls, KillSwitchSet

WORKFLOWS = ("support", "replenish", "content", RESTOCK, PROPOSE)
MEANS = {
    Mode.OFF: "nothing is even proposed",
    Mode.SUGGEST: "proposed and recorded, never done",
    Mode.ASK: "you are asked every time",
    Mode.AUTO: "done within policy, asked beyond it",
}
_LONGEST_REASON = 2_000  # characters


_ALWAYS_ASKED = "what programs propose is always asked"


def means(scope: str, mode: Mode) -> str:
    """What ``mode`` comes to in ``scope``, in words."""
    return MEANS[Mode.ASK if mode is Mode.AUTO and _is_proposed(scope) else mode]


def modes_in_force(controls: Controls) -> list[tuple[str, Mode]]:
    """Each workflow with its mode, and the narrower rules under it."""
    scopes = sorted({*WORKFLOWS, *controls.modes})
    return [(scope, controls.mode_of(*_parts(scope))) for scope in scopes]


def checked_scope(scope: str) -> str:
    """A workflow, or ``workflow/action-kind``. Raises InvalidInput."""
    workflow, slash, kind = scope.partition("/")
    if workflow not in WORKFLOWS or (slash and kind not in ACTION_TYPES):
        hint = f"one of {', '.join(WORKFLOWS)}, or one with an action, such as support/send-reply"
        raise InvalidInput(f"{scope!r} names no workflow or action", hint=hint)
    return scope


def checked_mode(scope: str, mode: Mode) -> Mode:
    """``mode``, where it would make a difference in ``scope``. Raises InvalidInput."""
    if mode is Mode.AUTO and _is_proposed(scope):
        raise InvalidInput(f"{_ALWAYS_ASKED}, so {scope} cannot be auto", hint="ask, suggest or off")
    return mode


def open_bypasses(controls: Controls, at: Moment) -> list[Bypass]:
    """Those that are not over."""
    return [bypass for bypass in controls.bypasses if at < bypass.until]


def bypass_of(scope: str, span: timedelta, reason: str, *, by: str, at: Moment) -> BypassOpened:
    """Raises InvalidInput for a scope that is none, a span that is too long, or no reason."""
    if not timedelta(0) < span <= LONGEST:
        raise InvalidInput("a bypass of so long is not allowed", hint="more than nothing and at most 24h")
    if not 0 < len(reason.strip()) <= _LONGEST_REASON:
        raise InvalidInput("a bypass needs a reason", hint="say why; it is recorded with all that is done so")
    if _is_proposed(scope):
        raise InvalidInput(f"{_ALWAYS_ASKED}, so {scope} cannot be bypassed", hint="bypass the workflow that plans it itself")
    return BypassOpened(scope=checked_scope(scope), until=at + span, reason=reason.strip(), by=by, at=at)


def kill_switch_set(controls: Controls, *, on: bool, reason: str, by: str) -> KillSwitchSet:
    """A switch that is on already keeps its reason unless another one is given: it says why everything stands still."""
    kept = controls.kill_reason if on and controls.kill_switch else ""
    return KillSwitchSet(on=on, reason=reason.strip() or kept, by=by)


def on_since(news: Sequence[Event]) -> Moment | None:
    """When the kill switch was turned on, by the events of the controls, newest first; None where they do not tell."""
    since = None
    for event in news:
        if event.type == KillSwitchSet.type:
            if not event.data["on"]:
                return since
            since = event.at
    return since


def _is_proposed(scope: str) -> bool:
    return _parts(scope)[0] == PROPOSE


def _parts(scope: str) -> tuple[str, str]:
    workflow, _, kind = scope.partition("/")
    return workflow, kind
