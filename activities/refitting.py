"""Refitting the intent model on what people said mails are about, proved on labels that neither model has seen."""

from collections.abc import Sequence

from domain.choice import unit_of
from domain.labels import Label
from domain.policies import TriagePolicy
from domain.ports import IntentModels
from learning.candidates.triage import Comparison, triage_candidate
from learning.drafts import Draft
from learning.picture import Picture
from learning.replay import paired

_HELD_OUT = 0.3


class Refitter:
    def __init__(self, *, models: IntentModels) -> None:
        self._models = models

    async def draft(self, picture: Picture) -> tuple[Draft, ...]:
        """The refitted model as a candidate, where new labels make it better than the one in force; else nothing."""
        incumbent = picture.in_force(TriagePolicy)
        labels = sorted(picture.observed.labels, key=lambda label: (label.at, label.ticket_id))
        known = [label for label in labels if knows(incumbent.document, label)]
        fresh = [label for label in labels if not knows(incumbent.document, label)]
        held_out = [label for label in fresh if unit_of("held-out", label.ticket_id) < _HELD_OUT]
        if not held_out:
            return ()
        texts = [label.text for label in held_out]
        taught = [label for label in labels if label not in held_out]
        before = await self._models.guess(texts, taught=examples(known))
        after = await self._models.guess(texts, taught=examples(taught))
        proof = paired(_by_ticket(held_out, before), _by_ticket(held_out, after), {x.ticket_id: x.intent for x in held_out})
        compared = Comparison(wins=proof.wins, losses=proof.losses, compared=proof.compared)
        runs = [f"support/{label.ticket_id}" for label in held_out]
        candidate = triage_candidate(labels, incumbent, compared, examples=runs)
        return (Draft(candidate, proof),) if candidate else ()


def knows(policy: TriagePolicy, label: Label) -> bool:
    """Whether the model of this policy has learned from the label."""
    return policy.taught_until is not None and label.at <= policy.taught_until


def examples(labels: Sequence[Label]) -> tuple[tuple[str, str], ...]:
    """(text, intent) pairs in a fixed order, so that the same labels always give the same model."""
    return tuple((label.text, label.intent) for label in labels)


def _by_ticket(labels: Sequence[Label], guesses: Sequence[str]) -> dict[str, str]:
    return {label.ticket_id: guess for label, guess in zip(labels, guesses, strict=True)}
