"""All that a learning cycle looks at. Pure."""

from dataclasses import dataclass
from typing import TypeVar

from domain.autonomy import ClassRecord
from domain.entities import ContentPiece
from domain.experiments import Ending, Experiment
from domain.failures import Failure
from domain.knowledge import InForce
from domain.model import Moment
from domain.policies import POLICY_TYPES, Policy, PolicyRecord
from learning.documents import in_force
from learning.observed import Observed

P = TypeVar("P", bound=Policy)
_NAMES = {policy: name for name, policy in POLICY_TYPES.items()}


@dataclass(frozen=True, kw_only=True)
class Picture:
    now: Moment
    observed: Observed
    failures: tuple[Failure, ...]
    experiments: tuple[Experiment, ...]
    classes: tuple[ClassRecord, ...]
    pieces: tuple[ContentPiece, ...]
    records: dict[str, PolicyRecord]
    alerts: frozenset[str]  # the keys of all that were ever raised

    def record(self, policy: str) -> PolicyRecord:
        return self.records.get(policy) or PolicyRecord(name=policy)

    def golden(self, policy: str) -> frozenset[str]:
        """Runs that an earlier change of this policy was made for and won: they must not be lost again."""
        won = (Ending.PROMOTED, Ending.SHIPPED)
        return frozenset(run for e in self.experiments if e.policy == policy and e.ending in won for run in e.examples)

    def in_force(self, policy: type[P]) -> InForce[P]:
        record = self.record(_NAMES[policy])
        return InForce(name=record.name, version=record.active, document=policy.model_validate(in_force(record)))
