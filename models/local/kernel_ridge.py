"""Classification by kernel ridge regression onto one-hot classes, with exact leave-one-out scores and self-training.

The kernel is Gaussian over two kinds of likeness, meaning and writing; how much each counts is chosen by the
leave-one-out likelihood of the examples. Calibration is temperature scaling (Guo et al., 2017, "On Calibration of
Modern Neural Networks") of the same leave-one-out scores (Rasmussen and Williams, 2006, section 5.4.2), so no example
is set aside for either. Unlabelled texts then take the probabilities that the labelled ones suggest, as noisier
examples: one of two minds says so instead of taking a side.
How far a class is to be trusted, the kernel and a count of words say together.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import cho_solve, cholesky
from scipy.linalg.lapack import strtri
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from models.local.features import Rows
from models.local.word_counts import WordCounts

_MEANING = (0.85, 0.7, 0.6, 0.5, 0.35)
"""Shares of meaning in the likeness of two texts that are tried; writing has the rest."""
_ENOUGH = 1_000
"""Examples to choose it by."""
_SAID = 0.05
_SUPPOSED = 0.5
"""Noise that is reckoned with in a class that a person said, and in one that is only supposed."""
_COUNTED = 0.5
"""What a supposed class counts beside one that a person said, where words are counted."""
_AGREED = 0.2
"""What the other opinion's whole agreement adds to a lead, which is 1 where all that is known speaks for one class."""
_SHARPEST = 60.0
_AT_ONCE = 500


@dataclass(frozen=True)
class KernelRidge:
    """``weights`` (len(supports), classes)."""

    supports: Rows
    meaning: float
    weights: Any
    sharpness: float
    counted: WordCounts

    @classmethod
    def fit(cls, rows: Rows, classes: Any, unlabelled: Rows) -> "KernelRidge":
        """``classes`` (len(rows),) count from 0 without a gap; ``unlabelled`` may be empty."""
        said, wanted = len(rows), np.eye(int(classes.max()) + 1, dtype=np.float32)
        supports = rows + unlabelled
        products = _own_products(supports)
        part = slice(0, said, -(-said // _ENOUGH))
        trials = [_Trial.of(_block(products, part), classes[part], wanted, share) for share in _MEANING]
        chosen = min(trials, key=lambda trial: trial.surprise).meaning
        best = _Trial.of(_block(products, slice(0, said)), classes, wanted, chosen)
        if not len(unlabelled):
            return cls(rows, best.meaning, best.weights, best.sharpness, WordCounts.fit(rows.writing, wanted[classes]))
        likeness = _likeness(products, best.meaning)
        supposed = softmax(likeness[said:, :said] @ best.weights * best.sharpness, axis=1)
        noise = np.repeat([np.float32(_SAID), np.float32(_SUPPOSED)], [said, len(unlabelled)])
        aims = np.vstack([wanted[classes], supposed])
        weights = cho_solve((_factor(likeness, noise), True), aims, check_finite=False)
        counted = WordCounts.fit(supports.writing, np.vstack([wanted[classes], supposed * np.float32(_COUNTED)]))
        return cls(supports, best.meaning, weights, best.sharpness, counted)

    def judge(self, rows: Rows) -> "Judgement":
        scores = _likeness(_products(rows, self.supports), self.meaning) @ self.weights
        classes, probabilities = scores.argmax(axis=1), softmax(scores * self.sharpness, axis=1).max(axis=1)
        second, first = np.partition(scores, -2, axis=1)[:, -2:].T
        agreed = self.counted.probabilities(rows.writing)[np.arange(len(classes)), classes]
        return Judgement(classes, probabilities, np.minimum((first - second + _AGREED * agreed) / (1 + _AGREED), 1))


@dataclass(frozen=True)
class Judgement:
    """Of each text the likeliest class, its calibrated probability, and its margin.

    The margin, from 0 to 1, is the lead over the second likeliest class together with how likely the class is by the
    words alone. The lead is small far from all examples, too, and where examples around a text failed to part two classes.
    """

    classes: Any
    probabilities: Any
    margins: Any


@dataclass(frozen=True)
class _Trial:
    """The labelled examples alone, at one share of meaning."""

    meaning: float
    weights: Any
    sharpness: float
    surprise: float

    @classmethod
    def of(cls, products: tuple[Any, Any], classes: Any, wanted: Any, meaning: float) -> "_Trial":
        likeness = _likeness(products, meaning)
        factor = _factor(likeness, np.full(len(likeness), _SAID, dtype=np.float32))
        weights = cho_solve((factor, True), wanted[classes], check_finite=False)
        inverse, _ = strtri(factor, lower=1)  # always there: a Cholesky factor has no zero on its diagonal
        left_out = wanted[classes] - weights / np.square(np.tril(inverse)).sum(axis=0)[:, None]

        def surprise(sharpness: float) -> float:
            """Minus the mean log probability of each example's class, by a fit without the example."""
            return float(-log_softmax(left_out * sharpness, axis=1)[np.arange(len(classes)), classes].mean())

        found = minimize_scalar(surprise, bounds=(1.0, _SHARPEST), method="bounded")
        return cls(meaning, weights, float(found.x), float(found.fun))


def _products(rows: Rows, others: Rows) -> tuple[Any, Any]:
    """The cosines between texts, (len(rows), len(others)), of meaning and of writing."""
    return rows.meaning @ others.meaning.T, (rows.writing @ others.writing.T).toarray()


def _own_products(rows: Rows) -> tuple[Any, Any]:
    """The same of texts with each other, on and below the diagonal: nobody reads what is above it, and writing takes long."""
    writing = np.zeros((len(rows), len(rows)), dtype=np.float32)
    for start in range(0, len(rows), _AT_ONCE):
        end = min(start + _AT_ONCE, len(rows))
        writing[start:end, :end] = (rows.writing[start:end] @ rows.writing[:end].T).toarray()
    return rows.meaning @ rows.meaning.T, writing


def _block(products: tuple[Any, Any], part: slice) -> tuple[Any, Any]:
    return products[0][part, part], products[1][part, part]


def _likeness(products: tuple[Any, Any], meaning: float) -> Any:
    """The Gaussian kernel exp(-|x - y|^2) of rows of length 1, x and y being both kinds side by side."""
    by_meaning, by_writing = products
    likeness = by_meaning * np.float32(2 * meaning)
    likeness += by_writing * np.float32(2 * (1 - meaning))
    likeness -= 2
    return np.exp(likeness, out=likeness)


def _factor(likeness: Any, noise: Any) -> Any:
    """The lower Cholesky factor, made in place of ``likeness``."""
    likeness[np.diag_indices(len(likeness))] += noise
    return cholesky(likeness, lower=True, overwrite_a=True, check_finite=False)
