"""Thresholds of confidence: lower where people keep agreeing, higher where they keep correcting."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.actions import Risk
from domain.failures import RootCause
from domain.knowledge import InForce
from domain.learning import Candidate
from domain.policies import GatePolicy, RoutingPolicy
from learning.candidates.drafting import drafted
from learning.candidates.reviews import Review, lower_bound, upper_bound

LIMITS = {Risk.R0: 0.2, Risk.R1: 0.1, Risk.R2: 0.03, Risk.R3: 0.01}
"""The share of corrections that may be let through, by risk."""
CERTAINTY = 0.95
STEP = 0.05
LOWEST, HIGHEST = 0.4, 0.95
MOST_AT_ONCE = 0.15
_HELD_UP = 3
_ENOUGH = 8  # reviews just over the floor, before their corrections are called frequent


@dataclass(frozen=True)
class Move:
    """A floor that should be another one, and the reviews that say so."""

    floor: float
    reviewed: int
    corrected: int
    examples: tuple[str, ...]


def gate_candidates(reviews: Sequence[Review], incumbent: InForce[GatePolicy]) -> tuple[Candidate, ...]:
    """One for each kind of action whose floor should move. The gate is risk R3, so the operator ratifies."""
    kinds = sorted({review.kind for review in reviews})
    return tuple(c for kind in kinds if (c := _gate_candidate(kind, reviews, incumbent)) is not None)


def routing_candidate(reviews: Sequence[Review], incumbent: InForce[RoutingPolicy]) -> Candidate | None:
    """``reviews`` of intents: how sure the local model has to be before the rules may answer."""
    policy = incumbent.document
    move = moved(reviews, policy.local_confidence, limit=LIMITS[Risk.R1])
    if move is None:
        return None
    lower = move.floor < policy.local_confidence
    return drafted(
        incumbent,
        policy.model_copy(update={"local_confidence": move.floor}),
        why=_why("the intent of a mail", policy.local_confidence, move),
        cause=RootCause.POLICY_WRONG,
        metrics=("unaided", "corrected", "reopened") if lower else ("corrected", "unaided", "reopened"),
        margin=0.05,
        expected=_expected(reviews, policy.local_confidence, move),
        examples=move.examples,
    )


def moved(reviews: Sequence[Review], floor: float, *, limit: float) -> Move | None:
    """The floor that the reviews call for, at most ``MOST_AT_ONCE`` away; None where it is right, or nothing is sure.

    It is lowered as far as what it would newly let through is, with ``CERTAINTY``, corrected less often than ``limit``,
    counted on its own: many good reviews high above say nothing about those just under the floor; and only where the floor
    itself is what makes us ask. It is raised where what it lets through now is surely corrected more often, up to where the
    rest is not.
    """
    if (raised := _raised(reviews, floor, limit)) is not None:
        return raised
    steps = [round(floor - i * STEP, 2) for i in range(round(MOST_AT_ONCE / STEP), 0, -1)]
    for lower in (step for step in steps if step >= LOWEST):
        admitted = [r for r in reviews if lower <= r.confidence < floor]
        corrected = sum(r.corrected for r in admitted)
        if _would_help(admitted, lower) and upper_bound(corrected, len(admitted), CERTAINTY) < limit:
            return Move(lower, len(admitted), corrected, _examples(admitted))
    return None


def _raised(reviews: Sequence[Review], floor: float, limit: float) -> Move | None:
    steps = [round(floor + i * STEP, 2) for i in range(1, round(MOST_AT_ONCE / STEP) + 1)]
    for higher in (step for step in steps if step <= HIGHEST):
        stopped = [r for r in reviews if floor <= r.confidence < higher]
        corrected = sum(r.corrected for r in stopped)
        rest = [r for r in reviews if higher <= r.confidence]
        often = len(stopped) >= _ENOUGH and lower_bound(corrected, len(stopped), CERTAINTY) > limit
        if often and (higher == steps[-1] or sum(r.corrected for r in rest) <= limit * len(rest)):
            return Move(higher, len(stopped), corrected, _examples([r for r in stopped if r.corrected]))
    return None


def _would_help(admitted: Sequence[Review], lower: float) -> bool:
    """Whether the floor alone held several of them up, and some of them lie in the lowest step, which is not taken on the
    word of those above it."""
    return sum(r.held for r in admitted) >= _HELD_UP and any(r.confidence < lower + STEP for r in admitted)


def _gate_candidate(kind: str, reviews: Sequence[Review], incumbent: InForce[GatePolicy]) -> Candidate | None:
    policy, own = incumbent.document, [r for r in reviews if r.kind == kind]
    floor = policy.minimum_confidence.get(kind, policy.default_minimum_confidence)
    move = moved(own, floor, limit=LIMITS[own[0].risk])
    if move is None:
        return None
    return drafted(
        incumbent,
        policy.model_copy(update={"minimum_confidence": {**policy.minimum_confidence, kind: move.floor}}),
        why=_why(kind, floor, move),
        cause=RootCause.POLICY_WRONG,
        metrics=("unaided", "corrected") if move.floor < floor else ("corrected", "unaided"),
        expected=_expected(own, floor, move),
        examples=move.examples,
    )


def _expected(reviews: Sequence[Review], floor: float, move: Move) -> float:
    """The share of all reviewed cases that would be decided better: not asked though right, or asked though wrong."""
    better = move.reviewed - move.corrected if move.floor < floor else move.corrected
    return round(better / max(len(reviews), 1), 3)


def _examples(reviews: Sequence[Review]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(r.run_id for r in reversed(reviews)))


def _why(what: str, floor: float, move: Move) -> str:
    seen = f"of {move.reviewed} decisions about {what} between the two, you changed {move.corrected}"
    return f"ask about {what} under {move.floor:.0%} sureness instead of {floor:.0%}: {seen}"
