"""Kinds of action that are always asked although people keep agreeing: asked under a floor of confidence instead.

A rule that asks about every one of a kind was made before anybody knew how they turn out. Where the record carries it, the
operator is asked once whether it shall stay. Only text that can be taken back exactly comes into question, and the floor is
no lower than what was reviewed; the mode, the auditor's holds, bounds and breakers go on asking as before.
"""

from collections.abc import Sequence

from domain.actions import ACTION_TYPES, Reversibility, Risk
from domain.failures import RootCause
from domain.knowledge import InForce
from domain.learning import Candidate
from domain.policies import GatePolicy
from learning.candidates.drafting import drafted
from learning.candidates.reviews import Review, upper_bound
from learning.candidates.thresholds import CERTAINTY, HIGHEST, LIMITS, LOWEST, STEP

ALWAYS = 1.01  # the floor that asks whatever the confidence


def always_asked_candidates(reviews: Sequence[Review], incumbent: InForce[GatePolicy]) -> tuple[Candidate, ...]:
    """One for each kind whose rule has become needless. The gate is risk R3, so the operator ratifies."""
    kinds = [kind for kind in incumbent.document.always_ask if _can_be_taken_back(kind)]
    return tuple(c for kind in kinds if (c := _candidate(kind, reviews, incumbent)) is not None)


def floor_of(policy: GatePolicy, kind: str) -> float:
    """Under which confidence the gate asks about a kind of action."""
    return ALWAYS if kind in policy.always_ask else policy.minimum_confidence.get(kind, policy.default_minimum_confidence)


def _can_be_taken_back(kind: str) -> bool:
    action = ACTION_TYPES.get(kind)
    return action is not None and action.spec.risk <= Risk.R1 and action.spec.reversibility is Reversibility.REVERSIBLE


def _candidate(kind: str, reviews: Sequence[Review], incumbent: InForce[GatePolicy]) -> Candidate | None:
    policy, own = incumbent.document, [r for r in reviews if r.kind == kind and r.by_rule]
    floor = _floor(own)
    if floor is None:
        return None
    let_go = [r for r in own if r.confidence >= floor]
    rest = tuple(k for k in policy.always_ask if k != kind)
    floors = {**policy.minimum_confidence, kind: floor}
    corrected = sum(r.corrected for r in let_go)
    return drafted(
        incumbent,
        policy.model_copy(update={"always_ask": rest, "minimum_confidence": floors}),
        why=(
            f"ask about {kind} under {floor:.0%} sureness instead of always: of {len(let_go)} that nothing else spoke against "
            f"you changed {corrected}"
        ),
        cause=RootCause.POLICY_WRONG,
        metrics=("unaided", "corrected"),
        expected=round((len(let_go) - corrected) / max(len(own), 1), 3),
        examples=[r.run_id for r in reversed(let_go)],
    )


def _floor(own: Sequence[Review]) -> float | None:
    """The lowest step over which people surely agree, with reviews in the step itself; None where there is none."""
    steps = (round(LOWEST + i * STEP, 2) for i in range(round((HIGHEST - LOWEST) / STEP) + 1))
    return next((step for step in steps if _agreed(own, step)), None)


def _agreed(own: Sequence[Review], floor: float) -> bool:
    let_go = [r for r in own if r.confidence >= floor]
    corrected = sum(r.corrected for r in let_go)
    reviewed_here = any(r.confidence < floor + STEP for r in let_go)
    return reviewed_here and upper_bound(corrected, len(let_go), CERTAINTY) < LIMITS[Risk.R1]
