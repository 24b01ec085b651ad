"""A second opinion by counting: naive Bayes over the words and pieces of words of labelled and supposed texts.

It shares no assumption with a kernel: where both name the same class, that class is right more often than either one's
score tells. It is the multinomial model, learning from unlabelled texts by their supposed classes as in Nigam et al.
(2000, "Text Classification from Labeled and Unlabeled Documents using EM", one step of it).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import softmax

_UNSEEN = 0.001
"""Counted for every piece in every class, so that what a class never had is unlikely instead of impossible."""
_EVIDENCE = 4.0
"""Rows have length 1, and their pieces depend on one another: a text weighs as much as so many pieces."""


@dataclass(frozen=True)
class WordCounts:
    """``pieces`` are the columns that occurred; ``logs`` (len(pieces), classes) and ``prior`` (classes,)."""

    pieces: Any
    logs: Any
    prior: Any

    @classmethod
    def fit(cls, writing: csr_matrix, shares: Any) -> "WordCounts":
        """``shares`` (rows, classes): how much each text counts for each class."""
        pieces = np.unique(writing.indices)
        counts = writing[:, pieces].T @ shares + np.float32(_UNSEEN)
        total = shares.sum(axis=0) + 1
        return cls(pieces, np.log(counts / counts.sum(axis=0)), np.log(total / total.sum()))

    def probabilities(self, writing: csr_matrix) -> Any:
        """(rows, classes); a piece that never occurred says nothing."""
        return softmax(_EVIDENCE * (writing[:, self.pieces] @ self.logs + self.prior), axis=1)
