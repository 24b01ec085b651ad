"""The intent of a mail: kernel ridge classification over embeddings, words and pieces of words.

It learns from the sentences in the box, from what people said, and from mails nobody labelled.
"""

import heapq
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from domain.ids import digest
from domain.ports import Embedder
from models.local.features import Features, plain
from models.local.guess import Example, Guess
from models.local.kernel_ridge import KernelRidge

_RAREST = 2
"""An intent with fewer examples is nothing to generalise from."""
_FEWEST = 2
_UNLABELLED_AT_MOST = 4_000
"""So that a refit takes seconds: it grows with the third power of the number of texts."""


def seed_examples() -> list[Example]:
    """The sentences in the box: ``seeds/<intent>.txt``, one mail a line."""
    files = sorted((Path(__file__).parent / "seeds").glob("*.txt"))
    return [(line, file.stem) for file in files for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


class IntentClassifier:
    """Fitted once; ``guess`` is thread-safe. ``version`` names what it was fitted on."""

    def __init__(self, features: Features, model: KernelRidge, intents: Sequence[str], version: str) -> None:
        self._features = features
        self._model = model
        self.intents = tuple(intents)
        self.version = version

    @classmethod
    def fit(cls, embedder: Embedder, *, learned: Sequence[Example] = (), unlabelled: Iterable[str] = ()) -> "IntentClassifier":
        """From the box and from what people taught, out-of-scope mails and intents of their own among it."""
        return cls.fit_on((*seed_examples(), *learned), features=Features(embedder), unlabelled=unlabelled)

    @classmethod
    def fit_on(cls, examples: Sequence[Example], *, features: Features, unlabelled: Iterable[str] = ()) -> "IntentClassifier":
        """The same texts always give the same model, in any order; of a text that was taught twice the later intent counts.

        ``unlabelled`` texts show which mails are alike; of very many, a part is taken. Intents with a single example are
        left out. Raises ValueError where fewer than two intents remain.
        """
        taught = {plain(text): intent for text, intent in examples}
        counts = Counter(taught.values())
        known = sorted((text, intent) for text, intent in taught.items() if counts[intent] >= _RAREST)
        others = _some({plain(text) for text in unlabelled} - taught.keys())
        intents = sorted({intent for _, intent in known})
        if len(intents) < _FEWEST:
            raise ValueError("fewer than two intents have two examples each: there is nothing to tell apart")
        classes = np.array([intents.index(intent) for _, intent in known])
        model = KernelRidge.fit(features.rows([text for text, _ in known]), classes, features.rows(others))
        return cls(features, model, intents, digest([features.name, known, others])[:12])

    def guess(self, texts: Sequence[str]) -> list[Guess]:
        """The likeliest intent of each text."""
        judged = self._model.judge(self._features.rows(texts))
        found = zip(judged.classes, judged.probabilities, judged.margins, strict=True)
        return [Guess(self.intents[best], float(probability), float(margin)) for best, probability, margin in found]


def _some(texts: set[str]) -> list[str]:
    """A part that is spread evenly and stays the same while texts are added."""
    return sorted(heapq.nsmallest(_UNLABELLED_AT_MOST, texts, key=digest))
