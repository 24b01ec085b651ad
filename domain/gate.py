"""The gate: whether an audited action goes ahead, is asked, is only suggested, or is refused. Pure."""

import re
from enum import StrEnum
from typing import assert_never

from domain.actions import Action, Reversibility, Risk
from domain.decisions import Bypass, GateDecision, GateOutcome, Mode, Severity, Verdict, Why
from domain.policies import GatePolicy

MODE_ASKS = "the mode is ask"
SAMPLED = "a sample of what Steward does alone"
_ALWAYS = " is always asked"
_OVER_A_LIMIT = re.compile(r"(?:a refund of )?[\d,.]+ [A-Z]{3} is (?:over|above) the limit of [\d,.]+ [A-Z]{3}")


class Licence(StrEnum):
    """What an action's class has earned, where its mode is ask."""

    NONE = "none"
    SAMPLED = "sampled"  # earned, but this one is drawn for review
    EARNED = "earned"


def decide(
    *,
    action: Action,
    mode: Mode,
    verdict: Verdict,
    why: Why,
    policy: GatePolicy,
    breaker_open: bool,
    bound_exceeded: str,
    licence: Licence = Licence.NONE,
    bypass: Bypass | None = None,
) -> GateDecision:
    """Safe by default: everything that is not clearly allowed is asked.

    A class that earned autonomy is spared the question that its mode asks, and no other; so is what is bypassed.
    ``bound_exceeded`` names the bound that has no room left for the action, or is empty. The reasons are for people.
    """
    match mode:
        case Mode.OFF:
            return GateDecision(outcome=GateOutcome.REFUSE, reasons=("the mode is off",))
        case Mode.SUGGEST:
            return GateDecision(outcome=GateOutcome.SUGGEST, reasons=("the mode is suggest",))
        case Mode.ASK | Mode.AUTO:
            pass
        case never:
            assert_never(never)
    if verdict.severity is Severity.BLOCK:
        return GateDecision(outcome=GateOutcome.REFUSE, reasons=_texts(verdict, Severity.BLOCK))
    asked = _asked_by_mode(mode, licence)
    own = () if bypass else asked
    reasons = (*own, *_reasons_to_ask(action, verdict, why, policy), *_obstacles(breaker_open, bound_exceeded))
    if reasons:
        return GateDecision(outcome=GateOutcome.ASK, reasons=reasons)
    if asked and bypass:
        return GateDecision(outcome=GateOutcome.ALLOW, reasons=("within policy", str(bypass)), bypass=bypass)
    return GateDecision(outcome=GateOutcome.ALLOW, reasons=("within policy",))


def doubts(decision: GateDecision) -> tuple[str, ...]:
    """The reasons that are about this very action: not the rules that ask about all of its kind, of its size, or a sample."""
    return tuple(reason for reason in decision.reasons if not _is_rule(reason))


def _is_rule(reason: str) -> bool:
    if reason in (MODE_ASKS, SAMPLED) or reason.endswith(_ALWAYS):
        return True
    return all(_OVER_A_LIMIT.fullmatch(part) for part in reason.split("; "))


def _asked_by_mode(mode: Mode, licence: Licence) -> tuple[str, ...]:
    if mode is not Mode.ASK or licence is Licence.EARNED:
        return ()
    return (MODE_ASKS if licence is Licence.NONE else SAMPLED,)


def _reasons_to_ask(action: Action, verdict: Verdict, why: Why, policy: GatePolicy) -> tuple[str, ...]:
    reasons = [*_texts(verdict, Severity.HOLD)]
    if why.force_ask:
        reasons.append(why.force_ask)
    if action.kind in policy.always_ask:
        reasons.append(f"{action.kind}{_ALWAYS}")
    floor = policy.minimum_confidence.get(action.kind, policy.default_minimum_confidence)
    if why.confidence < floor:
        reasons.append(f"confidence {why.confidence:.2f} is under {floor:.2f}")
    reasons += _money_reasons(action, policy)
    return tuple(reasons)


def _money_reasons(action: Action, policy: GatePolicy) -> list[str]:
    money = action.money()
    limit = policy.money_without_asking.get(action.kind)
    if action.risk is Risk.R3:
        return ["risk R3 is always asked"]
    if money is None:
        unsafe = action.risk >= Risk.R2 and action.reversibility is Reversibility.IRREVERSIBLE
        return ["it cannot be undone"] if unsafe else []
    if limit is None or limit.currency != money.currency:
        return [f"no limit is set for {action.kind} in {money.currency}"]
    return [f"{money} is over the limit of {limit}"] if money > limit else []


def _obstacles(breaker_open: bool, bound_exceeded: str) -> tuple[str, ...]:
    """An open breaker or a full bound asks: the operator sees it, and the reservation checks again."""
    return (*(("the connector's breaker is open",) if breaker_open else ()), *((bound_exceeded,) if bound_exceeded else ()))


def _texts(verdict: Verdict, severity: Severity) -> tuple[str, ...]:
    return tuple(f.text for f in verdict.findings if f.severity is severity)
