"""When a person is asked what a mail is about: often while the model is new, then ever more rarely.

After n texts the share that is asked about is ``6.65 x intents / n``, so labels grow with the logarithm of the texts, but
never above four in five: the surest fifth of a new model's guesses is mostly right already, and labels are better spent
on what a later model is unsure of.

Which mails these are is decided by a threshold on the guess's margin. It follows the share as adaptive conformal
inference follows its coverage (Gibbs and Candès, 2021): too many asked lowers it, too few raises it, so the number
asked stays within ``1 / step`` of the aim whatever the mails are. A part is drawn at random among the others.

This is the benchmark's operator, with a thousand tickets a day and a budget of labels. The product asks by its gate: what
it is unsure of, what a policy says, and samples of what it does alone.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from domain.choice import unit_of
from models.local.guess import Guess

_LABELS_AN_INTENT = 6.65
_AT_MOST = 4 / 5
_AUDITED = 0.02  # of those asked about, the share that is drawn at random
_STEP = 0.02


class Reason(StrEnum):
    UNSURE = "unsure"
    AUDIT = "audit"


@dataclass(frozen=True)
class Asking:
    """Folded over the mails in their order. ``seen`` counts the labelled examples that the first model knew, too."""

    seen: int
    threshold: float = 1.0

    def share(self, intents: int) -> float:
        """Of mails at this point, the part that is asked about."""
        return min(_AT_MOST, _LABELS_AN_INTENT * intents / max(1, self.seen))

    def reason(self, guess: Guess, *, intents: int, key: str) -> Reason | None:
        """Why to ask about the mail that ``key`` names; None where the guess may stand."""
        if guess.margin < self.threshold:
            return Reason.UNSURE
        drawn = unit_of("intent-audit", key) < _AUDITED * self.share(intents)
        return Reason.AUDIT if drawn else None

    def after(self, reason: Reason | None, *, intents: int) -> "Asking":
        """With one more mail, that was asked about for ``reason``."""
        missed = (1 - _AUDITED) * self.share(intents) - (reason is Reason.UNSURE)
        return replace(self, seen=self.seen + 1, threshold=self.threshold + _STEP * missed)
