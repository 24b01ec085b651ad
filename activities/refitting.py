"""Refitting the intent model on what people said mails are about, proved on labels that the guessing model has not seen."""

from collections.abc import Sequence

from domain.choice import unit_of
from domain.labels import Label
from domain.policies import TriagePolicy
from domain.ports import IntentModels
from learning.candidates.triage import LEAST_NEW_LABELS, Comparison, triage_candidate
from learning.drafts import Draft
from learning.offline_gate import paired_evidence
from learning.picture import Picture
from learning.replay import paired

_FOLDS = 3
_GATE = 10.0  # what the gate asks for; only what is beyond it counts for the trial, since the gate chose the candidate by it


class Refitter:
    def __init__(self, *, models: IntentModels) -> None:
        self._models = models

    async def draft(self, picture: Picture) -> tuple[Draft, ...]:
        """The refitted model as a candidate, where new labels make it better than the one in force; else nothing."""
        incumbent = picture.in_force(TriagePolicy)
        labels = sorted(picture.observed.labels, key=lambda label: (label.at, label.ticket_id))
        known = [label for label in labels if knows(incumbent.document, label)]
        fresh = [label for label in labels if not knows(incumbent.document, label)]
        if len(fresh) < LEAST_NEW_LABELS or picture.record("triage").trial:
            return ()
        before = _by_ticket(fresh, await self._models.guess([x.text for x in fresh], taught=examples(known)))
        after = await self._cross_fitted(labels, fresh)
        proof = paired(before, after, {label.ticket_id: label.intent for label in fresh})
        compared = Comparison(wins=proof.wins, losses=proof.losses, compared=proof.compared)
        runs = [f"support/{label.ticket_id}" for label in fresh if after[label.ticket_id] != before[label.ticket_id]]
        candidate = triage_candidate(labels, incumbent, compared, examples=runs)
        if candidate is None:
            return ()
        beyond = max(paired_evidence(proof.wins, proof.losses) / _GATE, 1.0)
        return (Draft(candidate.model_copy(update={"evidence": beyond}), proof),)

    async def _cross_fitted(self, labels: Sequence[Label], fresh: Sequence[Label]) -> dict[str, str]:
        """The refitted model's guess of every new label, each by a fit that has not seen it."""
        guesses: dict[str, str] = {}
        for fold in range(_FOLDS):
            out = [label for label in fresh if int(unit_of("fold", label.ticket_id) * _FOLDS) == fold]
            taught = [label for label in labels if label not in out]
            guesses |= _by_ticket(out, await self._models.guess([x.text for x in out], taught=examples(taught)) if out else [])
        return guesses


def knows(policy: TriagePolicy, label: Label) -> bool:
    """Whether the model of this policy has learned from the label."""
    return policy.taught_until is not None and label.at <= policy.taught_until


def examples(labels: Sequence[Label]) -> tuple[tuple[str, str], ...]:
    """(text, intent) pairs in a fixed order, so that the same labels always give the same model."""
    return tuple((label.text, label.intent) for label in labels)


def _by_ticket(labels: Sequence[Label], guesses: Sequence[str]) -> dict[str, str]:
    return {label.ticket_id: guess for label, guess in zip(labels, guesses, strict=True)}
