"""Refitting the intent model on what people said mails are about, proved on labels that the guessing model has not seen."""

from collections.abc import Sequence
from math import floor, log

from domain.actions import Risk
from domain.choice import unit_of
from domain.experiments import Experiment, Stage
from domain.labels import Label
from domain.policies import TriagePolicy
from domain.ports import IntentModels
from learning.candidates.triage import LEAST_NEW_LABELS, Comparison, triage_candidate
from learning.discovery import next_level
from learning.drafts import Draft
from learning.offline_gate import paired_evidence
from learning.picture import Picture
from learning.replay import Paired, paired
from learning.verdict import win_limit

_FOLDS = 3
_GATE = 10.0  # what the gate asks for; only what is beyond it counts for the trial, since the gate chose the candidate by it
_RUNG = 1.25  # a refit is tried when the new labels have grown by a quarter: few looks, and each has something new to see


class Refitter:
    def __init__(self, *, models: IntentModels) -> None:
        self._models = models

    async def draft(self, picture: Picture) -> tuple[Draft, ...]:
        """The refitted model as a candidate, where new labels make it better than the one in force; else nothing.

        A trial of an earlier refit gives way where the replay alone proves what the trial has not: a trial takes weeks, in
        which as many labels come in as it began with.
        """
        incumbent = picture.in_force(TriagePolicy)
        labels = sorted(picture.observed.labels, key=lambda label: (label.at, label.ticket_id))
        fresh = [label for label in labels if not knows(incumbent.document, label)]
        trial = _trial(picture)
        if not _due(fresh, picture) or (trial is not None and not _gives_way(trial)):
            return ()
        proof, changed = await self._proved(labels, fresh, incumbent.document)
        compared = Comparison(wins=proof.wins, losses=proof.losses, compared=proof.compared)
        candidate = triage_candidate(labels, incumbent, compared, examples=changed)
        beyond = max(paired_evidence(proof.wins, proof.losses) / _GATE, 1.0)
        proved = beyond >= win_limit(Risk.R1, next_level(picture.experiments))
        if candidate is None or (trial is not None and not proved):
            return ()
        tried = candidate.model_copy(update={"evidence": beyond})
        return (Draft(tried, proof, instead_of=trial.experiment_id if trial else ""),)

    async def _proved(self, labels: Sequence[Label], fresh: Sequence[Label], incumbent: TriagePolicy) -> tuple[Paired, list[str]]:
        """Both models on the labels that the incumbent does not know, and the runs whose intent they see differently."""
        known = [label for label in labels if knows(incumbent, label)]
        before = _by_ticket(fresh, await self._models.guess([x.text for x in fresh], taught=examples(known)))
        after = await self._cross_fitted(labels, fresh)
        changed = [f"support/{label.ticket_id}" for label in fresh if after[label.ticket_id] != before[label.ticket_id]]
        return paired(before, after, {label.ticket_id: label.intent for label in fresh}), changed

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


def _trial(picture: Picture) -> Experiment | None:
    running = picture.record("triage").trial
    return next((e for e in picture.experiments if e.experiment_id == running), None)


def _gives_way(trial: Experiment) -> bool:
    """A canary whose own evidence, with that of its replay, is not yet what a promotion takes."""
    won = trial.evidence.win if trial.evidence.matured else trial.prior
    return trial.stage is Stage.CANARY and won < win_limit(trial.risk, trial.level)


def _due(fresh: Sequence[Label], picture: Picture) -> bool:
    """Whether the labels since the last look took their number over a rung."""
    new = sum(picture.observed.is_new(label.at) for label in fresh)
    return len(fresh) >= LEAST_NEW_LABELS and _rung(len(fresh)) > _rung(len(fresh) - new)


def _rung(count: int) -> int:
    return floor(log(count / LEAST_NEW_LABELS, _RUNG)) if count >= LEAST_NEW_LABELS else -1


def _by_ticket(labels: Sequence[Label], guesses: Sequence[str]) -> dict[str, str]:
    return {label.ticket_id: guess for label, guess in zip(labels, guesses, strict=True)}
