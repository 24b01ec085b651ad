"""When a class of actions has earned to act without asking, and when it loses that again. Pure.

"The operator would have changed it" has a Beta posterior with Jeffreys' prior; what counts is its upper bound. Old
approvals never outweigh a severe miss: after one, three times as many reviews are needed.
"""

from scipy.special import betaincinv

from domain.actions import ACTION_TYPES, Risk
from domain.autonomy import ClassRecord
from domain.policies import AutonomyPolicy

_AFTER_SEVERE = 3


def upper_bound(record: ClassRecord, certainty: float) -> float:
    """The share of corrections that the true one is under with this certainty."""
    return float(betaincinv(0.5 + record.corrected, 0.5 + record.approved, certainty))


def has_earned(policy: AutonomyPolicy, record: ClassRecord) -> bool:
    """Whether the record alone speaks for letting the class act without asking."""
    if record.severe and record.since_severe < _AFTER_SEVERE * reviews_needed(policy, record.key):
        return False
    return upper_bound(record, policy.certainty) < limit_of(policy, record.key)


def limit_of(policy: AutonomyPolicy, key: str) -> float:
    """The limit for what the class does; a class of no known action counts as the riskiest."""
    action = ACTION_TYPES.get(key.split("/")[1] if key.count("/") >= 3 else "")
    return policy.text_limit if action is not None and action.spec.risk <= Risk.R1 else policy.limit


def reviews_needed(policy: AutonomyPolicy, key: str) -> int:
    """How many approvals without one correction it takes."""
    count = 1
    while upper_bound(ClassRecord(key=key, approved=count), policy.certainty) >= limit_of(policy, key):
        count += 1
    return count


def without_what_is_lost(policy: AutonomyPolicy, record: ClassRecord) -> AutonomyPolicy | None:
    """The policy without this class's grant, where the record does not carry it any more; None where it does."""
    grant = policy.grants.get(record.key)
    if grant is None:
        return None
    just_severe = record.severe and not record.since_severe
    if not just_severe and upper_bound(record, policy.certainty) <= grant.limit:
        return None
    return policy.model_copy(update={"grants": {key: g for key, g in policy.grants.items() if key != record.key}})
