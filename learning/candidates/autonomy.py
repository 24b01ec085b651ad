"""Classes of actions that earned to be done without asking. The operator ratifies each once."""

from collections.abc import Sequence

from domain.actions import ACTION_TYPES
from domain.autonomy import PROPOSE, ClassKey, ClassRecord, Grant
from domain.failures import RootCause
from domain.knowledge import InForce
from domain.learning import Candidate
from domain.model import Moment
from domain.policies import AutonomyPolicy
from learning.autonomy import has_earned, limit_of, own, speaking
from learning.candidates.drafting import drafted


def autonomy_candidates(
    records: Sequence[ClassRecord], incumbent: InForce[AutonomyPolicy], *, now: Moment
) -> tuple[Candidate, ...]:
    """One candidate a class, each adding one grant, the most reviewed class first."""
    policy = incumbent.document
    earned = [r for r in records if _may_be_asked(policy, r) and has_earned(policy, r, records)]
    ordered = sorted(earned, key=lambda r: (-r.reviewed, r.key))
    return tuple(_candidate(record, records, incumbent, now) for record in ordered)


def _may_be_asked(policy: AutonomyPolicy, record: ClassRecord) -> bool:
    """Neither granted nor refused already, and of a kind that is not too dangerous ever to be granted."""
    action = ACTION_TYPES.get(ClassKey.read(record.key).kind)
    known = record.key not in policy.grants and record.key not in policy.refused
    earns = not record.key.startswith(f"{PROPOSE}/")
    return known and earns and action is not None and action.spec.risk <= policy.most_severe


def _candidate(record: ClassRecord, records: Sequence[ClassRecord], incumbent: InForce[AutonomyPolicy], now: Moment) -> Candidate:
    policy, mine, all_told = incumbent.document, own(record, records), speaking(incumbent.document, record, records)
    stays = f"; one in {1 / policy.sample:.0f} stays a question at first, fewer as you agree" if policy.sample else ""
    larger = ", larger amounts among them" if mine.count > record.reviewed else ""
    lent = " (with what you said of others of the kind)" if all_told.count > mine.count else ""
    why = (
        f"do {record.key} without asking: of {mine.count:.0f} you looked at{larger} you changed {mine.corrected:.0f}, so with "
        f"{policy.certainty:.0%} certainty you would change fewer than {all_told.bound(policy.certainty):.1%}{lent}{stays}"
    )
    grant = Grant(key=record.key, limit=limit_of(policy, record.key), sample=policy.sample, earned_at=now, why=why)
    return drafted(
        incumbent,
        policy.model_copy(update={"grants": {**policy.grants, record.key: grant}}),
        why=why,
        cause=RootCause.POLICY_WRONG,
        metrics=("unaided", "corrected"),
        scope=_topics(record),
        expected=round(1 - policy.sample, 3),
    )


def _topics(record: ClassRecord) -> tuple[str, ...]:
    topic = ClassKey.read(record.key).topic
    return () if topic == "any" else (topic,)
