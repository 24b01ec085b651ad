"""Classes of actions that earned to be done without asking. The operator ratifies each once."""

from collections.abc import Mapping, Sequence

from domain.actions import ACTION_TYPES
from domain.autonomy import PROPOSE, ClassKey, ClassRecord, Grant, exceeds
from domain.failures import RootCause
from domain.knowledge import InForce
from domain.learning import Candidate
from domain.model import Moment
from domain.money import Money
from domain.policies import AutonomyPolicy
from learning.autonomy import has_earned, limit_of, speaking
from learning.candidates.drafting import drafted


def autonomy_candidates(
    records: Sequence[ClassRecord],
    incumbent: InForce[AutonomyPolicy],
    *,
    limits: Mapping[str, Money] | None = None,
    now: Moment,
) -> tuple[Candidate, ...]:
    """One candidate a class, each adding one grant, the most reviewed class first.

    ``limits`` are the amounts by kind of action above which the gate asks in any case: there a grant would change nothing.
    """
    policy = incumbent.document
    spared = [r for r in records if _may_be_asked(policy, r) and not _over(r, limits or {})]
    earned = [r for r in spared if has_earned(policy, r, records)]
    ordered = sorted(earned, key=lambda r: (-r.reviewed, r.key))
    return tuple(_candidate(record, records, incumbent, now) for record in ordered)


def _may_be_asked(policy: AutonomyPolicy, record: ClassRecord) -> bool:
    """Neither granted nor refused already, and of a kind that is not too dangerous ever to be granted."""
    action = ACTION_TYPES.get(ClassKey.read(record.key).kind)
    known = record.key not in policy.grants and record.key not in policy.refused
    earns = not record.key.startswith(f"{PROPOSE}/")
    return known and earns and action is not None and action.spec.risk <= policy.most_severe


def _over(record: ClassRecord, limits: Mapping[str, Money]) -> bool:
    key = ClassKey.read(record.key)
    return exceeds(key.band, limits.get(key.kind))


def _candidate(record: ClassRecord, records: Sequence[ClassRecord], incumbent: InForce[AutonomyPolicy], now: Moment) -> Candidate:
    policy, told = incumbent.document, speaking(record, records)
    stays = f"; one in {1 / policy.sample:.0f} stays a question at first, fewer as you agree" if policy.sample else ""
    larger = ", larger amounts among them," if told.count > record.reviewed else ""
    why = (
        f"do {record.key} without asking: of {told.count} you looked at{larger} you changed {told.corrected}, so with "
        f"{policy.certainty:.0%} certainty you would change fewer than {told.bound(policy.certainty):.1%}{stays}"
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
