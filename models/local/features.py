"""Mail texts as numbers: what they mean (static embeddings) and how they are written (words and pieces of words).

Nothing is fitted: a text's row depends on the text alone, so rows are comparable between models and may be kept.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix, hstack, vstack
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.preprocessing import normalize

from domain.ports import Embedder

_WORD = r"(?u)\b\w+\b"  # single letters count too: "u", "i"
_NUMBER = re.compile(r"#?\b(?:[a-z]{0,3}-?\d[\w.,:/-]*|(?=[a-z]*\d)[a-z\d]{8,}\b)")
"""Also codes with their first digit somewhere inside, such as shops give to orders."""
_READING = 2
"""Raised whenever ``plain`` reads a text otherwise: rows from before are not comparable with those after."""
_MAIL = re.compile(r"[^\s@]{1,64}@[^\s@]{1,64}\.[^\s@]{1,64}")
_LINK = re.compile(r"(?:https?://|www\.)\S+")
_BUCKETS = 2**18  # so many that two pieces of words hardly ever share one


def plain(text: str) -> str:
    """Lower case, with numbers, addresses and links as their kind: which number it is says nothing about the intent."""
    text = _LINK.sub(" link ", _MAIL.sub(" address ", text.lower()))
    return " ".join(_NUMBER.sub(" 0 ", text).split())


@dataclass(frozen=True)
class Rows:
    """One row of length 1 a text in each: ``meaning`` a float32 array, ``writing`` a sparse matrix."""

    meaning: Any
    writing: csr_matrix

    def __len__(self) -> int:
        return len(self.meaning)

    def __getitem__(self, chosen: Any) -> "Rows":
        return Rows(self.meaning[chosen], self.writing[chosen])

    def __add__(self, other: "Rows") -> "Rows":
        return Rows(np.vstack([self.meaning, other.meaning]), vstack([self.writing, other.writing], format="csr"))


class Features:
    """Thread-safe where the embedder is."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self.name = f"{embedder.name}/{_READING}"
        shared = {"n_features": _BUCKETS, "alternate_sign": False, "norm": None, "dtype": np.float32}
        self._kinds = (
            HashingVectorizer(ngram_range=(1, 2), token_pattern=_WORD, **shared),
            HashingVectorizer(analyzer="char_wb", ngram_range=(3, 4), **shared),
        )

    def rows(self, texts: Sequence[str]) -> Rows:
        """One for each text, in their order."""
        if not texts:
            return self.rows([""])[:0]
        cleaned = [plain(t) for t in texts]
        meaning = np.asarray(self._embedder.embed(cleaned), dtype=np.float32)
        writing = hstack([normalize(_damped(kind.transform(cleaned))) for kind in self._kinds], format="csr")
        return Rows(meaning, normalize(writing, copy=False))


def _damped(counts: csr_matrix) -> csr_matrix:
    """What is said three times does not count threefold."""
    counts.data = 1 + np.log(counts.data)
    return counts
