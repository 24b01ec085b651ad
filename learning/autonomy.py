"""When a class of actions has earned to act without asking, when it loses that again, and how often it is still asked. Pure.

"The operator would have changed it" has a Beta posterior with Jeffreys' prior; what counts is its upper bound. Old
approvals never outweigh a severe miss: after one, three times as many reviews are needed.

Larger amounts speak for smaller ones: who lets an order of 400 go would let one of 40 go, so a class is also judged by the
same actions with more at stake. Never the other way round.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scipy.special import betaincinv

from domain.actions import ACTION_TYPES, Risk
from domain.autonomy import ClassKey, ClassRecord, Grant
from domain.policies import AutonomyPolicy

_AFTER_SEVERE = 3


@dataclass(frozen=True)
class Reviews:
    """How often the operator let actions go as shown, and how often not."""

    approved: int = 0
    corrected: int = 0

    @classmethod
    def of(cls, records: Iterable[ClassRecord]) -> "Reviews":
        found = list(records)
        return cls(sum(r.approved for r in found), sum(r.corrected for r in found))

    @property
    def count(self) -> int:
        return self.approved + self.corrected

    def bound(self, certainty: float) -> float:
        """The share of corrections that the true one is under with this certainty."""
        return float(betaincinv(0.5 + self.corrected, 0.5 + self.approved, certainty))


def speaking(record: ClassRecord, records: Sequence[ClassRecord] = ()) -> Reviews:
    """The reviews of the class and of the same actions with larger amounts. ``records`` are those of all classes."""
    return Reviews.of(_speakers(record, records))


def has_earned(policy: AutonomyPolicy, record: ClassRecord, records: Sequence[ClassRecord] = ()) -> bool:
    """Whether what is known speaks for letting the class act without asking."""
    if any(_severe_lately(policy, speaker) for speaker in _speakers(record, records)):
        return False
    return speaking(record, records).bound(policy.certainty) < limit_of(policy, record.key)


def limit_of(policy: AutonomyPolicy, key: str) -> float:
    """The limit for what the class does; a class of no known action counts as the riskiest."""
    action = ACTION_TYPES.get(ClassKey.read(key).kind)
    return policy.text_limit if action is not None and action.spec.risk <= Risk.R1 else policy.limit


def reviews_needed(policy: AutonomyPolicy, key: str) -> int:
    """How many approvals without one correction it takes."""
    count = 1
    while Reviews(approved=count).bound(policy.certainty) >= limit_of(policy, key):
        count += 1
    return count


def sample_share(policy: AutonomyPolicy, grant: Grant, record: ClassRecord, records: Sequence[ClassRecord] = ()) -> float:
    """The share of a granted class that is asked all the same: as much as the record leaves open.

    The grant's own share where the record has just earned it, less as it grows, more after a correction; never less than the
    policy's least, so that a change in the world is still seen.
    """
    open_question = speaking(record, records).bound(policy.certainty) / grant.limit
    return min(max(grant.sample * open_question, min(policy.least_sample, grant.sample)), 1.0)


def without_what_is_lost(policy: AutonomyPolicy, record: ClassRecord, records: Sequence[ClassRecord] = ()) -> AutonomyPolicy | None:
    """The policy without the grants that the records do not carry any more; None where they carry all.

    ``record`` is the one that has just been reviewed: its own grant can be lost, and those of classes it speaks for.
    """
    known = {r.key: r for r in (*records, record)}
    kind = ClassKey.read(record.key).kind
    concerned = [known[key] for key in policy.grants if key in known and ClassKey.read(key).kind == kind]
    lost = {r.key for r in concerned if not _carried(policy, r, tuple(known.values()))}
    if not lost:
        return None
    return policy.model_copy(update={"grants": {key: g for key, g in policy.grants.items() if key not in lost}})


def _carried(policy: AutonomyPolicy, record: ClassRecord, records: Sequence[ClassRecord]) -> bool:
    just_severe = record.severe and not record.since_severe
    return not just_severe and speaking(record, records).bound(policy.certainty) <= policy.grants[record.key].limit


def _speakers(record: ClassRecord, records: Sequence[ClassRecord]) -> tuple[ClassRecord, ...]:
    mine = ClassKey.read(record.key)
    return (record, *(r for r in records if r.key != record.key and ClassKey.read(r.key).same_but_larger(mine)))


def _severe_lately(policy: AutonomyPolicy, record: ClassRecord) -> bool:
    return bool(record.severe) and record.since_severe < _AFTER_SEVERE * reviews_needed(policy, record.key)
