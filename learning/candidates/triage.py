"""A triage model that has learned from what people said since the last one was fitted."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.failures import RootCause
from domain.knowledge import InForce
from domain.labels import Label
from domain.learning import Candidate
from domain.policies import TriagePolicy
from learning.candidates.drafting import drafted

LEAST_NEW_LABELS = 10


@dataclass(frozen=True)
class Comparison:
    """Both models on labels that neither has learned from: how often only the candidate was right, only the incumbent, all."""

    wins: int
    losses: int
    compared: int


def triage_candidate(
    labels: Sequence[Label], incumbent: InForce[TriagePolicy], comparison: Comparison, *, examples: Sequence[str] = ()
) -> Candidate | None:
    """None with too few new labels, or where the refitted model is not better on the held-out ones.

    ``examples`` are the runs of the held-out labels, oldest first.
    """
    since = incumbent.document.taught_until
    fresh = [label for label in labels if since is None or label.at > since]
    if len(fresh) < LEAST_NEW_LABELS or comparison.wins <= comparison.losses:
        return None
    gain = (comparison.wins - comparison.losses) / max(comparison.compared, 1)
    why = (
        f"{len(fresh)} mails that you labelled are new since the last time; of {comparison.compared} it had not seen, the model "
        f"that learned from the others understood {comparison.wins} better and {comparison.losses} worse"
    )
    return drafted(
        incumbent,
        TriagePolicy(taught_until=max(label.at for label in labels), labels=len(labels)),
        why=why,
        cause=RootCause.MODEL,
        metrics=("corrected", "unaided", "reopened"),
        margin=0.05,
        expected=round(gain, 3),
        examples=tuple(reversed(examples)),
    )
