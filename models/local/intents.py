"""The intent of a mail: calibrated logistic regression over embeddings, words and pieces of words.

Calibration is temperature scaling on out-of-fold scores (Guo et al., 2017, "On Calibration of Modern Neural
Networks"): one number, so that a few hundred examples are enough to fit it.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from domain.ports import Embedder
from models.local.features import Features
from models.local.guess import Example, Guess

_FOLDS = 3
_LEARNED_TIMES = 3  # an operator's correction counts as much as this many sentences from the box


def seed_examples() -> list[Example]:
    """The sentences in the box: ``seeds/<intent>.txt``, one mail a line."""
    files = sorted((Path(__file__).parent / "seeds").glob("*.txt"))
    return [(line, file.stem) for file in files for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


class IntentClassifier:
    """Fitted once; ``guess`` is thread-safe."""

    def __init__(self, features: Features, model: LogisticRegression, temperature: float) -> None:
        self._features = features
        self._model = model
        self.temperature = temperature

    @classmethod
    def fit(cls, embedder: Embedder, *, learned: Sequence[Example] = ()) -> "IntentClassifier":
        """From the box and what the operator taught. An intent that is taught too rarely to be split is ignored."""
        counts = Counter(intent for _, intent in (*seed_examples(), *learned))
        examples = [e for e in (*seed_examples(), *learned) if counts[e[1]] >= _FOLDS]
        texts, intents = [t for t, _ in examples], np.array([i for _, i in examples])
        weights = np.ones(len(examples))
        weights[len(seed_examples()) :] = _LEARNED_TIMES
        features = Features(embedder)
        rows = features.fit(texts)
        temperature = _temperature(rows, intents, weights)
        return cls(features, _regression().fit(rows, intents, sample_weight=weights), temperature)

    def guess(self, texts: Sequence[str]) -> list[Guess]:
        """The likeliest intent of each text."""
        scores = self._model.decision_function(self._features.transform(texts))
        chances = softmax(scores / self.temperature, axis=1)
        best = chances.argmax(axis=1)
        return [Guess(str(self._model.classes_[k]), float(row[k])) for row, k in zip(chances, best, strict=True)]


def _regression() -> LogisticRegression:
    return LogisticRegression(C=3.0, max_iter=200, tol=1e-3)


def _temperature(rows: Any, intents: Any, weights: Any) -> float:
    """The divisor of the scores under which held-out examples are likeliest."""
    classes = np.unique(intents)
    scores = np.zeros((len(intents), len(classes)))
    for train, test in StratifiedKFold(_FOLDS, shuffle=True, random_state=0).split(np.zeros(len(intents)), intents):
        model = _regression().fit(rows[train], intents[train], sample_weight=weights[train])
        scores[test] = model.decision_function(rows[test])
    truth = np.searchsorted(classes, intents)

    def surprise(temperature: float) -> float:
        return float(-log_softmax(scores / temperature, axis=1)[np.arange(len(truth)), truth].mean())

    return float(minimize_scalar(surprise, bounds=(0.05, 5.0), method="bounded").x)
