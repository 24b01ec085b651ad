"""Classes of actions that earned to be done without asking. The operator ratifies each once."""

from collections.abc import Sequence

from domain.actions import ACTION_TYPES
from domain.autonomy import PROPOSE, ClassRecord, Grant
from domain.failures import RootCause
from domain.knowledge import InForce
from domain.learning import Candidate
from domain.model import Moment
from domain.policies import AutonomyPolicy
from learning.autonomy import has_earned, limit_of, upper_bound
from learning.candidates.drafting import drafted


def autonomy_candidates(
    records: Sequence[ClassRecord], incumbent: InForce[AutonomyPolicy], *, now: Moment
) -> tuple[Candidate, ...]:
    """One candidate a class, each adding one grant, the most reviewed class first."""
    policy = incumbent.document
    earned = [r for r in records if _may_be_asked(policy, r) and has_earned(policy, r)]
    ordered = sorted(earned, key=lambda r: (-r.reviewed, r.key))
    return tuple(_candidate(record, incumbent, now) for record in ordered)


def _may_be_asked(policy: AutonomyPolicy, record: ClassRecord) -> bool:
    """Neither granted nor refused already, and of a kind that is not too dangerous ever to be granted."""
    action = ACTION_TYPES.get(_kind(record))
    known = record.key not in policy.grants and record.key not in policy.refused
    earns = not record.key.startswith(f"{PROPOSE}/")
    return known and earns and action is not None and action.spec.risk <= policy.most_severe


def _candidate(record: ClassRecord, incumbent: InForce[AutonomyPolicy], now: Moment) -> Candidate:
    policy = incumbent.document
    bound = upper_bound(record, policy.certainty)
    stays = f"; one in {1 / policy.sample:.0f} stays a question" if policy.sample else ""
    why = (
        f"do {record.key} without asking: of {record.reviewed} you looked at you changed {record.corrected}, so with "
        f"{policy.certainty:.0%} certainty you would change fewer than {bound:.1%}{stays}"
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


def _kind(record: ClassRecord) -> str:
    """The kind of action in ``support/send-reply/late/no-money``."""
    return record.key.split("/")[1] if record.key.count("/") >= 3 else ""


def _topics(record: ClassRecord) -> tuple[str, ...]:
    topic = "/".join(record.key.split("/")[2:-1])
    return () if topic == "any" else (topic,)
