"""Root causes by example: a naive Bayes classifier over words, taught by the failures that the operator labelled. Pure.

It is asked only where no rule fires, so it has little to learn from: words are smoothed (Laplace), causes it has not
seen keep a prior, and its confidence is what the caller decides by.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from domain.failures import Failure, Labeller, RootCause

LEAST_EXAMPLES = 5
_WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True)
class Guess:
    cause: RootCause
    mode: str
    confidence: float


@dataclass(frozen=True)
class FailureClassifier:
    """Word counts by cause, and the labelled failures themselves for their modes."""

    examples: tuple[Failure, ...] = ()

    @classmethod
    def taught_by(cls, failures: Iterable[Failure]) -> "FailureClassifier":
        """Learns from those that the operator labelled; the order does not matter."""
        labelled = (f for f in failures if f.labelled_by is Labeller.OPERATOR)
        return cls(tuple(sorted(labelled, key=lambda f: f.failure_id)))

    def guess(self, text: str) -> Guess | None:
        """The likeliest cause, with the mode of the most similar example of it; None with too few examples."""
        if len(self.examples) < LEAST_EXAMPLES:
            return None
        words = words_of(text)
        logs = self._log_posteriors(words)
        top = max(logs.values())
        total = math.fsum(math.exp(value - top) for value in logs.values())
        cause = max(logs, key=lambda c: (logs[c], c.value))
        alike = max((e for e in self.examples if e.cause is cause), key=lambda e: (_overlap(words, e), e.failure_id))
        return Guess(cause, alike.mode, math.exp(logs[cause] - top) / total)

    def _log_posteriors(self, words: Sequence[str]) -> dict[RootCause, float]:
        counts: dict[RootCause, Counter[str]] = {}
        for example in self.examples:
            counts.setdefault(example.cause, Counter()).update(words_of(text_of(example)))
        vocabulary = len({word for seen in counts.values() for word in seen} | set(words))
        shares = Counter(example.cause for example in self.examples)
        return {
            cause: math.log(shares[cause] / len(self.examples))
            + math.fsum(math.log((seen[word] + 1) / (seen.total() + vocabulary)) for word in words)
            for cause, seen in counts.items()
        }


def text_of(failure: Failure) -> str:
    """What the classifier sees of a failure: never its label."""
    return f"{failure.metric} {failure.topic} {failure.detail}"


def words_of(text: str) -> list[str]:
    return sorted({word.lower() for word in _WORD.findall(text)})


def _overlap(words: Sequence[str], example: Failure) -> float:
    theirs = set(words_of(text_of(example)))
    return len(theirs & set(words)) / max(len(theirs | set(words)), 1)
